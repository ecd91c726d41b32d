use std::time::Duration;

use super::drift::Drift;
use super::{Guarantees, TimingBuilder, TimingError};
use crate::Nanos;
use crate::backend::LockKind;

/// The largest clock drift that can be asked for: 50 %.
pub const CLOCK_DRIFT_PPM_MAX: u32 = 500_000;
/// The longest that any duration of a timing may be: 365 days.
pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The shortest that any duration of a timing may be: a millisecond, which is about what timers resolve.
pub const DURATION_MIN: Duration = Duration::from_millis(1);

/// The durations that an election runs by. One that exists is consistent.
///
/// Candidates of one election may have different timings: a follower waits the longer of its own lease duration and the one that
/// the record names. Their clock drift should be the same, the largest that any of them may have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Timing {
    pub(super) drain_timeout: Nanos,
    pub(super) drift: Drift,
    pub(super) kill_allowance: Nanos,
    pub(super) lease_duration: Nanos,
    pub(super) renew_interval: Nanos,
    pub(super) request_timeout: Nanos,
    pub(super) retry_interval: Nanos,
    pub(super) stop_timeout: Nanos,
}

impl Timing {
    /// Lease 15 s, renewal every 5 s, stop timeout 2 s: what most services want.
    pub fn standard() -> Self {
        Self::preset(15_000, 5_000, 2_500, 2_000)
    }

    /// Lease 6 s, renewal every 2 s, stop timeout 1 s: quicker after a crash, for three times the requests.
    pub fn fast() -> Self {
        Self::preset(6_000, 2_000, 750, 1_000)
    }

    /// Lease 60 s, renewal every 20 s, stop timeout 5 s: few requests, slow after a crash.
    pub fn frugal() -> Self {
        Self::preset(60_000, 20_000, 5_000, 5_000)
    }

    fn preset(lease_ms: u64, renew_ms: u64, request_ms: u64, stop_ms: u64) -> Self {
        TimingBuilder::new()
            .lease_duration(Duration::from_millis(lease_ms))
            .renew_interval(Duration::from_millis(renew_ms))
            .request_timeout(Duration::from_millis(request_ms))
            .stop_timeout(Duration::from_millis(stop_ms))
            .build()
            .expect("a test builds each preset")
    }

    /// Starts from [`Timing::standard`]. What is not set follows from what is.
    pub fn builder() -> TimingBuilder {
        TimingBuilder::new()
    }

    /// A builder with every number set to this timing's.
    pub fn to_builder(self) -> TimingBuilder {
        TimingBuilder::new()
            .lease_duration(self.lease_duration())
            .renew_interval(self.renew_interval())
            .request_timeout(self.request_timeout())
            .clock_drift_ppm(self.clock_drift_ppm())
            .stop_timeout(self.stop_timeout())
            .kill_allowance(self.kill_allowance())
            .drain_timeout(self.drain_timeout())
            .retry_interval(self.retry_interval())
    }

    /// L: how long a record stays valid after the write that made it.
    pub fn lease_duration(&self) -> Duration {
        self.lease_duration.into()
    }

    /// R: how often the leader renews, counted from one sending to the next.
    pub fn renew_interval(&self) -> Duration {
        self.renew_interval.into()
    }

    /// How long one request to the store may take before it is given up and its outcome is unknown.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout.into()
    }

    /// ρ: how much faster or slower than true time any clock may run, in parts per million.
    pub fn clock_drift_ppm(&self) -> u32 {
        self.drift.ppm()
    }

    /// σ: how long the work may take from being told that validity is lost until nothing of it runs, its killing included.
    pub fn stop_timeout(&self) -> Duration {
        self.stop_timeout.into()
    }

    /// The part of σ that is kept for ending what did not stop by itself.
    pub fn kill_allowance(&self) -> Duration {
        self.kill_allowance.into()
    }

    /// How long the work may take to finish in a planned stop, during which renewals go on.
    pub fn drain_timeout(&self) -> Duration {
        self.drain_timeout.into()
    }

    /// How long to wait before a request that failed or was refused is made again.
    pub fn retry_interval(&self) -> Duration {
        self.retry_interval.into()
    }

    /// D: until when, after the sending of the last confirmed write, work runs before it is told to stop. Rounded down.
    pub fn validity(&self) -> Nanos {
        let usable = self.drift.shrink_twice(self.lease_duration);
        usable.saturating_sub(self.stop_timeout)
    }

    /// How long after D the work has before it is aborted or killed: σ less the kill allowance. All is gone by D + σ.
    pub fn grace(&self) -> Duration {
        self.stop_timeout.saturating_sub(self.kill_allowance).into()
    }

    /// When jeopardy begins, after the sending of the last confirmed write: the next renewal was sent and has timed out.
    pub fn jeopardy_after(&self) -> Nanos {
        self.renew_interval.saturating_add(self.request_timeout)
    }

    /// How long a follower waits, from the receipt of what showed a hold, before it may take over: its own lease duration or the
    /// record's, whichever is longer.
    ///
    /// A record that says no duration counts as one of the follower's own. A record's duration has been rounded up by the backend
    /// that read it; one that cannot be counted waits for ever.
    pub fn takeover_after(&self, record_duration: Option<Duration>) -> Nanos {
        record_duration.map_or(self.lease_duration, |duration| {
            self.lease_duration.max(Nanos::from(duration))
        })
    }

    /// How long to count by one's own clock until `span` has surely passed by somebody else's: the one may run fast by ρ, and the other
    /// slow.
    pub fn surely_elsewhere(&self, span: Duration) -> Nanos {
        self.drift.grow_twice(span.into())
    }

    /// Checks what a session lock needs on top, where a renewal is proven only by the next one: D > 2R + request timeout.
    ///
    /// # Errors
    /// When it does not hold, with the number to change.
    pub fn check_session(&self) -> Result<(), TimingError> {
        super::builder::check_session(self)
    }

    /// Checks what a session lock needs on top, where a renewal is proven by another one that was sent `gap` later or more, by the store's
    /// clock: two of them, and a request, have to fit into D.
    ///
    /// # Errors
    /// When they do not, with the number to change.
    pub fn check_proof(&self, gap: Duration) -> Result<(), TimingError> {
        super::builder::check_proof(self, self.surely_elsewhere(gap))
    }

    /// Checks that a store which ends a session after `session` without a sign of life does not end it before this timing expects.
    ///
    /// # Errors
    /// When the lease duration is longer than that.
    pub fn check_session_timeout(&self, session: Duration) -> Result<(), TimingError> {
        super::builder::check_session_timeout(self, session)
    }

    /// What follows from this timing for a lock of this kind.
    pub fn guarantees(&self, lock: LockKind) -> Guarantees {
        Guarantees::of(self, lock)
    }
}
