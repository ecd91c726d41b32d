use super::input::{Operation, OperationId};
use crate::backend::Note;
use crate::event::{Event, StopReason};
use crate::{FencingToken, Nanos, Reading};

/// What the driver is to do.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Output {
    /// Drop this call of the backend: it took too long. Its effect is unknown.
    Abandon(OperationId),
    /// Drop the work now: it did not stop in time. Answer with [`Input::WorkEnded`](super::Input::WorkEnded).
    AbortWork,
    /// The candidate has ended. No more inputs are needed.
    Ended,
    /// Tell everybody.
    Event(Event),
    /// This note, which was wanted, is in the lock.
    NoteWritten(Note),
    /// Make this call of the backend.
    Send(OperationId, Operation),
    /// Start the work.
    StartWork {
        /// The note that the last leader left.
        note: Option<Note>,
        /// The leadership's token.
        token: FencingToken,
    },
    /// Tell the work to stop. May come twice: first to drain, then at once.
    StopWork(StopReason),
}

/// Until when a leader's work may run: `length` after `since`, by the clock that shows more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Deadline {
    /// How long after that the work may run before it is told to stop.
    pub length: Nanos,
    /// When the newest write that is proven was sent.
    pub since: Reading,
}

impl Deadline {
    /// How much time is left at `now`; nothing once it has passed.
    pub fn remaining(&self, now: Reading) -> Nanos {
        self.length.saturating_sub(now.longest_since(self.since))
    }
}
