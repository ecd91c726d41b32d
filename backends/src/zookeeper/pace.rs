//! How often a session gives signs of life, and what timing an election on it can have.

use std::time::Duration;

use tenure_core::backend::Standing;
use tenure_core::{Nanos, Reading, Timing, TimingError};

use super::config::Settings;

/// The pace of one session, which follows from the timeout that the servers granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pace {
    /// How long after the acknowledgement of a heartbeat the one must be sent that proves it, by this process's clock.
    pub(crate) gap: Nanos,
    /// From one heartbeat to the next.
    pub(crate) interval: Nanos,
    /// The same as the servers count it.
    pub(crate) passed_on: Duration,
    /// How long to wait before a request that failed is made again.
    pub(crate) retry: Duration,
    /// What an election is timed by where nothing is set.
    pub(crate) timing: Timing,
    /// The timeout that the servers granted.
    pub(crate) session_timeout: Duration,
}

/// What the pace depends on besides the session's timeout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Allowances {
    pub(crate) clock_drift_ppm: u32,
    /// How much later than at its time a server's ping may be.
    pub(crate) jitter: Duration,
    /// The servers' tick, where it is known. No session is shorter than two ticks unless the servers are told to allow it.
    pub(crate) tick_time: Option<Duration>,
}

impl Allowances {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            clock_drift_ppm: settings.clock_drift_ppm,
            jitter: settings.jitter,
            tick_time: settings.tick_time,
        }
    }
}

/// What a proof is sent later than it must be, in parts of the session timeout: time for the answer to the one before.
const SLACK: u64 = 80;

impl Pace {
    /// # Errors
    /// When no timing fits: the session is too short for the drift and the jitter.
    pub(crate) fn of(session_timeout: Duration, with: Allowances) -> Result<Self, TimingError> {
        let whole = Nanos::from(session_timeout);
        let tick = with.tick_time.unwrap_or_default();
        // A server passes on who was there with every ping of its leader, every half tick; a session is at least two ticks.
        let passed_on = (session_timeout / 4)
            .max(tick / 2)
            .saturating_add(with.jitter);
        let asked = Timing::builder()
            .lease_duration(session_timeout)
            .clock_drift_ppm(with.clock_drift_ppm);
        // With least numbers for what follows, to count by its clocks.
        let least = asked
            .stop_timeout(Duration::from_millis(2))
            .request_timeout(Duration::from_millis(1))
            .renew_interval(Duration::from_millis(1))
            .retry_interval(Duration::from_millis(1))
            .build()?;
        let gap = least.surely_elsewhere(passed_on);
        let slack = Nanos::new(whole.get() / SLACK);
        let interval = Nanos::new(whole.get() / 3).max(gap.saturating_add(slack));
        let usable = least.validity();
        let left = usable.saturating_sub(Nanos::new(interval.get().saturating_mul(2)));
        // Two fifths for the work to stop, two for an answer, and one to spare.
        let part = Duration::from(Nanos::new(left.get() / 5 * 2));
        let part = part.max(Duration::from_millis(2));
        let timing = asked
            .renew_interval(interval.into())
            .request_timeout(part)
            .stop_timeout(part)
            .build()?;
        timing.check_session()?;
        Ok(Self {
            gap,
            interval,
            passed_on,
            retry: timing.retry_interval(),
            timing,
            session_timeout,
        })
    }

    /// How long after `now` the next heartbeat is due, when the newest one was sent at `sent`: not before it would prove the last one that
    /// was acknowledged, where that was late.
    pub(crate) fn due_in(&self, sent: Reading, acknowledged: Reading, now: Reading) -> Nanos {
        let regular = self.interval.saturating_sub(now.longest_since(sent));
        if self.has_slept_since(acknowledged, now) {
            return regular;
        }
        let passed = now.shortest_since(acknowledged);
        regular.max(self.gap.saturating_sub(passed))
    }

    /// Whether the machine was suspended since so long that clocks which are slewed do not explain it. By the clock that stops meanwhile it
    /// takes as long again to prove what was acknowledged before: a new heartbeat is sooner proven.
    fn has_slept_since(&self, acknowledged: Reading, now: Reading) -> bool {
        let apart = Nanos::new(self.gap.get() / 4 * 5).max(self.interval);
        now.shortest_since(acknowledged) < self.gap && now.longest_since(acknowledged) >= apart
    }

    /// Whether a leadership that begins `now` goes on, if nothing goes wrong: what is proven counts until the next proof comes, and what
    /// that proves until the one after it. The next heartbeat is sent at `beat`, or is on its way since then.
    ///
    /// It proves the newest one, unless that is proven already or was acknowledged too short a time before: then it takes one more.
    pub(crate) fn is_followed_by_proof(
        &self,
        standing: Standing,
        now: Reading,
        beat: Reading,
    ) -> bool {
        let Standing {
            acknowledged,
            proven,
            sent,
        } = standing;
        let ahead = sent.longest_since(proven);
        let next = beat.longest_since(proven).max(now.longest_since(proven));
        let after_next = next.saturating_add(self.interval);
        let answered = Nanos::from(self.timing.request_timeout());
        let in_time = |beat: Nanos, counted_from: Nanos| {
            let ends = counted_from.saturating_add(self.timing.validity());
            beat.saturating_add(answered) <= ends
        };
        if ahead > Nanos::ZERO && beat.shortest_since(acknowledged) >= self.gap {
            in_time(next, Nanos::ZERO) && in_time(after_next, ahead)
        } else {
            in_time(after_next, Nanos::ZERO)
        }
    }
}

/// Sessions are tried up to a day.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// The shortest session timeout that has a timing, in whole milliseconds; nothing where none has, as with too large a drift.
pub(crate) fn shortest_session(with: Allowances) -> Option<Duration> {
    let has_timing = |ms: u64| Pace::of(Duration::from_millis(ms), with).is_ok();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ppm: u32) -> Allowances {
        Allowances {
            clock_drift_ppm: ppm,
            jitter: Duration::from_millis(100),
            tick_time: None,
        }
    }

    #[test]
    fn usual_sessions_have_a_timing_and_heartbeats_that_prove_each_other() {
        for seconds in [4, 6, 10, 15, 30, 40, 60] {
            let pace = Pace::of(Duration::from_secs(seconds), with(100_000)).unwrap();
            assert!(pace.gap < pace.interval, "{pace:?}");
            assert!(pace.interval.get() * 2 < pace.timing.validity().get());
            assert_eq!(pace.timing.lease_duration(), pace.session_timeout);
            let quarter = Nanos::from(pace.session_timeout / 4);
            assert!(pace.gap > quarter, "the servers' clocks may be slow");
        }
    }

    #[test]
    fn a_session_that_is_too_short_is_refused_with_what_to_change() {
        let short = Pace::of(Duration::from_millis(900), with(100_000)).unwrap_err();
        assert!(
            short.to_string().contains("raise lease_duration"),
            "{short}"
        );
        assert!(Pace::of(Duration::from_secs(4), with(300_000)).is_err());
    }

    #[test]
    fn the_shortest_session_has_a_timing_and_one_that_is_a_millisecond_shorter_has_none() {
        let tick = Allowances {
            tick_time: Some(Duration::from_secs(10)),
            ..with(100_000)
        };
        for with in [with(0), with(100_000), tick] {
            let shortest = shortest_session(with).unwrap();
            assert!(Pace::of(shortest, with).is_ok(), "{shortest:?}");
            let shorter = shortest.checked_sub(Duration::from_millis(1)).unwrap();
            assert!(Pace::of(shorter, with).is_err(), "{shortest:?}");
        }
        assert_eq!(shortest_session(with(300_000)), None, "no session helps");
    }

    #[test]
    fn a_tick_that_is_longer_than_half_a_session_counts() {
        let tick = Allowances {
            tick_time: Some(Duration::from_secs(6)),
            ..with(0)
        };
        let pace = Pace::of(Duration::from_secs(10), tick).unwrap();
        assert!(pace.gap >= Nanos::from_millis(3_100));
    }

    #[test]
    fn a_leadership_begins_only_if_the_next_proof_comes_before_its_end() {
        let pace = Pace::of(Duration::from_secs(6), with(10_000)).unwrap();
        let at = |millis| Reading::both(Nanos::from_millis(millis));
        let standing = |proven, sent, acknowledged| Standing {
            acknowledged: at(acknowledged),
            proven: at(proven),
            sent: at(sent),
        };
        let begins = |proven, sent, acknowledged, now, beat| {
            let standing = standing(proven, sent, acknowledged);
            pace.is_followed_by_proof(standing, at(now), at(beat))
        };
        assert!(begins(10_000, 12_000, 12_010, 13_900, 14_000));
        // A new session, whose first heartbeat is on its way.
        assert!(begins(10_000, 10_000, 10_010, 10_030, 10_020));
        // One whose first heartbeat was answered late: the next one waits until it proves that.
        let late = at(10_200).plus(pace.gap);
        let standing_late = standing(10_000, 10_020, 10_200);
        assert!(pace.is_followed_by_proof(standing_late, at(10_210), late));
        // After an outage: the next heartbeat comes too soon to prove the one that was answered late.
        assert!(!begins(10_000, 12_000, 13_500, 13_510, 14_010));
        assert!(!begins(10_000, 13_500, 13_510, 13_510, 15_510));
        // What is on its way was sent too soon, however long it takes.
        assert!(!begins(10_000, 12_000, 12_010, 14_000, 13_000));
        // The newest is proven already, and the one after it is yet to be sent.
        assert!(!begins(10_000, 10_000, 10_010, 13_510, 14_010));
    }

    #[test]
    fn a_heartbeat_waits_until_it_proves_the_one_before_and_after_a_suspend_does_not() {
        let pace = Pace::of(Duration::from_secs(6), with(100_000)).unwrap();
        let at = |millis| Reading::both(Nanos::from_millis(millis));
        let (interval, gap) = (pace.interval, pace.gap);
        let (sent, quick, late) = (at(10_000), at(10_010), at(11_000));
        assert_eq!(pace.due_in(sent, quick, sent), interval);
        assert_eq!(pace.due_in(sent, quick, sent.plus(interval)), Nanos::ZERO);
        assert_eq!(pace.due_in(sent, late, late), gap);
        let suspended = |millis| Reading {
            boottime: quick.boottime.saturating_add(Nanos::from_millis(millis)),
            raw: quick.raw.saturating_add(Nanos::from_millis(10)),
        };
        assert_eq!(pace.due_in(sent, quick, suspended(3_000)), Nanos::ZERO);
        // What the slewing of a clock explains is no suspend.
        let slewed = Reading {
            boottime: quick.boottime.saturating_add(interval),
            raw: quick.raw.saturating_add(Nanos::new(gap.get() - 1)),
        };
        let explained = interval.get() < gap.get() / 4 * 5;
        assert_eq!(pace.due_in(sent, quick, slewed) > Nanos::ZERO, explained);
    }
}
