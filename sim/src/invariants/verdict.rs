use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TrueTime;

/// The name of an invariant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Invariant {
    /// S1: at every moment of true time at most one node says that it leads, or has work running.
    SingleLeader,
    /// S2: tokens grow strictly from one leadership to the next.
    TokenMonotonic,
    /// S3: a resource that checks tokens never takes an older leader's write after a newer one's.
    FencedResource,
    /// S4: a leadership starts only after the store has granted it, and its deadline counts from a send.
    AckedStart,
    /// S5: while a node leads nobody else's acquisition was applied.
    HolderContinuity,
    /// S6: the end of a leadership is told not later than its deadline, also when the backend hangs.
    StepDownDeadline,
    /// S7: a release never changes another holder's record, and comes after the work has stopped.
    ReleaseOwn,
    /// S8: what an election tells comes in the promised order.
    EventGrammar,
    /// S9: every write carries the version that it was computed from.
    CasOnly,
    /// S10: what a candidate has seen never goes backwards, unless it came by a way that may be behind.
    ObservedMonotonic,
    /// S11: wall clocks decide nothing.
    WallClockIrrelevance,
    /// S12: the same seed gives the same trace.
    Determinism,
    /// S13: who reads that another holds its lock, or nobody, stops at once.
    StopOnSight,
    /// L1: once everything is healed, somebody leads within a bound.
    Converge,
    /// L2: in the quiet time the leader stays.
    NoGap,
    /// L3: after a release another leads within a round trip or a poll.
    Handover,
    /// L4: in the quiet time leadership does not move.
    NoFlap,
    /// L5: a queue is served in its order.
    Fairness,
    /// L6: no candidate sends more requests than it may.
    Load,
    /// L7: nothing is stuck, and nothing panics.
    Progress,
    /// L8: shutting down ends within a bound, also when the backend hangs.
    Shutdown,
    /// A fire is not run twice where it is to run at most once.
    FireAtMostOnce,
    /// No fire is lost where it is to run at least once.
    FireAtLeastOnce,
    /// A note is never lost, and never written by somebody who does not lead.
    NoteKept,
}

/// An invariant did not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Breach {
    /// When.
    pub at: TrueTime,
    /// Which.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl Invariant {
    /// Whether every election has to hold it, whatever it tells and however it counts. The others are promises of ours: of bounds that
    /// follow from our timing, and of events that others do not have.
    pub const fn is_universal(self) -> bool {
        matches!(self, Self::SingleLeader | Self::FencedResource)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.at, self.invariant.name(), self.what)
    }
}
