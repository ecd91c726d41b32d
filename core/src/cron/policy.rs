use std::num::NonZeroU8;
use std::time::Duration;

/// What becomes of fires that were never started: nobody led, or the leader could not start them in time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Missed {
    /// They are skipped.
    Skip,
    /// The last of them runs, late; the others are skipped.
    Last,
    /// They run one after another, the oldest first; of more than `at_most` the older ones are skipped.
    All {
        /// How many run at the most.
        at_most: NonZeroU8,
    },
}

/// What becomes of a fire that has a start in the ledger and no end: its leader crashed or was stopped while it ran.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fires {
    /// It is run again, until it has ended once.
    AtLeastOnce,
    /// It counts as run.
    AtMostOnce,
}

/// What becomes of a fire whose time comes while an earlier one of its job still runs or waits to be tried again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Overrun {
    /// The earlier one is told to stop, and the new one runs when it has stopped. Kubernetes CronJob: `Replace`.
    Cancel,
    /// The new one is skipped. Kubernetes CronJob: `Forbid`.
    Skip,
}

/// How a fire that failed is tried again: after `first`, then after twice as long each time, at most `longest`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Retries {
    /// How many tries follow the first one; nothing is tried again at 0.
    pub count: u8,
    /// How long after the first failure the next try comes.
    pub first: Duration,
    /// The longest wait between two tries.
    pub longest: Duration,
}

impl Retries {
    /// A failed fire is not tried again.
    pub const NONE: Self = Self::times(0);

    /// `count` more tries, after 1 s, 2 s, 4 s and so on up to 60 s.
    pub const fn times(count: u8) -> Self {
        Self {
            count,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        }
    }

    /// How long to wait after this many tries have failed.
    pub fn wait_after(&self, tries: u8) -> Duration {
        let doublings = u32::from(tries.saturating_sub(1)).min(31);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// What a job wants in the cases where wishes differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Policy {
    /// About a fire that was started and never ended.
    pub fires: Fires,
    /// About fires that were never started.
    pub missed: Missed,
    /// About a fire that comes while an earlier one runs.
    pub overrun: Overrun,
    /// About a fire that failed.
    pub retries: Retries,
    /// How late a fire may start and still be on time; later than that it is missed.
    pub start_within: Duration,
    /// How long a fire that was told to stop has until it is dropped.
    pub stop_within: Duration,
    /// How long a fire may run before it is told to stop and has failed; nothing for as long as the leadership lasts.
    pub timeout: Option<Duration>,
}

impl Policy {
    /// Prefers a lost fire to a double one, and today's to yesterday's: skip what was missed, run at most once, skip overruns, no
    /// retries, no time-out; a minute late is on time, ten seconds to stop.
    pub const fn cautious() -> Self {
        Self {
            fires: Fires::AtMostOnce,
            missed: Missed::Skip,
            overrun: Overrun::Skip,
            retries: Retries::NONE,
            start_within: Duration::from_secs(60),
            stop_within: Duration::from_secs(10),
            timeout: None,
        }
    }
}
