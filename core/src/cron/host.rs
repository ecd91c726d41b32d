use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Witness;
use crate::backend::Note;
use crate::{CandidateName, Clock, ElectionName, FencingToken};

/// A future that a [`FireHost`] hands out.
pub type HostFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How urgently the jobs were told to stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stop {
    /// Finish what runs and start nothing: the leadership goes on meanwhile.
    Drain,
    /// Stop at once: the leadership is over.
    AtOnce,
}

/// The leadership that jobs run under, as far as they need it.
pub trait FireHost: Send + Sync {
    /// Who leads, for messages.
    fn candidate(&self) -> CandidateName;

    /// Where time comes from.
    fn clock(&self) -> Arc<dyn Clock>;

    /// What is led, for messages.
    fn election(&self) -> ElectionName;

    /// Whether a new unit of work may start now: the leadership is valid, not in jeopardy, and not told to stop.
    fn may_start(&self) -> bool;

    /// The note that was in the lock when the leadership began.
    fn note(&self) -> Option<Note>;

    /// Whether the jobs were told to stop. Never becomes less urgent.
    fn stop_requested(&self) -> Option<Stop>;

    /// Ready when [`Self::stop_requested`] has become more urgent than it was at the call.
    fn stop_changed(&self) -> HostFuture<'_, ()>;

    /// The token of the leadership.
    fn token(&self) -> FencingToken;

    /// What other clocks have shown, if that is known.
    fn witnesses(&self) -> Vec<Witness>;

    /// Writes the note into the lock; ready when it is confirmed to be there.
    ///
    /// # Errors
    /// When it will not be confirmed any more. It may be in the lock all the same.
    fn write_note(&self, note: Note) -> HostFuture<'_, Result<(), Box<dyn Error + Send + Sync>>>;
}

/// A leadership that is shared with the jobs' own code.
impl<H: FireHost + ?Sized> FireHost for Arc<H> {
    fn candidate(&self) -> CandidateName {
        (**self).candidate()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        (**self).clock()
    }

    fn election(&self) -> ElectionName {
        (**self).election()
    }

    fn may_start(&self) -> bool {
        (**self).may_start()
    }

    fn note(&self) -> Option<Note> {
        (**self).note()
    }

    fn stop_requested(&self) -> Option<Stop> {
        (**self).stop_requested()
    }

    fn stop_changed(&self) -> HostFuture<'_, ()> {
        (**self).stop_changed()
    }

    fn token(&self) -> FencingToken {
        (**self).token()
    }

    fn witnesses(&self) -> Vec<Witness> {
        (**self).witnesses()
    }

    fn write_note(&self, note: Note) -> HostFuture<'_, Result<(), Box<dyn Error + Send + Sync>>> {
        (**self).write_note(note)
    }
}
