//! What happened in runs, in numbers: how long nobody worked, how many requests it took, which fires ran. In bounded memory.

mod histogram;
mod observer;
#[cfg(test)]
mod tests;

pub use histogram::Histogram;
pub use observer::Observer;

use crate::plan::Span;
use crate::trace::Operation;

/// How many kinds of calls there are.
const OPERATIONS: [Operation; 9] = [
    Operation::Acquire,
    Operation::Enlist,
    Operation::Members,
    Operation::Observe,
    Operation::Release,
    Operation::Renew,
    Operation::Withdraw,
    Operation::Submit,
    Operation::Beat,
];

/// The figures of one or more runs.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Figures {
    /// How many runs.
    pub runs: u64,
    /// How long they lasted together, in nanoseconds.
    pub simulated_ns: u128,
    /// From the start of a run until work runs for the first time.
    pub first: Histogram,
    /// From when the last work ended without warning (a crash, a partition, a freeze) until other work begins.
    pub failovers: Histogram,
    /// From when the last work ended in a planned way (a deletion, a request) until other work begins.
    pub handovers: Histogram,
    /// How long no work ran since it ran first, in nanoseconds, whether or not it began again.
    pub vacant_ns: u128,
    /// How long more than one node had work running, in nanoseconds.
    pub overlap_ns: u128,
    /// How many leaderships there were.
    pub leaderships: u64,
    /// Fires of the cron job.
    pub fires: Fires,
    requests: [u64; OPERATIONS.len()],
}

/// What became of the fires of a cron job.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Fires {
    /// Begun, some of them again after a crash.
    pub begun: u64,
    /// Run to their end.
    pub ended: u64,
    /// Broken off.
    pub broken: u64,
    /// Missed, and reported so.
    pub missed: u64,
}

impl Figures {
    /// Adds those of other runs.
    pub fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        self.simulated_ns += other.simulated_ns;
        self.first.merge(&other.first);
        self.failovers.merge(&other.failovers);
        self.handovers.merge(&other.handovers);
        self.vacant_ns += other.vacant_ns;
        self.overlap_ns += other.overlap_ns;
        self.leaderships += other.leaderships;
        self.fires.begun += other.fires.begun;
        self.fires.ended += other.fires.ended;
        self.fires.broken += other.fires.broken;
        self.fires.missed += other.fires.missed;
        for (mine, theirs) in self.requests.iter_mut().zip(other.requests) {
            *mine += theirs;
        }
    }

    /// How many requests were sent of each kind that was.
    pub fn requests(&self) -> impl Iterator<Item = (Operation, u64)> + '_ {
        OPERATIONS
            .into_iter()
            .zip(self.requests)
            .filter(|(_, count)| *count > 0)
    }

    /// How many requests were sent.
    pub fn requests_total(&self) -> u64 {
        self.requests.iter().sum()
    }
}

/// A span for people, with three digits: `112 ms`, `4.80 s`, `2 m 05 s`.
pub fn human(span: Span) -> String {
    human_ns(span.nanos().into())
}

/// Nanoseconds for people: as [`human`], up to years.
pub fn human_ns(nanos: u128) -> String {
    const YEAR_S: u128 = 31_557_600;
    let ms = (nanos + 500_000) / 1_000_000;
    let (s, m) = (ms / 1_000, ms / 60_000);
    match () {
        () if nanos == 0 => "0 s".to_owned(),
        () if ms == 0 => format!("{} µs", nanos.div_ceil(1_000)),
        () if ms < 1_000 => format!("{ms} ms"),
        () if ms < 10_000 => format!("{s}.{:02} s", ms % 1_000 / 10),
        () if ms < 120_000 => format!("{s}.{} s", ms % 1_000 / 100),
        () if m < 120 => format!("{m} m {:02} s", s % 60),
        () if m < 48 * 60 => format!("{} h {:02} m", m / 60, m % 60),
        () if s < 2 * YEAR_S => format!("{} days", m / 60 / 24),
        () => format!("{}.{} years", s / YEAR_S, s % YEAR_S * 10 / YEAR_S),
    }
}
