use std::time::Duration;

use super::*;
use crate::invariants::Invariant;
use crate::planted::Bug;

const LIMIT: Duration = Duration::from_secs(100);

fn search(configuration: &Configuration, bug: Option<Bug>) -> Verdict {
    check(configuration, bug, 2, LIMIT, &mut |_| {})
}

#[test]
fn the_smallest_world_has_one_leader_in_every_state() {
    let verdict = search(&Configuration::smallest(), None);
    assert_eq!(verdict.end, End::Closed);
    assert!(verdict.progress.states > 10_000, "{:?}", verdict.progress);
}

#[test]
fn a_planted_mistake_is_shown_by_a_shortest_way_to_it() {
    let bug = Bug::parse("unknown-is-confirmed");
    let verdict = search(&Configuration::smallest(), bug);
    assert_eq!(verdict.end, End::Found(Invariant::SingleLeader));
    let lines = verdict.counterexample.unwrap();
    assert_eq!(lines.len(), 14);
    let last = lines.last().unwrap();
    assert!(
        last.beliefs.iter().all(|belief| belief.contains("works")),
        "{last}"
    );
}

#[test]
fn each_world_has_a_timing_with_a_tick_to_renew() {
    for configuration in Configuration::all() {
        assert!(configuration.is_sound(), "{configuration:?}");
        assert_eq!(Configuration::find(configuration.name), Some(configuration));
    }
}
