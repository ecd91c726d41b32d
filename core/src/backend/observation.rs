use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Note, OperatorRequest};
use crate::{CandidateId, FencingToken, Identity, Incarnation, Nonce, Version, WallTime};

/// Who a record names as its holder.
///
/// Others write records too, so this is text; the incarnation is there when the text ends in `_` and 32 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Holder {
    incarnation: Option<Incarnation>,
    text: Arc<str>,
}

impl Holder {
    /// The holder that a record names with `text`.
    pub fn parse(text: &str) -> Self {
        let incarnation = text
            .rsplit_once('_')
            .and_then(|(_, digits)| Incarnation::parse(digits));
        Self {
            incarnation,
            text: Arc::from(text),
        }
    }

    /// The incarnation, when the holder is one of ours.
    pub fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// Whether this is `candidate`: the same incarnation, whatever the name.
    pub fn is(&self, candidate: &CandidateId) -> bool {
        self.incarnation == Some(candidate.incarnation)
    }

    /// The text as the record has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name that people know: the text without the incarnation.
    pub fn name(&self) -> &str {
        match (self.incarnation, self.text.rsplit_once('_')) {
            (Some(_), Some((name, _))) => name,
            _ => &self.text,
        }
    }
}

impl From<&CandidateId> for Holder {
    fn from(candidate: &CandidateId) -> Self {
        Self {
            incarnation: Some(candidate.incarnation),
            text: candidate.to_string().into(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

/// What a proper release leaves in the record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReleaseMark {
    /// The incarnation that released.
    pub by: Incarnation,
    /// The object that it released. A mark that names another object was copied, and says nothing.
    pub identity: Identity,
}

/// A record with a holder.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Held {
    /// How long the record says it stays valid after each write, rounded up; nothing where it does not say, or cannot be read.
    pub duration: Option<Duration>,
    /// Who holds.
    pub holder: Holder,
    /// Which object is held.
    pub identity: Identity,
    /// The number of the last write; for a record that cannot be understood something else that each write changes, such as its
    /// version: otherwise it would count as old as another unreadable one that was seen before.
    pub nonce: Nonce,
}

/// What the lock was when it was read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum LockState {
    /// A holder is named (leased), or has the lock (session). A record that cannot be understood counts as held by somebody.
    Held(Held),
    /// There is no lock. Nothing is known about why.
    Missing,
    /// There is no lock, and the backend has proof that nobody ever held it.
    NeverHeld,
    /// There is a lock without a holder.
    Vacant {
        /// Which object it is.
        identity: Identity,
        /// The mark of the last release, where there is one. A session lock needs none: the store itself vouches.
        mark: Option<ReleaseMark>,
    },
}

/// What one read of the lock has shown.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Observation {
    /// When the newest leadership began, by the wall clock of its leader, where the record tells. For people.
    pub led_since: Option<WallTime>,
    /// What the lock was.
    pub lock: LockState,
    /// The note in the record.
    pub note: Option<Note>,
    /// The operator's request in the record.
    pub request: Option<OperatorRequest>,
    /// The store's own wall clock at the read, where it tells.
    pub server_time: Option<WallTime>,
    /// The wall clock of whoever wrote last, as of that write. For people.
    pub written: Option<WallTime>,
    /// The newest token that the record knows: the sitting leader's, or the last one's.
    pub token: Option<FencingToken>,
    /// The record's version; nothing when there is no record.
    pub version: Option<Version>,
}

impl Observation {
    /// An observation of `lock` and nothing else.
    pub fn of(lock: LockState) -> Self {
        Self {
            led_since: None,
            lock,
            note: None,
            request: None,
            server_time: None,
            written: None,
            token: None,
            version: None,
        }
    }

    /// Who holds the lock, when somebody does.
    pub fn holder(&self) -> Option<&Holder> {
        match &self.lock {
            LockState::Held(held) => Some(&held.holder),
            _ => None,
        }
    }
}

/// A candidate that is alive now.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Member {
    /// Its name, and its incarnation where the backend knows it.
    pub name: Arc<str>,
    /// Its incarnation, where the backend knows it.
    pub incarnation: Option<Incarnation>,
}
