use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Breached, Campaign, Report, Stage};
use crate::TrueTime;
use crate::plan::Plan;
use crate::run::{Options, Outcome, Tier};
use crate::trace::{Chronicle, What};

fn campaign(jobs: usize) -> Campaign {
    Campaign {
        breached: Breached::GoOn,
        jobs: NonZeroUsize::new(jobs).unwrap(),
        options: Options::PLAIN,
        seeds: 0..30,
        stages: Stage::all(Some(Tier::Machines), None),
        stretch: NonZeroU32::MIN,
    }
}

fn make(campaign: &Campaign) -> Report {
    campaign.run(&AtomicBool::new(false), |_| ControlFlow::Continue(()))
}

#[test]
fn a_report_does_not_depend_on_the_number_of_threads() {
    let one = make(&campaign(1));
    assert_eq!((one.runs, one.found), (90, 0));
    assert_eq!(one, make(&campaign(3)));
}

/// Breaks an invariant at every seed from 5 on.
fn breaking(plan: &Plan, _: Tier, options: &Options) -> Outcome {
    let mut chronicle = Chronicle::new(plan.facts(), options.keep);
    if plan.seed >= 5 {
        chronicle.record(TrueTime::START, None, What::Panicked);
    }
    Outcome {
        events: 1,
        hash: chronicle.hash(),
        jury: chronicle.jury().clone(),
        records: Vec::new(),
    }
}

#[test]
fn it_stops_after_the_first_run_that_breaks_an_invariant_or_goes_on_and_lists_some() {
    let break_all = |campaign: Campaign| {
        let mut seen = Vec::new();
        let report = campaign.run_by(&breaking, &AtomicBool::new(false), |found| {
            seen.extend(found.cloned());
            ControlFlow::Continue(())
        });
        assert_eq!(seen, report.listed);
        report
    };
    let stopping = |jobs| Campaign {
        breached: Breached::Stop,
        ..campaign(jobs)
    };
    let stopped = break_all(stopping(1));
    assert_eq!((stopped.runs, stopped.listed[0].seed), (16, 5));
    assert_eq!(stopped, break_all(stopping(4)));
    let all = break_all(campaign(2));
    assert_eq!((all.runs, all.found, all.listed.len()), (90, 75, 20));
}

#[test]
fn who_interrupts_it_gets_what_has_been_done_so_far() {
    let interrupted = AtomicBool::new(false);
    let mut told = 0;
    let long = Campaign {
        seeds: 0..u64::MAX,
        ..campaign(2)
    };
    let report = long.run_by(&breaking, &interrupted, |_| {
        told += 1;
        interrupted.store(told >= 70, Ordering::SeqCst);
        ControlFlow::Continue(())
    });
    assert!(report.runs >= 70);
    assert_eq!(report.runs, told);
}

#[test]
fn it_ends_when_nobody_wants_to_see_more() {
    let mut told = 0;
    let report = campaign(2).run(&AtomicBool::new(false), |_| {
        told += 1;
        match told {
            7 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert_eq!(report.runs, 7);
}
