use std::fmt;
use std::time::Duration;

/// A span of time in whole nanoseconds: 64 bits, 584 years, saturating.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(u64);

impl Nanos {
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of this many nanoseconds.
    pub const fn new(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// A span of this many milliseconds, at most [`Nanos::MAX`].
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// The number of nanoseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, at most [`Nanos::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least [`Nanos::ZERO`].
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Self::from_nanos(nanos.0)
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Duration::from(*self), f)
    }
}

/// What two clocks of one machine showed at one moment, each in nanoseconds since a point of its own.
///
/// `boottime` runs on in suspend but is slewed by time services (chrony: up to 8.3 %, its `maxslewrate`); `raw` is not slewed but
/// stops in suspend. Who must not be late takes the longer difference, who must not be early the shorter one. On Linux these are
/// `CLOCK_BOOTTIME` and `CLOCK_MONOTONIC_RAW` (clock_gettime(2)).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct Reading {
    /// The clock that counts suspended time.
    pub boottime: Nanos,
    /// The clock that nobody slews.
    pub raw: Nanos,
}

impl Reading {
    /// A reading of both clocks at the same value, as a test's clock shows.
    pub const fn both(nanos: Nanos) -> Self {
        Self {
            boottime: nanos,
            raw: nanos,
        }
    }

    /// The most time that may have passed since `earlier`: what a leader counts by.
    #[must_use]
    pub fn longest_since(self, earlier: Self) -> Nanos {
        self.boottime_since(earlier).max(self.raw_since(earlier))
    }

    /// The least time that has passed since `earlier`: what a follower counts by.
    #[must_use]
    pub fn shortest_since(self, earlier: Self) -> Nanos {
        self.boottime_since(earlier).min(self.raw_since(earlier))
    }

    /// What the clock that counts suspended time says has passed since `earlier`.
    #[must_use]
    pub fn boottime_since(self, earlier: Self) -> Nanos {
        self.boottime.saturating_sub(earlier.boottime)
    }

    /// What the clock that nobody slews says has passed since `earlier`.
    #[must_use]
    pub fn raw_since(self, earlier: Self) -> Nanos {
        self.raw.saturating_sub(earlier.raw)
    }

    /// Both clocks `span` later.
    #[must_use]
    pub fn plus(self, span: Nanos) -> Self {
        Self {
            boottime: self.boottime.saturating_add(span),
            raw: self.raw.saturating_add(span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_counts_the_longer_and_a_follower_the_shorter_time() {
        let before = Reading::both(Nanos::new(100));
        let suspended = Reading {
            boottime: Nanos::new(900),
            raw: Nanos::new(150),
        };
        assert_eq!(suspended.longest_since(before), Nanos::new(800));
        assert_eq!(suspended.shortest_since(before), Nanos::new(50));
    }

    #[test]
    fn a_reading_before_the_other_counts_as_no_time() {
        let early = Reading::both(Nanos::new(1));
        let late = Reading::both(Nanos::new(2));
        assert_eq!(early.longest_since(late), Nanos::ZERO);
    }
}
