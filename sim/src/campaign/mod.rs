//! Many runs: a range of seeds, on several locks and tiers, over several threads.
//!
//! What the runs gave is put together in the order of the seeds: neither digest nor report depends on how many threads there were, nor on
//! which was faster.

mod report;
mod stage;
#[cfg(test)]
mod tests;

pub use report::{Found, Report};
pub use stage::Stage;

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::{ControlFlow, Range};
use std::sync::atomic::AtomicBool;

use crate::parallel::in_order;
use crate::plan::Plan;
use crate::run::{Options, Outcome, Tier};
use report::Run;

/// What a campaign does once an invariant did not hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Breached {
    /// It goes on, and tells all that it found in the end.
    GoOn,
    /// It stops after the run in which that happened.
    Stop,
}

/// Which runs to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    /// What it does once an invariant did not hold.
    pub breached: Breached,
    /// On how many threads.
    pub jobs: NonZeroUsize,
    /// How each run is made; which records are kept is of no use here.
    pub options: Options,
    /// The seeds.
    pub seeds: Range<u64>,
    /// On which locks and tiers each seed is run.
    pub stages: Vec<Stage>,
    /// How many times as slow each plan is made.
    pub stretch: NonZeroU32,
}

impl Campaign {
    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        let seeds = self.seeds.end.saturating_sub(self.seeds.start);
        seeds.saturating_mul(self.stages.len() as u64)
    }

    /// What is run of a seed on a stage.
    pub fn plan(&self, seed: u64, stage: Stage) -> Plan {
        Plan::generate(seed, stage.backend).stretched(self.stretch)
    }

    /// Runs all of it, until `interrupted` is set, and says what was found. `see` is called after each run, in their order, with what is
    /// listed of it; the campaign also ends where `see` breaks off.
    pub fn run(
        &self,
        interrupted: &AtomicBool,
        see: impl FnMut(Option<&Found>) -> ControlFlow<()>,
    ) -> Report {
        self.run_by(&crate::run::run, interrupted, see)
    }

    /// [`Campaign::run`], with runs made by somebody else.
    fn run_by(
        &self,
        runner: &(dyn Fn(&Plan, Tier, &Options) -> Outcome + Sync),
        interrupted: &AtomicBool,
        mut see: impl FnMut(Option<&Found>) -> ControlFlow<()>,
    ) -> Report {
        let stages = || self.stages.iter().copied();
        let all = self.seeds.clone();
        let all = all.flat_map(|seed| stages().map(move |stage| (seed, stage)));
        let work = |(seed, stage): (u64, Stage)| {
            let plan = self.plan(seed, stage);
            let outcome = runner(&plan, stage.tier, &self.options);
            Run::new(&plan, &outcome)
        };
        let mut report = Report::new(stages());
        in_order(all, self.jobs, interrupted, work, |(seed, stage), run| {
            let is_silent = run.breach.is_none();
            see(report.add(seed, stage, run))?;
            if is_silent || self.breached == Breached::GoOn {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        report
    }
}
