use std::sync::Arc;
use std::time::Duration;

use super::holding::Stage;
use super::{Deadline, Machine, Phase};
use crate::backend::{Holder, Member, Note, Observation};
use crate::{CandidateId, FencingToken, Reading};

/// What a candidate is doing, for people and programs that watch it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum State {
    /// It leads, and its work was told to finish.
    Draining,
    /// It has ended.
    Ended,
    /// It follows: another leads, or nobody does yet.
    Following,
    /// It leads.
    Leading,
    /// It holds the lock but waits until no former leader can believe any more.
    Probation,
    /// Its work has stopped and it gives the lock back.
    Releasing,
    /// It leads no longer, and its work is stopping.
    Stopping,
}

impl Machine {
    /// What the candidate is doing.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Ended => State::Ended,
            Phase::Following(_) => State::Following,
            Phase::Holding(holding) => match holding.stage {
                Stage::Draining { .. } => State::Draining,
                Stage::Leading => State::Leading,
                Stage::Probation { .. } => State::Probation,
                Stage::Releasing { .. } => State::Releasing,
                Stage::Stopping { .. } => State::Stopping,
            },
        }
    }

    /// Until when the leadership is valid; nothing when there is none.
    pub fn deadline(&self) -> Option<Deadline> {
        match &self.phase {
            Phase::Holding(holding) if holding.leads() => Some(holding.deadline(&self.spans)),
            _ => None,
        }
    }

    /// Whether the candidate says "I lead" at `now`.
    pub fn leads(&self, now: Reading) -> bool {
        self.deadline()
            .is_some_and(|deadline| deadline.remaining(now) > crate::Nanos::ZERO)
    }

    /// The token of the leadership whose work may still run.
    pub fn token(&self) -> Option<FencingToken> {
        match &self.phase {
            Phase::Holding(holding) if holding.has_work() => Some(holding.hold.token),
            _ => None,
        }
    }

    /// Whether a renewal is late or the connection is lost.
    pub fn in_jeopardy(&self) -> bool {
        matches!(&self.phase, Phase::Holding(holding) if holding.jeopardy)
    }

    /// Who holds the lock, as far as this candidate knows.
    pub fn leader(&self) -> Option<&Holder> {
        self.knowledge.leader.as_ref()
    }

    /// The members, as last read.
    pub fn members(&self) -> &[Member] {
        &self.company.members
    }

    /// The last observation of the lock that was not older than one before.
    pub fn observation(&self) -> Option<&Arc<Observation>> {
        self.knowledge.observed.as_ref()
    }

    /// The note in the lock, while this candidate holds it.
    pub fn note(&self) -> Option<&Note> {
        match &self.phase {
            Phase::Holding(holding) => holding.note.as_ref(),
            _ => None,
        }
    }

    /// The note that the leader wants written and that is not known to be in the lock yet.
    pub fn wanted_note(&self) -> Option<&Note> {
        match &self.phase {
            Phase::Holding(holding) => holding.wanted_note(),
            _ => None,
        }
    }

    /// How long work that was told to stop at once may take before it is aborted.
    pub fn grace(&self) -> Duration {
        self.settings.timing.grace()
    }

    /// The moment of the last input.
    pub fn last_reading(&self) -> Reading {
        self.last_reading
    }

    /// Who the candidate is.
    pub fn candidate(&self) -> &CandidateId {
        &self.settings.candidate
    }
}
