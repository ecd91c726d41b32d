use tenure::time::{Nanos, Reading};

/// Until when a job may run: what was known when it was sent.
///
/// Time is counted as a leader counts it, by whichever clock says that more has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// What the clocks showed when the last confirmed renewal was sent, or later.
    pub from: Reading,
    /// How long after `from` the job may run before it is asked to stop.
    pub validity: Nanos,
    /// How long after that it is killed.
    pub grace: Nanos,
}

/// What a [`Deadline`] says at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The job may run; less than this is left.
    Run(Nanos),
    /// The job is to stop; it is killed after this.
    Stop(Nanos),
    /// The job is to be killed.
    Kill,
}

impl Deadline {
    /// What becomes of the job at `now`.
    pub fn verdict(&self, now: Reading) -> Verdict {
        let passed = now.longest_since(self.from);
        let kill = self.validity.saturating_add(self.grace);
        if passed >= kill {
            Verdict::Kill
        } else if passed >= self.validity {
            Verdict::Stop(kill.saturating_sub(passed))
        } else {
            Verdict::Run(self.validity.saturating_sub(passed))
        }
    }
}

/// When to look at the clocks again, with `remaining` time until something is due.
///
/// Timers run on a clock that may be slowed down by a twelfth, so all but the last moments are waited for in parts.
pub(super) fn wake_up(remaining: Nanos) -> Nanos {
    const LAST: Nanos = Nanos::from_millis(10);
    if remaining <= LAST {
        return remaining.max(Nanos::from_millis(1));
    }
    Nanos::new(remaining.get() / 10 * 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Deadline = Deadline {
        from: Reading::both(Nanos::from_millis(1_000)),
        validity: Nanos::from_millis(10_000),
        grace: Nanos::from_millis(2_000),
    };

    fn at(boottime_ms: u64, raw_ms: u64) -> Reading {
        Reading {
            boottime: Nanos::from_millis(boottime_ms),
            raw: Nanos::from_millis(raw_ms),
        }
    }

    #[test]
    fn the_job_is_asked_to_stop_at_the_deadline_and_killed_when_the_grace_is_over() {
        for (now, verdict) in [
            (at(1_000, 1_000), Verdict::Run(Nanos::from_millis(10_000))),
            (at(10_999, 10_999), Verdict::Run(Nanos::from_millis(1))),
            (at(11_000, 11_000), Verdict::Stop(Nanos::from_millis(2_000))),
            (at(12_999, 12_999), Verdict::Stop(Nanos::from_millis(1))),
            (at(13_000, 13_000), Verdict::Kill),
        ] {
            assert_eq!(DEADLINE.verdict(now), verdict);
        }
    }

    #[test]
    fn the_clock_that_says_more_has_passed_decides() {
        assert_eq!(DEADLINE.verdict(at(13_000, 1_100)), Verdict::Kill);
        assert_eq!(DEADLINE.verdict(at(1_100, 13_000)), Verdict::Kill);
    }

    #[test]
    fn wake_ups_come_early_even_on_a_timer_that_runs_slow_by_a_twelfth_and_end() {
        let mut remaining = 60_000_000_000;
        let mut count = 0;
        while remaining > 10_000_000 {
            let true_wait = wake_up(Nanos::new(remaining)).get() * 109 / 100;
            assert!(true_wait < remaining, "late by a slow timer");
            remaining -= true_wait;
            count += 1;
        }
        assert!(count < 10, "{count} wake-ups");
        assert_eq!(wake_up(Nanos::ZERO), Nanos::from_millis(1));
    }
}
