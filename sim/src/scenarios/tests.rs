use std::collections::BTreeSet;

use super::*;
use crate::plan::Format;

#[test]
fn every_scenario_is_a_plan_that_can_be_and_is_told_in_a_sentence() {
    let mut names = BTreeSet::new();
    for scenario in all() {
        let plan = scenario.plan();
        assert_eq!(plan.check(), Ok(()), "{}", scenario.name);
        let text = plan.write(Format::Toml);
        let again = Plan::parse(&text, Format::Toml, scenario.name);
        assert_eq!(again, Ok(plan), "{text}");
        assert!(scenario.sentence.ends_with('.'), "{}", scenario.sentence);
        assert!(
            names.insert(scenario.name),
            "{} is there twice",
            scenario.name
        );
    }
    assert!(names.len() >= 25);
}

#[test]
fn a_name_that_is_mistyped_finds_what_was_meant() {
    assert_eq!(
        nearest("pod-delete").map(|found| found.name),
        Some("pod-deleted")
    );
    assert_eq!(
        nearest("leader-partitionned").map(|found| found.name),
        Some("leader-partitioned")
    );
    assert!(nearest("something else").is_none());
}
