use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use super::hub::locked;
use super::shared::Shared;
use super::tell::tell;
use super::waiters::{Place, Waiters};
use crate::backend::Note;
use crate::event::{Event, StopReason};
use crate::machine::Deadline;
use crate::{Clock, FencingToken, Nanos, Reading};

/// One leadership as all its parties share it: the elector that keeps it, the work that asks, the watchdog that guards it.
///
/// It is valid while nobody has ended it *and* its deadline has not passed by the clock at the moment of asking; no task has to run
/// for it to become invalid.
pub struct Validity {
    clock: Arc<dyn Clock>,
    grace: Nanos,
    inner: Mutex<Inner>,
    shared: Arc<Shared>,
    token: FencingToken,
}

#[derive(Debug)]
struct Inner {
    deadline: Deadline,
    jeopardy: bool,
    note: Option<Note>,
    notes: Notes,
    /// Set once the leadership is over, whatever the clock says.
    over: bool,
    stop: Option<StopReason>,
    waiters: Waiters,
    work_stopped: bool,
}

/// Notes that the work wants written, one at a time.
#[derive(Debug, Default)]
struct Notes {
    /// How many were taken in.
    asked: u64,
    /// How many are in the store.
    done: u64,
    waiting: VecDeque<Note>,
}

/// The most notes that may wait to be written.
const NOTES_MAX: usize = 16;

/// Why a note was not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NoteError {
    /// The leadership ended before the note was known to be in the lock. It may be there all the same.
    Over,
    /// Too many notes wait to be written: wait for them.
    TooMany,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Over => "the leadership ended before the note was known to be in the lock",
            Self::TooMany => "too many notes wait to be written: wait for the ones before",
        })
    }
}

impl std::error::Error for NoteError {}

impl fmt::Debug for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validity")
            .field("token", &self.token)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl Validity {
    pub(super) fn new(
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
        token: FencingToken,
        deadline: Deadline,
        grace: Duration,
        note: Option<Note>,
    ) -> Self {
        let inner = Inner {
            deadline,
            jeopardy: false,
            note,
            notes: Notes::default(),
            over: false,
            stop: None,
            waiters: Waiters::default(),
            work_stopped: false,
        };
        Self {
            clock,
            grace: grace.into(),
            inner: Mutex::new(inner),
            shared,
            token,
        }
    }

    /// The token of this leadership.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// The election and the candidate, for messages.
    pub fn description(&self) -> String {
        format!(
            "candidate {} of election {}",
            self.shared.candidate(),
            self.shared.election
        )
    }

    /// The clock that the leadership counts by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Until when the leadership is valid, as of its last confirmed renewal.
    pub fn deadline(&self) -> Deadline {
        locked(&self.inner).deadline
    }

    /// Until when work that does not stop is to be ended: the deadline plus the grace.
    pub fn abort_deadline(&self) -> Deadline {
        let deadline = self.deadline();
        Deadline {
            length: deadline.length.saturating_add(self.grace),
            since: deadline.since,
        }
    }

    /// How much longer the leadership is valid at `now`; nothing when it is over.
    pub fn remaining(&self, now: Reading) -> Nanos {
        let inner = locked(&self.inner);
        if inner.over {
            Nanos::ZERO
        } else {
            inner.deadline.remaining(now)
        }
    }

    /// Whether somebody has ended the leadership. It may be invalid without that: its deadline may have passed.
    pub fn is_over(&self) -> bool {
        locked(&self.inner).over
    }

    /// Whether nothing of the work runs any more.
    pub fn work_stopped(&self) -> bool {
        locked(&self.inner).work_stopped
    }

    /// Ends the leadership from outside the elector, because nobody ran it: tells the work to stop, and tells the event.
    ///
    /// Returns whether this call ended it.
    pub fn fire(&self) -> bool {
        let fired = self.end(StopReason::Watchdog);
        if fired {
            let event = Event::WatchdogFired { token: self.token };
            tell(&self.shared, &event);
            self.shared.publish(&event);
            self.shared.watchdog_fired();
        }
        fired
    }

    pub(super) fn now(&self) -> Reading {
        self.clock.now()
    }

    pub(super) fn in_jeopardy(&self) -> bool {
        locked(&self.inner).jeopardy
    }

    pub(super) fn note(&self) -> Option<Note> {
        locked(&self.inner).note.clone()
    }

    pub(super) fn stop_reason(&self) -> Option<StopReason> {
        locked(&self.inner).stop.clone()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes over what the machine says: the deadline after each confirmation.
    pub(super) fn update(&self, deadline: Option<Deadline>, jeopardy: bool) {
        let mut inner = locked(&self.inner);
        if let Some(deadline) = deadline
            && !inner.over
        {
            inner.deadline = deadline;
        }
        inner.jeopardy = jeopardy;
    }

    /// Tells the work to finish; the leadership goes on.
    pub(super) fn drain(&self, reason: StopReason) {
        let mut inner = locked(&self.inner);
        if inner.stop.is_none() {
            inner.stop = Some(reason);
        }
        wake(inner);
    }

    /// The leadership is over. Returns whether it was not before.
    pub(super) fn end(&self, reason: StopReason) -> bool {
        let mut inner = locked(&self.inner);
        let ended = !inner.over;
        inner.over = true;
        if ended {
            inner.stop = Some(reason);
            inner.notes.waiting.clear();
        }
        wake(inner);
        ended
    }

    pub(super) fn set_work_stopped(&self) {
        locked(&self.inner).work_stopped = true;
    }

    /// The note that is to be written next, if any.
    pub(super) fn next_note(&self) -> Option<Note> {
        locked(&self.inner).notes.waiting.front().cloned()
    }

    pub(super) fn note_written(&self, note: &Note) {
        let mut inner = locked(&self.inner);
        inner.note = Some(note.clone());
        if inner.notes.waiting.front() == Some(note) {
            inner.notes.waiting.pop_front();
            inner.notes.done += 1;
        }
        wake(inner);
    }

    /// Takes in a note; the number under which [`Validity::noted`] waits for it.
    pub(super) fn ask_for_note(&self, note: Note) -> Result<u64, NoteError> {
        let mut inner = locked(&self.inner);
        if inner.over {
            return Err(NoteError::Over);
        }
        if inner.notes.waiting.len() == NOTES_MAX {
            return Err(NoteError::TooMany);
        }
        inner.notes.waiting.push_back(note);
        inner.notes.asked += 1;
        let number = inner.notes.asked;
        drop(inner);
        self.shared.wake();
        Ok(number)
    }

    /// Waits until the note with this number is known to be in the lock.
    pub(super) fn noted(&self, number: u64) -> impl Future<Output = Result<(), NoteError>> {
        self.wait(move |inner: &Inner| {
            if inner.notes.done >= number {
                Some(Ok(()))
            } else if inner.over {
                Some(Err(NoteError::Over))
            } else {
                None
            }
        })
    }

    /// Waits until the work is to stop.
    pub(super) fn stop(&self) -> impl Future<Output = StopReason> {
        self.wait(|inner: &Inner| inner.stop.clone())
    }

    /// Waits until the leadership is over.
    pub(super) fn over(&self) -> impl Future<Output = StopReason> {
        self.wait(|inner: &Inner| if inner.over { inner.stop.clone() } else { None })
    }

    fn wait<F>(&self, ready: F) -> Wait<'_, F> {
        Wait {
            place: Place::default(),
            ready,
            validity: self,
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        locked(&self.inner).waiters.count()
    }
}

/// Waits until something is so.
struct Wait<'a, F> {
    place: Place,
    ready: F,
    validity: &'a Validity,
}

impl<F> Unpin for Wait<'_, F> {}

impl<T, F: Fn(&Inner) -> Option<T>> Future for Wait<'_, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let wait = &mut *self;
        let waker = context.waker().clone();
        let mut inner = locked(&wait.validity.inner);
        if let Some(value) = (wait.ready)(&inner) {
            return Poll::Ready(value);
        }
        let before = inner.waiters.wait(&mut wait.place, waker);
        drop(inner);
        drop(before);
        Poll::Pending
    }
}

impl<F> Drop for Wait<'_, F> {
    fn drop(&mut self) {
        let waker = locked(&self.validity.inner).waiters.leave(&mut self.place);
        drop(waker);
    }
}

fn wake(mut inner: MutexGuard<'_, Inner>) {
    let woken = inner.waiters.take();
    drop(inner);
    woken.wake();
}

/// Somebody outside the elector's task who ends a leadership when that task is not run in time.
pub trait Watchdog: fmt::Debug + Send + Sync + 'static {
    /// Watches over a leadership that has just started, until its work has stopped.
    fn watch(&self, validity: Arc<Validity>);
}
