use super::{Mistake, WrongFixture};
use crate::testing::block_on;
use crate::testing::conformance::{MemoryFixture, Suite};

#[test]
fn each_mistake_is_found_by_exactly_the_checks_it_names() {
    let mut surprises = String::new();
    for mistake in Mistake::ALL {
        let report = block_on(Suite::new(WrongFixture::new(*mistake)).run_all());
        if report.failed() != mistake.found_by() {
            surprises += &format!("{mistake:?}: {:#?}\n", report.failed());
        }
    }
    assert!(surprises.is_empty(), "{surprises}");
}

#[test]
fn no_mistake_is_overlooked() {
    assert!(Mistake::ALL.is_sorted());
    assert!(Mistake::ALL.iter().all(|m| !m.found_by().is_empty()));
}

#[test]
fn every_check_finds_a_mistake() {
    let found: Vec<&str> = Mistake::ALL
        .iter()
        .flat_map(|m| m.found_by())
        .copied()
        .collect();
    let idle: Vec<&str> = Suite::<MemoryFixture>::names()
        .filter(|name| !found.contains(name))
        .collect();
    assert!(idle.is_empty(), "{idle:#?}");
}
