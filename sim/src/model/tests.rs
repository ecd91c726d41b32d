use std::ops::ControlFlow;
use std::time::Duration;

use super::action::{self, Action};
use super::rules::Rules;
use super::step::{self, Step};
use super::store::Newest;
use super::world::World;
use super::{Configuration, End, Shown, Verdict, check, names, shown};
use crate::invariants::Invariant;
use crate::planted::Bug;
use crate::random::{Purpose, Stream};

const LIMIT: Duration = Duration::from_secs(100);

fn search(configuration: &Configuration, bug: Option<Bug>) -> Verdict {
    check(configuration, bug, 2, LIMIT, &mut |_| {
        ControlFlow::Continue(())
    })
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
        ("blind-put", 18),
        ("read-extends", 17),
        ("unknown-is-confirmed", 15),
    ] {
        let verdict = search(&Configuration::smallest(), Bug::parse(name));
        assert_eq!(verdict.end, End::Found(Invariant::SingleLeader), "{name}");
        let lines = verdict.counterexample.unwrap().lines;
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
fn a_mistake_is_shown_in_a_world_where_it_matters_and_its_records_are_found_guilty() {
    // The others take longer, and are shown by `tenure-sim model --hunt`.
    for name in [
        "age-per-holder",
        "claim-is-assumed",
        "emptied-is-free",
        "fail-open",
        "missing-is-free",
        "name-is-enough",
        "own-record-is-taken",
        "releases-first",
        "token-reused",
        "trusted-renewal",
    ] {
        let bug = Bug::parse(name).unwrap();
        let Shown::In(world) = shown(bug) else {
            panic!("{bug}");
        };
        let verdict = search(&Configuration::find(world).unwrap(), Some(bug));
        let End::Found(invariant) = verdict.end else {
            panic!("{bug}: {verdict:?}");
        };
        let found = verdict.counterexample.unwrap();
        let guilty = found.is_found_guilty_of(invariant);
        assert!(guilty, "{bug}: {invariant:?} and not {:?}", found.breaches);
    }
}

#[test]
fn each_world_has_a_timing_with_a_tick_to_renew() {
    for configuration in Configuration::all() {
        assert!(configuration.is_sound(), "{configuration:?}");
        assert_eq!(Configuration::find(configuration.name), Some(configuration));
    }
}
