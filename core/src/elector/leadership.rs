use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::shared::View;
use super::validity::{NoteError, Validity};
use crate::backend::{Note, Observation};
use crate::event::StopReason;
use crate::{CandidateId, Clock, ElectionName, FencingToken, Nanos};

/// What the work gets while its candidate leads. Not `Clone`: one leadership has one owner. Put it into an `Arc` to share it.
///
/// It answers by the clock at the moment of asking. A pause between an answer and what is then done cannot be excluded by any lock;
/// let the resource check the [token](Leadership::token).
pub struct Leadership {
    validity: Arc<Validity>,
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership")
            .field("token", &self.token())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

impl Leadership {
    pub(super) fn new(validity: Arc<Validity>) -> Self {
        Self { validity }
    }

    /// The fencing token: larger than that of every leadership of this election before.
    pub fn token(&self) -> FencingToken {
        self.validity.token()
    }

    /// The election.
    pub fn election(&self) -> &ElectionName {
        &self.validity.shared().election
    }

    /// The candidate that leads.
    pub fn candidate(&self) -> CandidateId {
        self.validity.shared().candidate()
    }

    /// Whether the leadership is valid now.
    pub fn is_valid(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// Whether the leadership is valid now and stays so for at least `duration`, whatever happens to the lock.
    pub fn is_valid_for(&self, duration: Duration) -> bool {
        self.remaining() > duration
    }

    /// How long the leadership stays valid if no renewal succeeds any more; zero when it is over.
    pub fn remaining(&self) -> Duration {
        let left: Nanos = self.validity.remaining(self.validity.now());
        left.into()
    }

    /// Whether a renewal is late or the connection is lost: start no new unit of work.
    pub fn in_jeopardy(&self) -> bool {
        self.validity.in_jeopardy()
    }

    /// Waits until the work is to stop, and says why. Then finish soon, or roll back.
    ///
    /// In a planned stop the leadership stays valid for up to the drain timeout; [`Leadership::lost`] tells when it no longer is.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn cancelled(&self) -> StopReason {
        self.validity.stop().await
    }

    /// Waits until the leadership is over: nothing may be done in its name any more. The work is dropped after the grace.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn lost(&self) -> StopReason {
        self.validity.over().await
    }

    /// Why the work is to stop, once it is.
    pub fn stop_requested(&self) -> Option<StopReason> {
        self.validity.stop_reason()
    }

    /// The note in the lock: what the last leader left, or what was last written.
    pub fn note(&self) -> Option<Note> {
        self.validity.note()
    }

    /// Writes a note into the lock, with the next renewal, which it brings forward. Returns when it is known to be there, durably.
    ///
    /// # Errors
    /// When the leadership ends first; the note may be there all the same.
    ///
    /// # Cancel safety
    /// After the first poll the note will be written even when the future is dropped.
    pub async fn write_note(&self, note: Note) -> Result<(), NoteError> {
        let number = self.validity.ask_for_note(note)?;
        self.validity.noted(number).await
    }

    /// The clock that the leadership counts by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.validity.clock()
    }

    /// What was last seen of the lock before this leadership began.
    pub fn observation(&self) -> Option<Arc<Observation>> {
        self.validity.shared().view().observation
    }

    /// What the candidate shows of itself, with what it last saw.
    pub(crate) fn view(&self) -> View {
        self.validity.shared().view()
    }

    /// The cell that this leadership shares with its elector and its watchdog: for a guard of one's own.
    pub fn validity(&self) -> &Arc<Validity> {
        &self.validity
    }
}
