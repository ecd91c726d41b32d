use crate::{Nanos, Reading};

/// A wait that began at a reading. Who counts decides which of the clocks says that it is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Timer {
    since: Reading,
    span: Nanos,
}

impl Timer {
    pub(super) fn new(since: Reading, span: Nanos) -> Self {
        Self { since, span }
    }

    #[cfg(feature = "testing")]
    pub(super) fn since(&self) -> Reading {
        self.since
    }

    #[cfg(feature = "testing")]
    pub(super) fn span(&self) -> Nanos {
        self.span
    }

    /// What is left by the clock that shows more: for what must not be late.
    pub(super) fn left_at_most(&self, now: Reading) -> Nanos {
        self.span.saturating_sub(now.longest_since(self.since))
    }

    /// What is left by the clock that shows less: for what must not be early.
    pub(super) fn left_at_least(&self, now: Reading) -> Nanos {
        self.span.saturating_sub(now.shortest_since(self.since))
    }

    /// Over, for what must not be late.
    pub(super) fn due(&self, now: Reading) -> bool {
        self.left_at_most(now) == Nanos::ZERO
    }

    /// Over, for what must not be early.
    pub(super) fn surely_over(&self, now: Reading) -> bool {
        self.left_at_least(now) == Nanos::ZERO
    }
}

/// Below this a wake-up is not cut to 90 %: what a slewed timer can be late by is then below its own granularity.
const EARLY_WAKE_MIN: Nanos = Nanos::from_millis(1);

/// When to wake for something that must not be late: early, since no kernel timer runs on the clock that nobody slews.
///
/// Who is woken looks at the clocks again and waits for the rest.
pub(super) fn early(left: Nanos) -> Nanos {
    if left <= EARLY_WAKE_MIN {
        left
    } else {
        Nanos::new(left.get() - left.get() / 10)
    }
}

/// `span` scaled by `jitter` to between a half and the whole.
pub(super) fn jittered(span: Nanos, jitter: u32) -> Nanos {
    let half = span.get() / 2;
    let part = (u128::from(half) * u128::from(jitter)) >> u32::BITS;
    Nanos::new(half + u64::try_from(part).unwrap_or(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_late_is_woken_early_until_the_last_millisecond() {
        assert_eq!(early(Nanos::from_millis(1000)), Nanos::from_millis(900));
        assert_eq!(early(Nanos::new(900_000)), Nanos::new(900_000));
    }

    #[test]
    fn jitter_spreads_over_the_upper_half() {
        let span = Nanos::from_millis(1000);
        assert_eq!(jittered(span, 0), Nanos::from_millis(500));
        assert!(jittered(span, u32::MAX) < span);
        assert!(jittered(span, u32::MAX) > Nanos::from_millis(999));
    }
}
