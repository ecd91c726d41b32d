use std::fmt;
use std::time::Duration;

use super::Stage;
use crate::invariants::{Breach, Marks};
use crate::plan::Plan;
use crate::run::Outcome;
use crate::trace::TraceHash;

/// The most runs that are listed one by one.
const LISTED_MOST: usize = 20;

/// What a campaign has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The hash over all runs, in their order.
    pub digest: TraceHash,
    /// How many events were handled.
    pub events: u64,
    /// In how many runs an invariant did not hold: also those that are not listed.
    pub found: u64,
    /// What did not hold first in each such run, in their order: the first twenty.
    pub listed: Vec<Found>,
    /// The rare things that were seen, on each stage.
    pub marks: Vec<(Stage, Marks)>,
    /// How many runs were made.
    pub runs: u64,
    /// How much time went by in all runs together.
    pub simulated: Duration,
}

/// A run in which an invariant did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What did not hold.
    pub breach: Breach,
    /// Of which seed.
    pub seed: u64,
    /// With which lock, on which tier.
    pub stage: Stage,
}

/// What one run comes to.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) breach: Option<Breach>,
    events: u64,
    hash: TraceHash,
    marks: Marks,
    simulated: Duration,
}

impl Run {
    pub(super) fn new(plan: &Plan, outcome: &Outcome) -> Self {
        Self {
            breach: outcome.jury.breaches().first().cloned(),
            events: outcome.events,
            hash: outcome.hash,
            marks: outcome.jury.marks(),
            simulated: plan.end.into(),
        }
    }
}

impl Report {
    /// Nothing yet, of these stages.
    pub(super) fn new(stages: impl Iterator<Item = Stage>) -> Self {
        Self {
            digest: TraceHash::EMPTY,
            events: 0,
            found: 0,
            listed: Vec::new(),
            marks: stages.map(|stage| (stage, Marks::NONE)).collect(),
            runs: 0,
            simulated: Duration::ZERO,
        }
    }

    /// Takes in the next run. Says what is listed of it.
    pub(super) fn add(&mut self, seed: u64, stage: Stage, run: Run) -> Option<&Found> {
        self.digest.write_u64(run.hash.value());
        self.events += run.events;
        self.runs += 1;
        self.simulated += run.simulated;
        for (known, marks) in &mut self.marks {
            if *known == stage {
                *marks = marks.union(run.marks);
            }
        }
        let breach = run.breach?;
        self.found += 1;
        if self.listed.len() == LISTED_MOST {
            return None;
        }
        self.listed.push(Found {
            breach,
            seed,
            stage,
        });
        self.listed.last()
    }

    /// The rare things that a campaign has to have seen on each stage, and that this one has not. Where there are some, it proves
    /// little.
    pub fn missing_marks(&self) -> Vec<(Stage, Marks)> {
        let missing = |(stage, seen): &(Stage, Marks)| {
            let missing = Marks::expected(stage.backend, stage.tier).missing(*seen);
            (!missing.is_empty()).then_some((*stage, missing))
        };
        self.marks.iter().filter_map(missing).collect()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            breach,
            seed,
            stage,
        } = self;
        write!(f, "seed {seed}, {stage}: {breach}")
    }
}
