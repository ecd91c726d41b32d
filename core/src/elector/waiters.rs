use std::task::Waker;

/// Those who wait for something, in the order in which they began to. Who waits no more takes itself out, so that there are never
/// more than wait.
///
/// Wakers are somebody else's code: they are cloned, woken and dropped by the caller, while no lock is held.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    /// By their numbers. Mostly one or two: a tree would take more room.
    waiting: Vec<(u64, Waker)>,
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
        match self.find(number) {
            Ok(index) => {
                let (_, before) = self.waiting.get_mut(index)?;
                Some(std::mem::replace(before, waker))
            }
            Err(index) => {
                if self.waiting.is_empty() {
                    // Most have one, and a process may have a thousand elections.
                    self.waiting.reserve_exact(1);
                }
                self.waiting.insert(index, (number, waker));
                None
            }
        }
    }

    /// Waits no more. Returns the waker: to be dropped when no lock is held.
    #[must_use]
    pub(super) fn leave(&mut self, place: &mut Place) -> Option<Waker> {
        let index = self.find(place.0.take()?).ok()?;
        Some(self.waiting.remove(index).1)
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        self.waiting
            .binary_search_by_key(&number, |(number, _)| *number)
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
pub(super) struct Woken(Vec<(u64, Waker)>);

impl Woken {
    /// Wakes them, first come first.
    pub(super) fn wake(self) {
        for (_, waker) in self.0 {
            waker.wake();
        }
    }
}
