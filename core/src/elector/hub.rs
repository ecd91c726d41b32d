use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::waiters::{Place, Waiters};
use crate::event::Event;

/// How many events are kept for readers that have not read them yet.
const EVENTS_KEPT: usize = 64;

/// Where events wait for their readers: the newest [`EVENTS_KEPT`], none when nobody reads.
#[derive(Debug, Default)]
pub(super) struct Hub(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ended: bool,
    kept: VecDeque<Event>,
    /// The number of the first event that is kept.
    first: u64,
    readers: usize,
    waiters: Waiters,
}

/// Takes a lock whose data stays whole even when a holder panicked: every change to it is a single assignment or push.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// The number of the next event.
    fn next(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// Drops the events before this one, which nobody is going to read.
    fn forget_before(&mut self, number: u64) {
        let read = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        self.kept.drain(..read.min(self.kept.len()));
        self.first = number;
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
    }
}

impl Hub {
    pub(super) fn publish(&self, event: &Event) {
        let mut inner = locked(&self.0);
        if inner.readers == 0 {
            inner.first += 1;
            return;
        }
        if inner.kept.len() == EVENTS_KEPT {
            inner.kept.pop_front();
            inner.first += 1;
        }
        inner.kept.push_back(event.clone());
        let woken = inner.waiters.take();
        drop(inner);
        woken.wake();
    }

    /// Opens the hub for a new start, or says that no more events come.
    pub(super) fn set_ended(&self, ended: bool) {
        let mut inner = locked(&self.0);
        inner.ended = ended;
        let woken = inner.waiters.take();
        drop(inner);
        woken.wake();
    }

    pub(super) fn subscribe(self: &Arc<Self>) -> Events {
        let mut inner = locked(&self.0);
        inner.readers += 1;
        let next = inner.next();
        drop(inner);
        Events {
            hub: Arc::clone(self),
            next,
            place: Place::default(),
        }
    }
}

/// What a reader of events gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// The next event.
    Event(Event),
    /// The reader was too slow; this many events are gone.
    Missed(u64),
}

/// A reader of an election's events, from the moment of [`Control::events`](super::Control::events) on.
///
/// A slow reader misses the oldest events, and is told how many; it never holds up the election.
pub struct Events {
    hub: Arc<Hub>,
    next: u64,
    place: Place,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Events {
    /// The next event; nothing once the elector has ended and all events were read.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Told> {
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut inner = locked(&self.hub.0);
            if self.next < inner.first {
                let missed = inner.first - self.next;
                self.next = inner.first;
                return Poll::Ready(Some(Told::Missed(missed)));
            }
            let index = usize::try_from(self.next - inner.first).unwrap_or(usize::MAX);
            if let Some(event) = inner.kept.get(index).cloned() {
                self.next += 1;
                if inner.readers == 1 {
                    inner.forget_before(self.next);
                }
                return Poll::Ready(Some(Told::Event(event)));
            }
            if inner.ended {
                return Poll::Ready(None);
            }
            let before = inner.waiters.wait(&mut self.place, waker);
            drop(inner);
            drop(before);
            Poll::Pending
        })
        .await
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut inner = locked(&self.hub.0);
        let waker = inner.waiters.leave(&mut self.place);
        inner.readers -= 1;
        if inner.readers == 0 {
            let next = inner.next();
            inner.forget_before(next);
        }
        drop(inner);
        drop(waker);
    }
}
