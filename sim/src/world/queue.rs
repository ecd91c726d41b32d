use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::TrueTime;

/// What will happen, by the time at which it will; what happens at the same time comes in the order of its ties.
#[derive(Clone, Debug)]
pub(crate) struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    at: TrueTime,
    event: E,
    tie: u32,
}

impl<E> Entry<E> {
    fn key(&self) -> (TrueTime, u32) {
        (self.at, self.tie)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap's greatest is the first.
        other.key().cmp(&self.key())
    }
}

impl<E> Queue<E> {
    /// Nothing will happen.
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::with_capacity(64),
        }
    }

    /// `event` will happen at `at`; `tie` is drawn by the caller.
    pub(crate) fn push(&mut self, at: TrueTime, tie: u32, event: E) {
        self.heap.push(Entry { at, event, tie });
    }

    /// When something happens next, and its tie.
    pub(crate) fn next(&self) -> Option<(TrueTime, u32)> {
        self.heap.peek().map(Entry::key)
    }

    /// What happens next.
    pub(crate) fn pop(&mut self) -> Option<E> {
        self.heap.pop().map(|entry| entry.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_ties_decide_the_rest() {
        let mut queue = Queue::new();
        for (at, tie, event) in [(5, 0, 'd'), (1, 9, 'b'), (1, 3, 'a'), (2, 0, 'c')] {
            queue.push(TrueTime::from_nanos(at), tie, event);
        }
        assert_eq!(queue.next(), Some((TrueTime::from_nanos(1), 3)));
        let order: String = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, "abcd");
    }
}
