use std::time::Duration;

use tenure::backend::Proof;
use tenure::timing::TimingBuilder;
use tenure::{LockBackend, Timing, TimingError};

/// Sessions are tried up to a day.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// The session that a store has granted, and what an election on it is timed by where nothing is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    gap: Duration,
    pub(super) session: Duration,
    timing: Timing,
}

impl Granted {
    /// Nothing where the store does not count how long a session lasts.
    pub(super) fn by(lock: &dyn LockBackend) -> Option<Self> {
        Some(Self {
            gap: match lock.description().proof {
                Proof::Itself => Duration::ZERO,
                Proof::Later { gap } => gap,
            },
            session: lock.session_timeout()?,
            timing: lock.timing(),
        })
    }

    /// Its timing, to be changed. The rest of the numbers follows from those.
    pub(super) fn timing(&self) -> TimingBuilder {
        Timing::builder()
            .lease_duration(self.timing.lease_duration())
            .clock_drift_ppm(self.timing.clock_drift_ppm())
            .renew_interval(self.timing.renew_interval())
            .request_timeout(self.timing.request_timeout())
            .stop_timeout(self.timing.stop_timeout())
    }

    /// Whether the session lasts as long as a lease that was asked for.
    pub(super) fn check_lease(&self, lease: Duration) -> Result<(), TimingError> {
        let timing = Timing::builder().lease_duration(lease).build()?;
        timing.check_session_timeout(self.session)
    }

    /// Whether an election on it can have this timing.
    pub(super) fn check(&self, timing: Timing) -> Result<Timing, TimingError> {
        timing.check_proof(self.gap)?;
        Ok(timing)
    }

    /// The shortest session, in whole milliseconds, that has a timing by `timing`; nothing where none has.
    pub(super) fn shortest(
        self,
        timing: impl Fn(Self) -> Result<Timing, TimingError>,
    ) -> Option<Duration> {
        let has_timing = |ms: u64| {
            let granted = self.lasting(Duration::from_millis(ms));
            granted.is_some_and(|granted| timing(granted).is_ok())
        };
        if !has_timing(LONGEST_MS) {
            return None;
        }
        let (mut too_short, mut enough) = (0, LONGEST_MS);
        while enough - too_short > 1 {
            let middle = too_short.midpoint(enough);
            if has_timing(middle) {
                enough = middle;
            } else {
                too_short = middle;
            }
        }
        Some(Duration::from_millis(enough))
    }

    /// The same for a session of another length. A longer one needs heartbeats so much further apart, or less.
    fn lasting(self, session: Duration) -> Option<Self> {
        let scaled = |span: Duration| {
            let nanos = span.as_nanos() * session.as_nanos() / self.session.as_nanos().max(1);
            Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        };
        let timing = self
            .timing()
            .lease_duration(session)
            .renew_interval(scaled(self.timing.renew_interval()))
            .request_timeout(scaled(self.timing.request_timeout()))
            .stop_timeout(scaled(self.timing.stop_timeout()));
        Some(Self {
            gap: scaled(self.gap),
            session,
            timing: timing.build().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Such as servers of ZooKeeper grant.
    fn granted() -> Granted {
        let timing = Timing::builder()
            .lease_duration(Duration::from_secs(4))
            .clock_drift_ppm(100_000)
            .renew_interval(Duration::from_millis(1_381))
            .request_timeout(Duration::from_millis(216))
            .stop_timeout(Duration::from_millis(216));
        Granted {
            gap: Duration::from_millis(1_100),
            session: Duration::from_secs(4),
            timing: timing.build().unwrap(),
        }
    }

    #[test]
    fn the_shortest_session_that_has_a_timing_is_found() {
        let stop = |granted: Granted, stop: u64| {
            let timing = granted.timing().stop_timeout(Duration::from_millis(stop));
            granted.check(timing.build()?)
        };
        assert!(stop(granted(), 1_000).is_err());
        let shortest = granted().shortest(|granted| stop(granted, 1_000)).unwrap();
        assert!(shortest > Duration::from_secs(4));
        let on = |session| stop(granted().lasting(session).unwrap(), 1_000);
        assert!(on(shortest).is_ok());
        let shorter = shortest.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(on(shorter).is_err());
    }

    #[test]
    fn no_session_is_long_enough_for_clocks_that_run_too_differently() {
        let drifting = |granted: Granted| {
            let timing = granted.timing().clock_drift_ppm(400_000);
            granted.check(timing.build()?)
        };
        assert_eq!(granted().shortest(drifting), None);
    }

    #[test]
    fn a_lease_is_no_longer_than_the_session() {
        assert!(granted().check_lease(Duration::from_secs(4)).is_ok());
        let longer = granted().check_lease(Duration::from_secs(5)).unwrap_err();
        assert!(longer.to_string().contains("lower"), "{longer}");
    }
}
