use std::collections::BTreeMap;
use std::task::Waker;

/// Those who wait for something, in the order in which they began to. Who waits no more takes itself out, so that there are never
/// more than wait.
///
/// Wakers are somebody else's code: they are cloned, woken and dropped by the caller, while no lock is held.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// A place among the waiters; nothing before the first poll and after being woken.
#[derive(Debug, Default)]
pub(super) struct Place(Option<u64>);

impl Waiters {
    /// Waits at `place`. Returns the waker that waited there before: to be dropped when no lock is held.
    #[must_use]
    pub(super) fn wait(&mut self, place: &mut Place, waker: Waker) -> Option<Waker> {
        let number = *place.0.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.waiting.insert(number, waker)
    }

    /// Waits no more. Returns the waker: to be dropped when no lock is held.
    #[must_use]
    pub(super) fn leave(&mut self, place: &mut Place) -> Option<Waker> {
        self.waiting.remove(&place.0.take()?)
    }

    /// Takes all out, to be woken when no lock is held.
    pub(super) fn take(&mut self) -> Woken {
        Woken(std::mem::take(&mut self.waiting))
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.waiting.len()
    }
}

/// Wakers that are due.
#[must_use = "they wait to be woken"]
pub(super) struct Woken(BTreeMap<u64, Waker>);

impl Woken {
    /// Wakes them, first come first.
    pub(super) fn wake(self) {
        for waker in self.0.into_values() {
            waker.wake();
        }
    }
}
