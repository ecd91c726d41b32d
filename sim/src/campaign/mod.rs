//! Many runs: a range of seeds, on several locks and tiers, over several threads.
//!
//! Threads take seeds as they come, and what they found is put together in the order of the seeds: neither digest nor report depends on
//! how many threads there were, nor on which was faster.

mod fold;
mod report;
#[cfg(test)]
mod tests;

pub use report::{Found, Report};

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::plan::{Backend, Plan};
use crate::run::{Options, Outcome, Tier};
use fold::{Fold, Summary};

/// What makes a run of a tier.
pub type Runner = fn(&Plan, &Options) -> Outcome;

/// What a campaign does once an invariant did not hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Breached {
    /// It goes on, and tells all that it found in the end.
    GoOn,
    /// It stops after the seed at which that happened.
    Stop,
}

/// Which runs to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    /// What it does once an invariant did not hold.
    pub breached: Breached,
    /// On which locks each seed is run.
    pub backends: Vec<Backend>,
    /// On how many threads.
    pub jobs: NonZeroUsize,
    /// How each run is made; which records are kept is of no use here.
    pub options: Options,
    /// The seeds.
    pub seeds: Range<u64>,
    /// On which tiers each seed is run, and by what.
    pub tiers: Vec<(Tier, Runner)>,
}

/// How far a campaign has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// How many seeds are done, with all their runs.
    pub done: u64,
    /// How many events their runs have handled.
    pub events: u64,
    /// How many seeds there are.
    pub of: u64,
}

/// Runs all of it, until `interrupted` is set, and says what was found. `progress` is called now and then, from any thread.
pub fn run(
    campaign: &Campaign,
    interrupted: &AtomicBool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Report {
    let next = AtomicU64::new(campaign.seeds.start);
    let fold = Fold::new(campaign);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let over = seed >= campaign.seeds.end || interrupted.load(Ordering::Relaxed);
            if over || !fold.has_room(seed, interrupted) {
                return;
            }
            let summary = one(campaign, seed);
            if let Some(come) = fold.put(seed, summary) {
                progress(come);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..campaign.jobs.get() {
            scope.spawn(work);
        }
        work();
    });
    fold.report()
}

/// All runs of one seed.
fn one(campaign: &Campaign, seed: u64) -> Summary {
    let mut summary = Summary::default();
    for backend in &campaign.backends {
        let plan = Plan::generate(seed, *backend);
        for (tier, runner) in &campaign.tiers {
            let outcome = runner(&plan, &campaign.options);
            summary.add(seed, (*backend, *tier), &plan, &outcome);
        }
    }
    summary
}
