use super::run;
use crate::plan::{Backend, Direction, Fault, Foreign, Plan, PlannedFault, Refusal, Span, Who};
use crate::run::Options;
use crate::trace::{Keep, Record, What, WorkEnd};

#[test]
fn the_same_plan_gives_the_same_trace() {
    for backend in Backend::ALL {
        for seed in 0..20 {
            let plan = Plan::generate(seed, backend);
            let first = run(&plan, &Options::PLAIN);
            let keeping = Options {
                keep: Keep::All,
                ..Options::PLAIN
            };
            let second = run(&plan, &keeping);
            assert_eq!((first.hash, first.events), (second.hash, second.events));
            assert!(!second.records.is_empty());
        }
    }
}

#[test]
fn nobody_leads_beside_another_and_somebody_leads_in_the_end() {
    for backend in Backend::ALL {
        let mut led = 0;
        for seed in 0..80 {
            let plan = Plan::generate(seed, backend);
            let outcome = run(
                &plan,
                &Options {
                    keep: Keep::All,
                    ..Options::PLAIN
                },
            );
            if let Some(breach) = outcome.jury.breach() {
                panic!("{} seed {seed}: {breach}", backend.name());
            }
            let panicked = outcome
                .records
                .iter()
                .any(|record| record.what == What::Panicked);
            assert!(!panicked, "{} seed {seed}", backend.name());
            let quiet = plan.quiet_from.from_start();
            led += usize::from(
                outcome
                    .records
                    .iter()
                    .any(|record| record.at > quiet && matches!(record.what, What::Leads { .. })),
            );
        }
        assert_eq!(led, 80, "{}", backend.name());
    }
}

/// All faults of this tier, as they strike a run in which node 0 leads.
fn faults() -> Vec<Fault> {
    let node = Who::Leader;
    let direction = Direction::Both;
    vec![
        Fault::Crash { node },
        Fault::CrashCut { node },
        Fault::PowerLoss { node },
        Fault::ShutDown { node },
        Fault::Pause { node },
        Fault::Suspend { node },
        Fault::Freeze { node },
        Fault::Starve {
            node,
            most: Span::from_secs(3),
        },
        Fault::Resign { node },
        Fault::Ineligible { node },
        Fault::OperatorResign,
        Fault::OperatorPause,
        Fault::Panic { node },
        Fault::Rate { node, ppm: 9_000 },
        Fault::Slew { node, ppm: 50_000 },
        Fault::StepWall { by_s: 1_000, node },
        Fault::Cut { direction, node },
        Fault::Clog { node },
        Fault::Lossy {
            direction,
            node,
            per_mille: 900,
        },
        Fault::Duplicate {
            node,
            per_mille: 900,
        },
        Fault::Slow {
            direction,
            node,
            most: Span::from_secs(2),
        },
        Fault::Delay {
            by: Span::from_millis(300),
            direction,
            node,
        },
        Fault::Reset { node },
        Fault::Refuse {
            with: Refusal::Forbidden,
        },
        Fault::Refuse {
            with: Refusal::Throttled,
        },
        Fault::Refuse {
            with: Refusal::Unavailable,
        },
        Fault::AppliedTimeout { per_mille: 900 },
        Fault::Hang,
        Fault::Restart,
        Fault::Stale {
            by: Span::from_secs(2),
        },
        Fault::NoHints,
        Fault::WatchGap,
        Fault::Foreign(Foreign::Corrupt),
        Fault::Foreign(Foreign::Delete),
        Fault::Foreign(Foreign::EditLabel),
        Fault::Foreign(Foreign::Empty),
        Fault::Foreign(Foreign::Overwrite),
        Fault::Foreign(Foreign::Recreate),
    ]
}

/// What happened, but for the fault itself.
fn story(plan: &Plan) -> Vec<Record> {
    let keeping = Options {
        keep: Keep::All,
        ..Options::PLAIN
    };
    let mut records = run(plan, &keeping).records;
    records.retain(|record| {
        !matches!(
            record.what,
            What::FaultBegan { .. } | What::FaultEnded { .. }
        )
    });
    records
}

fn calm(backend: Backend) -> Plan {
    let mut plan = Plan::generate(3, backend);
    plan.faults.clear();
    plan.server.silent = false;
    plan
}

#[test]
fn every_fault_makes_a_difference() {
    let good = story(&calm(Backend::Lease));
    for what in faults() {
        let mut plan = calm(Backend::Lease);
        plan.faults.push(PlannedFault {
            at: Span::from_secs(12),
            lasts: Some(Span::from_secs(8)),
            what: what.clone(),
        });
        assert_ne!(story(&plan), good, "{what:?}");
    }
}

#[test]
fn every_fault_of_a_server_that_counts_sessions_makes_a_difference() {
    let good = story(&calm(Backend::Session));
    let node = Who::Leader;
    for what in [
        Fault::QuorumLoss,
        Fault::LeaderChange,
        Fault::ExpireSession { node },
    ] {
        let mut plan = calm(Backend::Session);
        plan.faults.push(PlannedFault {
            at: Span::from_secs(12),
            lasts: Some(Span::from_secs(8)),
            what: what.clone(),
        });
        assert_ne!(story(&plan), good, "{what:?}");
    }
}

#[test]
fn work_that_is_deaf_is_aborted() {
    let mut plan = calm(Backend::Lease);
    for (at, what) in [
        (11, Fault::Deaf { node: Who::Leader }),
        (
            12,
            Fault::Cut {
                direction: Direction::Both,
                node: Who::Leader,
            },
        ),
    ] {
        plan.faults.push(PlannedFault {
            at: Span::from_secs(at),
            lasts: Some(Span::from_secs(10)),
            what,
        });
    }
    let aborted = What::WorkEnded {
        how: WorkEnd::Aborted,
        token: 1,
    };
    assert!(story(&plan).iter().any(|record| record.what == aborted));
}

#[test]
fn who_is_ended_for_good_stays_away() {
    let mut plan = calm(Backend::Lease);
    plan.faults.push(PlannedFault {
        at: Span::from_secs(12),
        lasts: None,
        what: Fault::Crash { node: Who::Node(0) },
    });
    let up = story(&plan);
    let up = up
        .iter()
        .filter(|record| matches!(record.what, What::Up { .. }));
    assert_eq!(up.count(), plan.nodes.len());
}
