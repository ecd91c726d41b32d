use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Breached, Campaign, Report, run};
use crate::machines;
use crate::plan::{Backend, Plan};
use crate::run::{Options, Outcome, Tier};
use crate::trace::What;
use crate::{TrueTime, trace};

fn campaign(jobs: usize) -> Campaign {
    Campaign {
        breached: Breached::GoOn,
        backends: Backend::ALL.to_vec(),
        jobs: NonZeroUsize::new(jobs).unwrap(),
        options: Options::PLAIN,
        seeds: 0..30,
        tiers: vec![(Tier::Machines, machines::run)],
    }
}

fn make(campaign: &Campaign) -> Report {
    run(campaign, &AtomicBool::new(false), &|_| {})
}

#[test]
fn a_report_does_not_depend_on_the_number_of_threads() {
    let one = make(&campaign(1));
    assert_eq!((one.runs, one.seeds), (90, 30));
    assert_eq!(one, make(&campaign(3)));
}

/// Breaks an invariant at every seed from 20 on.
fn breaking(plan: &Plan, options: &Options) -> Outcome {
    let mut chronicle = trace::Chronicle::new(plan.facts(), options.keep);
    if plan.seed >= 20 {
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
fn it_stops_after_the_first_seed_that_breaks_an_invariant_or_goes_on() {
    let stopping = |jobs| Campaign {
        breached: Breached::Stop,
        tiers: vec![(Tier::Machines, breaking)],
        ..campaign(jobs)
    };
    let stopped = make(&stopping(1));
    assert_eq!((stopped.seeds, stopped.breaches[0].seed), (21, 20));
    assert_eq!(stopped, make(&stopping(4)));
    let all = make(&Campaign {
        breached: Breached::GoOn,
        ..stopping(2)
    });
    assert_eq!((all.seeds, all.breach_count), (30, 30));
}

#[test]
fn who_interrupts_it_gets_what_has_been_done_so_far() {
    let interrupted = AtomicBool::new(false);
    let told = AtomicU64::new(0);
    let long = Campaign {
        seeds: 0..u64::MAX,
        tiers: vec![(Tier::Machines, breaking)],
        ..campaign(2)
    };
    let report = run(&long, &interrupted, &|progress| {
        told.store(progress.done, Ordering::Relaxed);
        interrupted.store(true, Ordering::Relaxed);
    });
    assert!(report.seeds >= told.load(Ordering::Relaxed) && report.seeds > 0);
    assert_eq!(report.runs, report.seeds * 3);
}
