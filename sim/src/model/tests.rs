use std::time::Duration;

use super::action::{self, Action};
use super::rules::Rules;
use super::step::{self, Step};
use super::store::Newest;
use super::world::World;
use super::{Configuration, End, Verdict, check, names};
use crate::invariants::Invariant;
use crate::planted::Bug;
use crate::random::{Purpose, Stream};

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
    for (name, length) in [
        ("blind-put", 19),
        ("read-extends", 17),
        ("unknown-is-confirmed", 15),
    ] {
        let verdict = search(&Configuration::smallest(), Bug::parse(name));
        assert_eq!(verdict.end, End::Found(Invariant::SingleLeader), "{name}");
        let lines = verdict.counterexample.unwrap();
        assert_eq!(lines.len(), length + 1, "{name}");
        let last = lines.last().unwrap();
        assert!(
            last.beliefs.iter().all(|belief| belief.contains("work")),
            "{last}"
        );
    }
}

/// The lines in which two worlds differ.
fn differences(a: &World, b: &World) -> Vec<String> {
    if a == b {
        return Vec::new();
    }
    let (a, b) = (format!("{a:#?}"), format!("{b:#?}"));
    let lines = a.lines().zip(b.lines()).enumerate();
    let others = lines.filter(|(_, (a, b))| a != b);
    others
        .map(|(number, (a, b))| format!("{number}: {} != {}", a.trim(), b.trim()))
        .collect()
}

/// Walks a world at random, once with normal forms and once without any.
fn walk(configuration: &Configuration, seed: u64, length: usize) {
    let rules = Rules::new(configuration.clone(), None);
    let mut chance = Stream::new(seed, 0, Purpose::Plan);
    let mut normal = step::start(&rules);
    let mut raw = Step::new(&rules, normal.clone(), Newest::BEFORE);
    let (mut actions, mut raw_actions) = (Vec::new(), Vec::new());
    for _ in 0..length {
        actions.clear();
        raw_actions.clear();
        action::possible(&rules, &normal, &mut actions);
        action::possible(&rules, &raw.world, &mut raw_actions);
        assert_eq!(actions, raw_actions);
        let action = actions[chance.index(actions.len())];
        normal = step::after(&rules, &normal, action);
        assert!(normal.leaders() <= 1, "{normal:#?}");
        if let Action::Crash(_) = action {
            // A former life's name is free for the next one only in normal form.
            raw = Step::new(&rules, normal.clone(), Newest::BEFORE);
        } else {
            raw.act(action);
        }
        let mut named = raw.world.clone();
        names::normalise(&rules, &mut named, raw.newest, None);
        let name = configuration.name;
        assert_eq!(
            differences(&named, &normal),
            Vec::<String>::new(),
            "{name} {seed} {action:?}"
        );
    }
}

#[test]
fn a_world_in_normal_form_goes_on_as_it_would_have_without() {
    for mut configuration in Configuration::all() {
        for seed in 0..5 {
            walk(&configuration, seed, 200);
        }
        configuration.crashes = false;
        for seed in 20..60 {
            walk(&configuration, seed, 200);
        }
    }
}

#[test]
fn each_mistake_is_shown_in_a_world_where_it_matters() {
    for (name, configuration, invariant) in [
        (
            "age-per-holder",
            Configuration::smallest(),
            Invariant::SingleLeader,
        ),
        (
            "emptied-is-free",
            Configuration::emptyings(),
            Invariant::SingleLeader,
        ),
        (
            "missing-is-free",
            Configuration::deletions(),
            Invariant::SingleLeader,
        ),
        (
            "releases-first",
            Configuration::resigns(),
            Invariant::SingleLeader,
        ),
        (
            "token-reused",
            Configuration::smallest(),
            Invariant::TokenMonotonic,
        ),
        (
            "wild-clock",
            Configuration::smallest(),
            Invariant::SingleLeader,
        ),
    ] {
        let verdict = search(&configuration, Bug::parse(name));
        assert_eq!(verdict.end, End::Found(invariant), "{name}");
    }
}

#[test]
fn each_world_has_a_timing_with_a_tick_to_renew() {
    for configuration in Configuration::all() {
        assert!(configuration.is_sound(), "{configuration:?}");
        assert_eq!(Configuration::find(configuration.name), Some(configuration));
    }
}
