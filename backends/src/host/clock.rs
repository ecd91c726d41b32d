use std::time::Duration;

use tenure_core::time::Sleep;
use tenure_core::{Clock, Reading, WallTime};

/// The machine's own clocks, with tokio's timers for wake-ups.
///
/// | | Linux | elsewhere |
/// | --- | --- | --- |
/// | [`Reading::boottime`] | `CLOCK_BOOTTIME`: counts suspended time, slewed | the standard library's monotonic clock |
/// | [`Reading::raw`] | `CLOCK_MONOTONIC_RAW`: not slewed, stops in suspend | the same reading |
///
/// Outside Linux a suspended machine's time may go uncounted (macOS stops its monotonic clock in sleep), so the guarantees about
/// suspend hold on Linux only.
#[derive(Clone, Copy, Default, Debug)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock.
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Reading {
        readings::now()
    }

    fn wall(&self) -> WallTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is where the wall clock enters"
        )]
        let now = std::time::SystemTime::now();
        let since_epoch = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        WallTime::from_unix_micros(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX))
    }

    /// A wait on tokio's timers, which run on `CLOCK_MONOTONIC` and so may be slewed or late.
    ///
    /// # Panics
    /// Outside a tokio runtime with its timers enabled.
    fn sleep(&self, duration: Duration) -> Sleep {
        if duration.is_zero() {
            // A timer is up to a millisecond late, and an election begins with what is due at once.
            return Box::pin(std::future::ready(()));
        }
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let sleep = tokio::time::sleep(duration);
        Box::pin(sleep)
    }
}

#[cfg(target_os = "linux")]
mod readings {
    use rustix::time::{ClockId, clock_gettime};
    use tenure_core::{Nanos, Reading};

    pub(super) fn now() -> Reading {
        Reading {
            boottime: read(ClockId::Boottime),
            raw: read(ClockId::MonotonicRaw),
        }
    }

    fn read(clock: ClockId) -> Nanos {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
        Nanos::new(seconds.saturating_mul(1_000_000_000).saturating_add(rest))
    }
}

#[cfg(not(target_os = "linux"))]
mod readings {
    use std::sync::LazyLock;
    use std::time::Instant;

    use tenure_core::Reading;

    static START: LazyLock<Instant> = LazyLock::new(instant);

    pub(super) fn now() -> Reading {
        let start = *START;
        Reading::both(instant().saturating_duration_since(start).into())
    }

    fn instant() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current_thread() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    }

    #[test]
    fn neither_reading_goes_backwards() {
        let clock = SystemClock::new();
        let mut last = clock.now();
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now.boottime >= last.boottime && now.raw >= last.raw);
            last = now;
        }
    }

    #[test]
    fn a_sleep_lets_both_readings_move() {
        let clock = SystemClock::new();
        let before = clock.now();
        current_thread().block_on(async { clock.sleep(Duration::from_millis(5)).await });
        assert!(clock.now().shortest_since(before) > tenure_core::Nanos::ZERO);
    }

    #[test]
    fn the_wall_clock_is_past_the_year_2020() {
        assert!(SystemClock::new().wall() > WallTime::from_unix_seconds(1_577_836_800));
    }
}
