use std::fmt;
use std::time::Duration;

use crate::invariants::{Breach, Marks};
use crate::plan::Backend;
use crate::run::Tier;
use crate::trace::TraceHash;

/// What a campaign has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How many times an invariant did not hold: also those that are not told one by one.
    pub breach_count: u64,
    /// What did not hold, in the order of the seeds: the first hundred.
    pub breaches: Vec<Found>,
    /// The hash over all runs, in the order of the seeds.
    pub digest: TraceHash,
    /// How many events were handled.
    pub events: u64,
    /// The rare things that were seen, on each lock and tier.
    pub marks: Vec<((Backend, Tier), Marks)>,
    /// How many runs were made.
    pub runs: u64,
    /// How many seeds were run, on all locks and tiers.
    pub seeds: u64,
    /// How much time went by in all runs together.
    pub simulated: Duration,
}

/// A run in which an invariant did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// On which lock.
    pub backend: Backend,
    /// What did not hold.
    pub breach: Breach,
    /// Of which seed.
    pub seed: u64,
    /// On which tier.
    pub tier: Tier,
}

impl Report {
    /// Nothing yet.
    pub(super) const EMPTY: Self = Self {
        breach_count: 0,
        breaches: Vec::new(),
        digest: TraceHash::EMPTY,
        events: 0,
        marks: Vec::new(),
        runs: 0,
        seeds: 0,
        simulated: Duration::ZERO,
    };

    /// The rare things that a campaign has to have seen on each lock and tier, and that this one has not. Where there are some, it
    /// proves little.
    pub fn missing_marks(&self) -> Vec<((Backend, Tier), Marks)> {
        let missing = |((backend, tier), seen): &((Backend, Tier), Marks)| {
            let missing = Marks::expected(*backend, *tier).missing(*seen);
            (!missing.is_empty()).then_some(((*backend, *tier), missing))
        };
        self.marks.iter().filter_map(missing).collect()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            backend,
            breach,
            seed,
            tier,
        } = self;
        let tier = tier.name();
        write!(f, "seed {seed}, {}, {tier}: {breach}", backend.name())
    }
}
