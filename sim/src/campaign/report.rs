use std::fmt;
use std::time::Duration;

use crate::invariants::Breach;
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
        runs: 0,
        seeds: 0,
        simulated: Duration::ZERO,
    };
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tier = match self.tier {
            Tier::Electors => "electors",
            Tier::Machines => "machines",
        };
        let Self {
            backend,
            breach,
            seed,
            ..
        } = self;
        write!(f, "seed {seed}, {}, {tier}: {breach}", backend.name())
    }
}
