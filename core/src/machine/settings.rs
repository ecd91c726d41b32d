use std::time::Duration;

use crate::backend::{LockKind, Proof};
use crate::planted::Planted;
use crate::timing::Timing;
use crate::{CandidateId, Nanos};

/// What a missing or emptied lock means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OnMissing {
    /// It may be led at once. Gives up the claim that no deletion makes two leaders.
    AcquireAtOnce,
    /// A former leader may still believe: the lock is taken at once, but leadership starts only after the largest duration in use.
    Wait,
}

/// Whether a candidate reads who else is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Membership {
    /// Members are read at the start and whenever they change.
    Followed,
    /// Members are not read.
    Ignored,
}

/// What a machine is made with. Never changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Settings {
    /// Who the candidate is.
    pub candidate: CandidateId,
    /// How the lock ends without a release.
    pub kind: LockKind,
    /// Whether members are read.
    pub membership: Membership,
    /// What a missing or emptied lock means.
    pub on_missing: OnMissing,
    /// Which renewal proves that the holder is counted as alive.
    pub proof: Proof,
    /// The timing.
    pub timing: Timing,
}

impl Settings {
    pub(super) fn follows_members(&self) -> bool {
        self.membership == Membership::Followed
    }
}

/// The timing in nanoseconds, as the machine counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Spans {
    /// How long after the send of the newest proven write the work may run before it is told to stop: the one place of the deadline.
    pub(super) validity: Nanos,
    /// How long after the acknowledgement of a renewal another one proves it, where one does not prove itself.
    pub(super) gap: Option<Nanos>,
    /// When a renewal counts as late, from the same send.
    pub(super) jeopardy: Nanos,
    pub(super) lease: Nanos,
    pub(super) renew: Nanos,
    pub(super) request_timeout: Nanos,
    pub(super) retry: Nanos,
    pub(super) grace: Nanos,
    pub(super) stop: Nanos,
    pub(super) drain: Nanos,
    /// How long a hint-less wait may be while hints are told.
    pub(super) silence: Nanos,
    pub(super) release: Nanos,
    pub(super) planted: Planted,
}

impl Spans {
    pub(super) fn of(settings: &Settings) -> Self {
        let timing = &settings.timing;
        let renew = Nanos::from(timing.renew_interval());
        let request_timeout = Nanos::from(timing.request_timeout());
        let validity = timing.validity();
        // A renewal that needs another to be proven is late by that other one as well.
        let gap = match settings.proof {
            Proof::Itself => None,
            // The store counts it, by its own clock.
            Proof::Later { gap } => Some(timing.surely_elsewhere(gap)),
        };
        let echo = gap.map_or(Nanos::ZERO, |gap| renew.max(gap));
        Self {
            validity,
            gap,
            jeopardy: timing.jeopardy_after().saturating_add(echo).min(validity),
            lease: timing.lease_duration().into(),
            renew,
            request_timeout,
            retry: timing.retry_interval().into(),
            grace: timing.grace().into(),
            stop: timing.stop_timeout().into(),
            drain: timing.drain_timeout().into(),
            silence: renew.saturating_add(Nanos::new(renew.get() / 2)),
            release: Nanos::new(request_timeout.get().saturating_mul(RELEASE_TRIES)),
            planted: Planted::default(),
        }
    }
}

/// For how many request timeouts a release is tried. After that the record ages, or the session's end frees it.
const RELEASE_TRIES: u64 = 3;

/// How long a vacancy that nobody explains is waited out, given the largest duration known.
pub(super) fn probation(timing: &Timing, longest_lease: Option<Duration>) -> Nanos {
    timing.takeover_after(longest_lease)
}
