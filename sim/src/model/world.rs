use tenure_core::machine::{Machine, Outcome};
use tenure_core::{Nonce, Reading};

/// Everything there is at one moment. No clock is in it: readings are relative, and the newest version and token are always the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    pub(super) record: Option<Record>,
    /// Whether the newest token has been led under.
    pub(super) newest_led: bool,
    /// What went wrong on the way here, where it shows in no other way.
    pub(super) broken: Option<Broken>,
}

/// A rule that was broken by one step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Broken {
    /// A leadership began under a token that is no newer than one that was led under.
    Token,
    /// The machine's own assertions failed.
    Panic,
}

/// Which start of a candidate: below the number of candidates the present one of each, above it those that are gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Life(pub(super) u8);

/// The lock's record. Its version is always the newest one, and its token too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Record {
    pub(super) identity: u128,
    pub(super) lock: Lock,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Lock {
    /// It has no holder, and no mark of a release.
    Emptied,
    Held {
        life: Life,
        nonce: Nonce,
    },
    Released,
}

impl World {
    pub(super) fn is_held(&self) -> bool {
        matches!(
            self.record.map(|record| record.lock),
            Some(Lock::Held { .. })
        )
    }
}

/// One candidate, and what it has sent.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) call: Option<Call>,
    /// Writes whose caller waits no longer, oldest first.
    pub(super) delayed: Vec<Write>,
    pub(super) work: Work,
    /// What its clocks show: always the same, but in the midst of a step.
    pub(super) now: Reading,
    /// How many ticks its clock is ahead of the last candidate's.
    pub(super) ahead: u8,
    /// How many ticks the machine has not noticed.
    pub(super) unnoticed: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Work {
    None,
    /// It runs, and may go on.
    Running,
    /// It may finish.
    Draining,
    /// It has to stop within the stop timeout, and is aborted if it does not.
    Told,
    /// It is being ended.
    Aborted,
}

/// A call of the backend that a machine waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Call {
    /// A read that has not reached the store.
    Read,
    /// A write that has not reached the store.
    Write(Write),
    /// The store has done it; the answer is on its way.
    Answered(Outcome),
    /// The store has done it; the answer is lost.
    AnswerLost,
}

/// A write to the record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Write {
    pub(super) basis: Basis,
    pub(super) deed: Deed,
    pub(super) life: Life,
}

/// What a write was computed from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Basis {
    /// That there was no record.
    Missing,
    /// The record as it is now.
    Newest,
    /// What the record was before.
    Outdated,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Deed {
    Acquire(Nonce),
    Renew(Nonce),
    Release,
}

impl Deed {
    pub(super) fn nonce(self) -> Option<Nonce> {
        match self {
            Self::Acquire(nonce) | Self::Renew(nonce) => Some(nonce),
            Self::Release => None,
        }
    }
}
