//! One candidate's place in the queue of an election.

use std::sync::Arc;

use tenure_core::backend::{Hold, Note};
use tenure_core::{CandidateId, FencingToken, Identity, Reading, Version};

use super::janitor::Chore;
use super::live::Live;
use super::names::Uuid;

/// The lock itself: the path is what is contended for, so all holds are of one object.
pub(crate) const IDENTITY: Identity = Identity(0);

/// A node in the queue, from the sending of its create on.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) candidate: CandidateId,
    /// The transaction that made the node, and its path; nothing while it is not known whether it was made.
    pub(crate) node: Option<(i64, Arc<str>)>,
    /// What it holds, once it was granted.
    pub(crate) hold: Option<Hold>,
    /// What a read has shown that it holds, when the answer to its claim was lost.
    pub(crate) shown: Option<Hold>,
    /// What leaders have left, while it holds.
    pub(crate) record: Record,
    /// When the heartbeat was sent that its holder was told of last.
    pub(crate) told: Reading,
    /// Whether its deletion was sent.
    pub(crate) deleting: bool,
    /// Whether its server shows it no more. It is deleted with the next claim all the same, when nothing that was led by it runs: that server
    /// may have lost it alone.
    pub(crate) gone: bool,
    /// The session that it ends with.
    pub(crate) live: Arc<Live>,
    pub(crate) uuid: Uuid,
}

/// What is known of the nodes beside the queue.
#[derive(Clone, Default, Debug)]
pub(crate) struct Record {
    pub(crate) note: Option<Note>,
    /// Whether it has the token of this place.
    pub(crate) has_token: bool,
    /// The version of its node when the lock was granted; nothing where there was none.
    pub(crate) version: Option<i32>,
}

impl Place {
    /// One whose node was not made yet.
    pub(crate) fn asked_for(live: &Arc<Live>, candidate: CandidateId, uuid: Uuid) -> Self {
        Self {
            candidate,
            node: None,
            hold: None,
            shown: None,
            record: Record::default(),
            told: Reading::default(),
            deleting: false,
            gone: false,
            live: Arc::clone(live),
            uuid,
        }
    }

    /// Whether it is of this session.
    pub(crate) fn is_of(&self, live: &Arc<Live>) -> bool {
        self.live.id() == live.id()
    }

    /// Whether it is neither being left nor gone.
    pub(crate) fn stays(&self) -> bool {
        !self.deleting && !self.gone
    }

    /// Whether it was granted as this hold, or a read has shown that it has it, and its session has not ended.
    pub(crate) fn holds(&self, candidate: &CandidateId, hold: &Hold) -> bool {
        !self.gone
            && self.hold.or(self.shown) == Some(*hold)
            && self.candidate.incarnation == candidate.incarnation
            && self.live.has_ended().is_none()
    }

    /// The hold that the node stands for once it is the first.
    pub(crate) fn hold_by(czxid: i64) -> Option<Hold> {
        let number = u64::try_from(czxid).ok()?;
        Some(Hold {
            identity: IDENTITY,
            token: FencingToken::new(number)?,
            version: Version(number),
        })
    }

    /// Leaves the queue in the background: the session sees to it until the node is known to be gone, or is gone itself.
    pub(crate) fn leave(self, election: &str) {
        let chore = self.leaving(election);
        self.live.janitor.ask(chore);
    }

    /// What is to be done so that the queue is left. From now on nothing is led by this place.
    pub(crate) fn leaving(&self, election: &str) -> Chore {
        match &self.node {
            Some((_, path)) => {
                self.live.leads_no_longer(path);
                Chore::Delete(path.to_string())
            }
            None => Chore::Find {
                among: election.to_owned(),
                uuid: self.uuid,
            },
        }
    }
}
