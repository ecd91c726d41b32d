//! What happens to a candidate, as values.

use std::fmt;
use std::time::Duration;

use crate::backend::{Holder, Member};
use crate::{ErrorKind, FencingToken};

/// Why a leadership ended, or was told to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// The deadline passed without a confirmed renewal.
    DeadlinePassed,
    /// The elector was dropped in mid-flight. The lock was not released: it ends with its session, or ages.
    Dropped,
    /// The candidate was made ineligible.
    Ineligible,
    /// The lock was deleted or emptied by somebody else.
    LockVanished,
    /// An operator paused the election through the lock.
    Paused,
    /// The candidate resigned: its own process, or an operator through the lock, asked for it.
    Resigned,
    /// The elector was told to shut down.
    ShutDown,
    /// Another holder was seen.
    Usurped {
        /// Who holds the lock now.
        by: Holder,
    },
    /// The runtime was blocked past the deadline, and the watchdog ended the leadership.
    Watchdog,
    /// The work ended by itself.
    WorkEnded,
    /// The work panicked.
    WorkPanicked,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeadlinePassed => "the deadline passed without a confirmed renewal",
            Self::Dropped => "the elector was dropped",
            Self::Ineligible => "the candidate was made ineligible",
            Self::LockVanished => "the lock was deleted, replaced or emptied by somebody else",
            Self::Paused => "an operator paused the election",
            Self::Resigned => "the leader was asked to resign",
            Self::ShutDown => "the candidate is shutting down",
            Self::Usurped { by } => return write!(f, "{by} holds the lock"),
            Self::Watchdog => "the runtime was blocked past the deadline",
            Self::WorkEnded => "the work ended by itself",
            Self::WorkPanicked => "the work panicked",
        })
    }
}

/// Why a candidate that could try does not lead yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum WaitReason {
    /// An operator has paused the election.
    Paused,
    /// The lock had vanished, was replaced or emptied: a former leader may still believe, and is waited out.
    UnexplainedVacancy,
}

/// Something that happened to one candidate of one election.
///
/// Of one leadership: `Started`, then `Draining` or `Stopping` or both or neither, then exactly one `Stopped`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Event {
    /// An operation of the backend failed; it will be tried again.
    BackendFailed {
        /// What kind of failure it was.
        kind: ErrorKind,
        /// Which operation failed.
        operation: &'static str,
    },
    /// The work was told to finish what it does and start nothing new; renewals go on.
    Draining {
        /// Why.
        reason: StopReason,
        /// The leadership's token.
        token: FencingToken,
    },
    /// A renewal is late, or the connection is lost; the deadline has not passed.
    JeopardyBegan {
        /// The leadership's token.
        token: FencingToken,
    },
    /// A renewal was confirmed again.
    JeopardyEnded {
        /// The leadership's token.
        token: FencingToken,
    },
    /// Another candidate, or nobody, holds the lock now.
    LeaderChanged {
        /// Who.
        leader: Option<Holder>,
    },
    /// The members are these now.
    MembersChanged {
        /// All members, in a stable order.
        members: Vec<Member>,
    },
    /// The work did not stop within the stop timeout.
    Overrun {
        /// The leadership's token.
        token: FencingToken,
    },
    /// The lock could not be given back; others take it when it has aged or the session has ended.
    ReleaseFailed {
        /// The leadership's token.
        token: FencingToken,
    },
    /// This candidate leads.
    Started {
        /// The leadership's token.
        token: FencingToken,
    },
    /// The work has stopped; nothing of this leadership runs any more.
    Stopped {
        /// Why the leadership ended.
        reason: StopReason,
        /// The leadership's token.
        token: FencingToken,
    },
    /// The leadership is over and the work was told to stop at once.
    Stopping {
        /// Why.
        reason: StopReason,
        /// The leadership's token.
        token: FencingToken,
    },
    /// The machine was suspended; the time counts as passed.
    Suspended {
        /// For how long.
        duration: Duration,
    },
    /// The backend granted the lock with a token that is not larger than this candidate's last one; the lock was given back.
    TokenWentBack {
        /// The token that was granted.
        granted: FencingToken,
        /// The candidate's last token.
        last: FencingToken,
    },
    /// The candidate waits though nobody is known to hold the lock.
    Waiting {
        /// For how long at the most, where that is known.
        at_most: Option<Duration>,
        /// Why.
        reason: WaitReason,
    },
    /// The watchdog saw the runtime blocked past the deadline, and ended the leadership.
    WatchdogFired {
        /// The leadership's token.
        token: FencingToken,
    },
}
