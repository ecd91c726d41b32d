mod slow;

use slow::{Slow, Wait};

use super::{MemoryFixture, Suite};
use crate::memory::SessionMode;
use crate::testing::block_on;

mod leased {
    crate::conformance_tests!(super::block_on, super::MemoryFixture::Leased);
}

mod session {
    use crate::memory::SessionMode::EndsWhenTold;

    crate::conformance_tests!(super::block_on, super::MemoryFixture::Session(EndsWhenTold));
}

mod kernel {
    use crate::memory::SessionMode::EndsWithHandle;

    crate::conformance_tests!(
        super::block_on,
        super::MemoryFixture::Session(EndsWithHandle)
    );
}

#[test]
fn every_check_has_a_test_of_its_name() {
    let listed: &[&str] = crate::conformance_tests!(@names @list);
    assert!(Suite::<MemoryFixture>::names().eq(listed.iter().copied()));
}

#[test]
fn the_report_names_each_check() {
    let fixture = MemoryFixture::Session(SessionMode::EndsWhenTold);
    let report = block_on(Suite::new(fixture).run_all());
    let text = report.to_string();
    assert!(
        Suite::<MemoryFixture>::names()
            .all(|name| text.contains(&format!("\n{name}: ")) || text.starts_with(name))
    );
    assert!(text.contains("left out: not about Session locks"), "{text}");
}

#[test]
fn locks_that_take_their_time_pass_too() {
    for fixture in [
        MemoryFixture::Leased,
        MemoryFixture::Session(SessionMode::EndsWhenTold),
        MemoryFixture::Session(SessionMode::EndsWithHandle),
    ] {
        for wait in [Wait::BeforeSending, Wait::UnderWay, Wait::BeforeAnswering] {
            let report = block_on(Suite::new(Slow(fixture, wait)).run_all());
            assert!(
                report.failed().is_empty(),
                "{fixture:?}, {wait:?}: {report}"
            );
        }
    }
}
