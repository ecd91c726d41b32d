use std::time::Duration;

use crate::backend::{
    Acquired, Claim, Hint, Member, Note, Observation, Release, Released, Renewal, Renewed,
};
use crate::{Effect, ErrorKind, Reading, WallTime};

/// The moment of an input: all that the machine ever learns about time, and its only source of chance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Moment {
    /// A number of the caller's choice, evenly spread over all values: spreads polls. Decides nothing about safety.
    pub jitter: u32,
    /// Both clocks.
    pub reading: Reading,
    /// The wall clock, for records.
    pub wall: WallTime,
}

/// Which call of the backend an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OperationId(pub(super) u64);

impl OperationId {
    /// The call with this number: for who drives a candidate of another make by the same vocabulary.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// A call of the backend that the driver is to make: one attempt.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// [`LockBackend::acquire`](crate::LockBackend::acquire)
    Acquire(Claim),
    /// [`LockBackend::enlist`](crate::LockBackend::enlist)
    Enlist,
    /// [`LockBackend::members`](crate::LockBackend::members)
    Members,
    /// [`LockBackend::observe`](crate::LockBackend::observe)
    Observe,
    /// [`LockBackend::release`](crate::LockBackend::release)
    Release(Release),
    /// [`LockBackend::renew`](crate::LockBackend::renew)
    Renew(Renewal),
    /// [`LockBackend::withdraw`](crate::LockBackend::withdraw)
    Withdraw,
}

impl Operation {
    /// The operation's name, as errors and logs have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acquire(_) => "acquire",
            Self::Enlist => "enlist",
            Self::Members => "members",
            Self::Observe => "observe",
            Self::Release(_) => "release",
            Self::Renew(_) => "renew",
            Self::Withdraw => "withdraw",
        }
    }
}

/// A failed call, as far as decisions need it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Failure {
    /// Whether it may have happened all the same.
    pub effect: Effect,
    /// What kind of failure it was.
    pub kind: ErrorKind,
}

impl Failure {
    pub(super) fn timed_out() -> Self {
        Self {
            effect: Effect::Unknown,
            kind: ErrorKind::Timeout,
        }
    }
}

/// The answer to an [`Operation`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Of an acquisition.
    Acquired(Acquired),
    /// Of enlisting or withdrawing.
    Done,
    /// Of any operation.
    Failed(Failure),
    /// Of reading the members.
    Members(Vec<Member>),
    /// Of a read.
    Observed(Observation),
    /// Of a release.
    Released(Released),
    /// Of a renewal.
    Renewed(Renewed),
}

/// How the work came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WorkEnd {
    /// It panicked.
    Panicked,
    /// It returned, or was dropped after it had been told to stop.
    Returned,
}

/// Whether a candidate may try to lead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Eligibility {
    /// It tries.
    Eligible,
    /// It follows and never tries; a leader resigns.
    Ineligible,
}

/// What happened, for the machine to decide on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// A call of the backend was answered.
    Completed {
        /// Which call.
        operation: OperationId,
        /// The answer.
        outcome: Outcome,
    },
    /// The candidate is to let others go first for so long, if it does not lead.
    GiveWay(Duration),
    /// The backend gave a hint.
    Hinted(Hint),
    /// The leader is to resign; any other candidate may lead next.
    Resign,
    /// The candidate may or may not try from now on.
    SetEligibility(Eligibility),
    /// The candidate is to end: resign, release, withdraw.
    ShutDown,
    /// Time has passed. The machine looks at its timers.
    Tick,
    /// The watchdog has ended the leadership because nobody ran the machine.
    WatchdogFired,
    /// Nothing of the work runs any more.
    WorkEnded(WorkEnd),
    /// The leader wants this note in the lock.
    WriteNote(Note),
}
