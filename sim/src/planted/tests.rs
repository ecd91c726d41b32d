use super::*;
use crate::invariants::{Breach, Invariant};
use crate::plan::{Backend, Fault, Plan};
use crate::{Options, Tier, TrueTime, machines};

fn breach(invariant: Invariant) -> Vec<Breach> {
    vec![Breach {
        at: TrueTime::from_nanos(1),
        invariant,
        what: String::new(),
    }]
}

fn hangs(plan: &Plan) -> bool {
    plan.faults.iter().any(|fault| fault.what == Fault::Hang)
}

fn bug() -> Bug {
    Bug::parse("deadline-from-answer").unwrap()
}

#[test]
fn a_hunt_ends_at_the_first_seed_that_shows_the_bug_with_a_plan_of_what_matters() {
    let run = |plan: &Plan, tier, bug: Option<Bug>| match bug {
        Some(_) if hangs(plan) && tier == Tier::Machines => breach(Invariant::SingleLeader),
        _ => Vec::new(),
    };
    let caught = hunt_by(bug(), 100, &run, |_| ()).unwrap();
    assert_eq!(caught.faults(), 1);
    assert!(hangs(&caught.plan));
    assert_eq!(caught.tier, Tier::Machines);
    assert_eq!(caught.caught_by(), Invariant::SingleLeader);
    let first = (0..).find(|seed| {
        let any = |backend| hangs(&Plan::generate(*seed, backend));
        Backend::ALL.into_iter().any(any)
    });
    assert_eq!(caught.seeds, first.unwrap() + 1);
    let line = serde_json::to_string(&caught.line()).unwrap();
    let seeds = caught.seeds;
    assert_eq!(
        line,
        format!(
            r#"{{"bug":"deadline-from-answer","caught_by":"single-leader","seeds":{seeds},"faults":1}}"#
        )
    );
}

#[test]
fn a_breach_of_something_else_is_no_catch() {
    let run = |_: &Plan, _, bug: Option<Bug>| match bug {
        Some(_) => breach(Invariant::Progress),
        None => Vec::new(),
    };
    let seeds = 3;
    assert_eq!(
        hunt_by(bug(), seeds, &run, |_| ()),
        Err(Missed::Uncaught { bug: bug(), seeds })
    );
}

#[test]
fn a_hunt_whose_control_is_not_silent_proves_nothing() {
    let run = |_: &Plan, _, _| breach(Invariant::SingleLeader);
    let missed = hunt_by(bug(), 3, &run, |_| ()).unwrap_err();
    assert!(matches!(missed, Missed::ControlBreaches { seed: 0, .. }));
}

#[test]
fn a_small_plan_breaches_nothing_without_its_bug() {
    // Without any fault it breaches even so: that must not be taken for the bug.
    let run = |plan: &Plan, _, bug: Option<Bug>| match bug {
        Some(_) => breach(Invariant::SingleLeader),
        None if plan.faults.is_empty() => breach(Invariant::SingleLeader),
        None => Vec::new(),
    };
    let seedless = (0..).find(|seed| {
        let has_faults = |backend| !Plan::generate(*seed, backend).faults.is_empty();
        Backend::ALL.into_iter().all(has_faults)
    });
    assert_eq!(seedless, Some(0));
    let caught = hunt_by(bug(), 1, &run, |_| ()).unwrap();
    assert_eq!(caught.faults(), 1);
}

/// Those that show within a few seeds; the others take a release build.
const SOON: [&str; 24] = [
    "age-per-holder",
    "blind-put",
    "deadline-from-answer",
    "fail-open",
    "forgets-alarm",
    "ignores-another-holder",
    "ignores-missing",
    "kills-at-stop-timeout",
    "leaks-member",
    "missing-is-free",
    "monotonic-only",
    "name-is-enough",
    "never-aborts",
    "never-polls",
    "never-releases",
    "never-retries",
    "no-request-timeout",
    "no-stop-margin",
    "one-token",
    "own-record-is-taken",
    "remote-clock",
    "tries-add-up",
    "unknown-is-confirmed",
    "watchdog-sleeps",
];
const SEEDS_SOON: u64 = 60;

fn shows(bug: Bug, seed: u64) -> bool {
    let options = Options {
        bug: Some(bug),
        ..Options::PLAIN
    };
    bug.backends().iter().any(|backend| {
        let outcome = machines::run(&Plan::generate(seed, *backend), &options);
        let mut breaches = outcome.jury.breaches().iter();
        breaches.any(|breach| bug.expected().contains(&breach.invariant))
    })
}

#[test]
fn most_bugs_are_caught_within_a_few_seeds() {
    for name in SOON {
        let bug = Bug::parse(name).unwrap();
        let caught = (0..SEEDS_SOON).any(|seed| shows(bug, seed));
        assert!(caught, "{name} was not caught within {SEEDS_SOON} seeds");
    }
}

/// Which invariants a run of this bug's plan of `seed` breaches, with the bug or without.
fn breached(bug: Bug, seed: u64, planted: Option<Bug>) -> Vec<Invariant> {
    let options = Options {
        bug: planted,
        ..Options::PLAIN
    };
    let plan = bug.plan(seed, Backend::Zookeeper);
    let outcome = crate::run(&plan, Tier::Electors, &options);
    let breaches = outcome.jury.breaches().iter();
    breaches.map(|breach| breach.invariant).collect()
}

#[test]
fn the_last_heartbeat_but_one_proves_too_little_where_the_true_rule_holds() {
    let bug = Bug::parse("zookeeper-from-last-but-one").unwrap();
    let mut caught = Vec::new();
    for seed in 0..20 {
        assert_eq!(breached(bug, seed, None), [], "seed {seed}");
        let by = breached(bug, seed, Some(bug));
        let expected = |one: &Invariant| bug.expected().contains(one);
        assert!(by.iter().all(expected), "seed {seed}: {by:?}");
        if !by.is_empty() {
            caught.push(seed);
        }
    }
    // On the others the leader is with another server, or the servers' ping comes at another time.
    assert!(caught.len() >= 3, "caught under {caught:?}");
}

#[test]
fn a_mistake_that_takes_a_scenario_is_hunted_in_that_and_the_table_says_so() {
    let bug = Bug::parse("zookeeper-from-last-but-one").unwrap();
    let scenario = bug.scenario().unwrap();
    let run = |plan: &Plan, _, planted: Option<Bug>| match planted {
        Some(_) if plan.name == scenario.name && plan.seed == 2 => {
            breach(Invariant::HolderContinuity)
        }
        _ => Vec::new(),
    };
    let caught = hunt_by(bug, 10, &run, |_| ());
    assert_eq!(caught.as_ref().map(|caught| caught.seeds), Ok(3));
    let says = format!("Looked for in `{}`.", scenario.name);
    assert!(table(&[caught]).contains(&says));
}

#[test]
fn the_table_has_a_row_for_each_hunt() {
    let run = |plan: &Plan, _, bug: Option<Bug>| match bug {
        Some(_) if hangs(plan) => breach(Invariant::SingleLeader),
        _ => Vec::new(),
    };
    let results = [
        hunt_by(bug(), 100, &run, |_| ()),
        hunt_by(bug(), 0, &run, |_| ()),
    ];
    let table = table(&results);
    assert_eq!(table.lines().count(), 4);
    assert!(table.contains("| single-leader | machine, "), "{table}");
    assert!(table.contains("**nothing**"), "{table}");
}
