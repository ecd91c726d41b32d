use crate::TrueTime;

const MILLION: u64 = 1_000_000;

/// A counter of nanoseconds that runs at its own rate: a straight line over true time between two changes, in whole numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Counter {
    /// What it showed at the last change.
    base: u64,
    /// How many millionths faster than true time it runs; nothing while it stands still.
    rate_ppm: Option<i64>,
    /// When the last change was.
    since: TrueTime,
}

impl Counter {
    /// A counter that shows `base` at the start and runs `rate_ppm` millionths faster than true time.
    ///
    /// # Panics
    /// When it would stand still or run backwards.
    pub fn new(base: u64, rate_ppm: i64) -> Self {
        assert!(rate_ppm > -1_000_000, "a clock does not run backwards");
        Self {
            base,
            rate_ppm: Some(rate_ppm),
            since: TrueTime::START,
        }
    }

    /// What it shows at `now`, which is not before the last change.
    pub fn at(&self, now: TrueTime) -> u64 {
        let Some(rate_ppm) = self.rate_ppm else {
            return self.base;
        };
        assert!(now >= self.since, "a clock is read after its last change");
        let passed = now.nanos() - self.since.nanos();
        self.base
            .saturating_add(counted(passed, per_million(rate_ppm)))
    }

    /// The first moment at which it shows at least `target`, if it goes on as it does; never while it stands still.
    pub fn when(&self, target: u64) -> Option<TrueTime> {
        let missing = target.saturating_sub(self.base);
        if missing == 0 {
            return Some(self.since);
        }
        let passed = passed(missing, per_million(self.rate_ppm?));
        let at = self.since.nanos().saturating_add(passed);
        Some(TrueTime::from_nanos(at))
    }

    /// From `now` on it runs at another rate; nothing stops it.
    ///
    /// # Panics
    /// When it would run backwards.
    pub fn change(&mut self, now: TrueTime, rate_ppm: Option<i64>) {
        assert!(
            rate_ppm.is_none_or(|rate| rate > -1_000_000),
            "a clock does not run backwards"
        );
        *self = Self {
            base: self.at(now),
            rate_ppm,
            since: now,
        };
    }
}

/// How much is counted in a million, by a clock that is so many millionths fast.
fn per_million(rate_ppm: i64) -> u64 {
    MILLION.saturating_add_signed(rate_ppm)
}

/// What a clock counts that counts so much in a million: rounded down. In two steps, since the product does not fit 64 bits.
pub(crate) fn counted(passed: u64, per_million: u64) -> u64 {
    let millions = (passed / MILLION).saturating_mul(per_million);
    millions.saturating_add(passed % MILLION * per_million / MILLION)
}

/// How much has passed when a clock has counted so much that counts so much in a million: rounded up.
pub(crate) fn passed(counted: u64, per_million: u64) -> u64 {
    let millions = (counted / per_million).saturating_mul(MILLION);
    millions.saturating_add((counted % per_million * MILLION).div_ceil(per_million))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_counts_at_its_rate_and_not_while_it_stands() {
        let at = |seconds| TrueTime::from_nanos(seconds * SECOND);
        let mut counter = Counter::new(500, 10_000);
        assert_eq!(counter.at(at(100)), 101 * SECOND + 500);
        counter.change(at(100), None);
        assert_eq!(counter.at(at(200)), 101 * SECOND + 500);
        assert_eq!(counter.when(102 * SECOND), None);
        counter.change(at(200), Some(-10_000));
        assert_eq!(counter.at(at(300)), 200 * SECOND + 500);
    }

    #[test]
    fn when_is_the_first_moment_that_shows_the_target() {
        let mut stream = Stream::new(1, 0, Purpose::Clock);
        for _ in 0..10_000 {
            let counter = Counter::new(stream.below(SECOND), stream.around_zero(150_000));
            let target = SECOND + stream.below(20 * SECOND);
            let when = counter.when(target).unwrap();
            let before = TrueTime::from_nanos(when.nanos() - 1);
            assert!(counter.at(when) >= target && counter.at(before) < target);
        }
    }

    #[test]
    fn it_never_goes_backwards_over_changes() {
        let mut stream = Stream::new(2, 0, Purpose::Clock);
        let mut counter = Counter::new(0, 0);
        let (mut now, mut last) = (0, 0);
        for _ in 0..10_000 {
            now += stream.below(1000);
            let shown = counter.at(TrueTime::from_nanos(now));
            assert!(shown >= last);
            last = shown;
            let rate = stream.around_zero(150_000);
            counter.change(
                TrueTime::from_nanos(now),
                stream.happens(800).then_some(rate),
            );
        }
    }
}
