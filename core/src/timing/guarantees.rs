use std::fmt;
use std::time::Duration;

use super::Timing;
use super::drift::Drift;
use crate::Nanos;
use crate::backend::LockKind;

/// What follows from a [`Timing`], in whole milliseconds, each rounded to the safe side. [`fmt::Display`] shows it as a table.
///
/// The failovers are the worst there are while the store answers, for a follower that no hint reaches: it looks again after one and a
/// half renew intervals at the latest. Add the store's own round trips, a few in number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Guarantees {
    /// When work that was not told to stop by anything else has been aborted or killed, after the sending of the last confirmed
    /// write: D plus the grace.
    pub abort_after: Duration,
    /// How much faster or slower than true time any candidate's clock may run, in parts per million.
    pub clock_drift_ppm: u32,
    /// How far apart the candidates' clocks may be. Nothing: there is no limit.
    pub clock_offset_limit: Option<Duration>,
    /// From the crash of the leader until another leads, at the longest. A session lock is freed
    /// by its store, which this takes to see the crash at once, as a kernel does; a store that waits for a session to expire adds
    /// that session's time-out.
    pub crash_failover: Duration,
    /// D: when work is told to stop, after the sending of the last confirmed write.
    pub deadline: Duration,
    /// From a planned stop of the leader until another leads, at the longest: with work that uses up its drain timeout and its
    /// stop timeout.
    pub graceful_failover: Duration,
    /// From the moment that the leader hangs or is cut off until another leads, at the longest.
    pub hang_failover: Duration,
    /// When jeopardy begins, after the sending of the last confirmed write.
    pub jeopardy_after: Duration,
    /// The lease duration that all of this follows from.
    pub lease_duration: Duration,
    /// The kind of lock that this is about.
    pub lock: LockKind,
    /// How long the store may be out of reach, whenever that begins, without costing a leadership. Zero when any outage may. A
    /// store that is back has to answer within one request timeout. Where a renewal is proven only by the next one, it is one renew
    /// interval less.
    pub outage_survived: Duration,
    /// How long the store may be out of reach when that begins at the best moment. A longer outage always costs the leadership.
    pub outage_survived_at_best: Duration,
    /// Requests that one election costs in the steady state, per 1000 seconds: the leader's renewals. A follower that is told of
    /// changes normally costs none, one that has to poll up to twice as many as the leader.
    pub requests_per_1000_s: u64,
    /// When nothing of the work runs any more, after the sending of the last confirmed write: D plus σ.
    pub stopped_after: Duration,
    /// σ: how long the work has from being told to stop.
    pub stop_timeout: Duration,
}

impl Guarantees {
    pub(super) fn of(timing: &Timing, lock: LockKind) -> Self {
        let drift = timing.drift;
        let (lease, renew) = (timing.lease_duration, timing.renew_interval);
        let validity = timing.validity();
        // The last confirmed renewal may be one interval old; one request hangs as the outage ends, and another one follows.
        let unlucky = timing
            .jeopardy_after()
            .saturating_add(timing.retry_interval)
            .saturating_add(timing.request_timeout);
        let planned_stop = timing.drain_timeout.saturating_add(timing.stop_timeout);
        let noticed = renew.saturating_add(Nanos::new(renew.get().div_ceil(2)));
        let expiry = latest(drift, lease.saturating_add(noticed));
        Self {
            abort_after: earliest(validity.saturating_add(timing.grace().into())),
            clock_drift_ppm: drift.ppm(),
            clock_offset_limit: None,
            crash_failover: match lock {
                LockKind::Leased => expiry,
                LockKind::Session => latest(drift, noticed),
            },
            deadline: earliest(validity),
            graceful_failover: latest(drift, planned_stop.saturating_add(noticed)),
            hang_failover: expiry,
            jeopardy_after: earliest(timing.jeopardy_after()),
            lease_duration: timing.lease_duration(),
            lock,
            outage_survived: earliest(validity.saturating_sub(unlucky)),
            outage_survived_at_best: earliest(validity),
            requests_per_1000_s: 1_000_000_000_000u64.div_ceil(renew.get().max(1)),
            stopped_after: earliest(validity.saturating_add(timing.stop_timeout)),
            stop_timeout: timing.stop_timeout(),
        }
    }

    fn rows(&self) -> [(&'static str, String); 11] {
        let offset = match self.clock_offset_limit {
            Some(limit) => format!("{limit:?}"),
            None => "any".to_owned(),
        };
        [
            ("clock offset tolerated", offset),
            ("clock drift tolerated", percent(self.clock_drift_ppm)),
            (
                "outage of the store survived",
                format!(
                    "{:?} always, {:?} at best",
                    self.outage_survived, self.outage_survived_at_best
                ),
            ),
            ("jeopardy begins", after_send(self.jeopardy_after)),
            ("work is told to stop (D)", after_send(self.deadline)),
            ("work is aborted or killed", after_send(self.abort_after)),
            ("work has ended (D + σ)", after_send(self.stopped_after)),
            (
                "planned failover, worst",
                format!("{:?}", self.graceful_failover),
            ),
            (
                "crash failover, worst",
                format!("{:?}", self.crash_failover),
            ),
            (
                "hang or partition failover, worst",
                format!("{:?}", self.hang_failover),
            ),
            ("requests in steady state", self.rate()),
        ]
    }

    fn rate(&self) -> String {
        let (whole, rest) = (
            self.requests_per_1000_s / 1000,
            self.requests_per_1000_s % 1000,
        );
        let fraction = format!("{rest:03}");
        match fraction.trim_end_matches('0') {
            "" => format!("{whole} per second"),
            digits => format!("{whole}.{digits} per second"),
        }
    }
}

impl fmt::Display for Guarantees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or_default();
        for (name, value) in &rows {
            writeln!(f, "{name:width$}  {value}")?;
        }
        let (lease, stop, ppm) = (self.lease_duration, self.stop_timeout, self.clock_drift_ppm);
        writeln!(
            f,
            "bounded by D = L / (1+ρ)² - σ = {lease:?} / (1 + {ppm} ppm)² - {stop:?} = {:?}",
            self.deadline
        )?;
        write!(
            f,
            "      and R + request timeout = {:?} < D",
            self.jeopardy_after
        )
    }
}

fn after_send(duration: Duration) -> String {
    format!("{duration:?} after the last confirmed write was sent")
}

fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    let fraction = format!("{rest:04}");
    match fraction.trim_end_matches('0') {
        "" => format!("{whole} %"),
        digits => format!("{whole}.{digits} %"),
    }
}

/// What a leader may count on: rounded down to a millisecond.
fn earliest(span: Nanos) -> Duration {
    Duration::from_millis(span.get() / 1_000_000)
}

/// What may last as long as clocks that are slow by ρ make it: rounded up to a millisecond.
fn latest(drift: Drift, span: Nanos) -> Duration {
    Duration::from_millis(drift.grow(span).get().div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_timing_promises_these_numbers() {
        let shown = Timing::standard().guarantees(LockKind::Leased).to_string();
        let expected = "\
clock offset tolerated             any
clock drift tolerated              1 %
outage of the store survived       1.704s always, 12.704s at best
jeopardy begins                    7.5s after the last confirmed write was sent
work is told to stop (D)           12.704s after the last confirmed write was sent
work is aborted or killed          14.204s after the last confirmed write was sent
work has ended (D + σ)             14.704s after the last confirmed write was sent
planned failover, worst            39.895s
crash failover, worst              22.725s
hang or partition failover, worst  22.725s
requests in steady state           0.2 per second
bounded by D = L / (1+ρ)² - σ = 15s / (1 + 10000 ppm)² - 2s = 12.704s
      and R + request timeout = 7.5s < D";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_session_lock_is_free_as_soon_as_the_store_sees_the_crash() {
        let guarantees = Timing::standard().guarantees(LockKind::Session);
        assert_eq!(guarantees.crash_failover, Duration::from_millis(7_575));
        assert_eq!(guarantees.hang_failover, Duration::from_millis(22_725));
    }

    #[test]
    fn fractions_of_a_percent_and_of_a_request_are_shown() {
        assert_eq!(percent(500), "0.05 %");
        let timing = Timing::frugal().guarantees(LockKind::Leased);
        assert_eq!(timing.rate(), "0.05 per second");
    }
}
