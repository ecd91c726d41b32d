//! Two threads a root that make all blocking calls, behind bounded queues: one for what must reach the disk, one for what is quick,
//! so that a renewal never waits for another election's `fsync`.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::system::{Signal, System};
use crate::locked::locked;

/// How many locks may wait for a thread: more than there are elections in a process.
const QUEUE_MAX: usize = 8192;

/// Something that has work to do on a lane's thread.
pub(crate) trait Task: Send + Sync {
    fn run(&self);
}

/// Which thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speed {
    /// Waits for the disk.
    Durable,
    /// Returns at once on a disk that works.
    Quick,
}

#[derive(Default)]
struct Queue {
    closed: bool,
    /// Nobody serves it any more.
    ended: bool,
    tasks: VecDeque<Arc<dyn Task>>,
}

struct Lane {
    queue: Mutex<Queue>,
    /// Given when a task comes in or the lane is closed.
    ready: Arc<dyn Signal>,
}

impl Lane {
    /// Whether there was room, or no limit applies, and a thread to run it.
    fn push(&self, task: Arc<dyn Task>, limit: usize) -> bool {
        {
            let mut queue = locked(&self.queue);
            if queue.ended || queue.tasks.len() >= limit {
                return false;
            }
            queue.tasks.push_back(task);
        }
        self.ready.notify();
        true
    }

    fn close(&self) {
        locked(&self.queue).closed = true;
        self.ready.notify();
    }

    /// Its thread is gone. A task that stayed would keep its lock, which keeps the root, which keeps this lane.
    fn end(&self) {
        let left = {
            let mut queue = locked(&self.queue);
            queue.ended = true;
            std::mem::take(&mut queue.tasks)
        };
        drop(left);
    }

    /// Runs tasks until the lane is closed and empty.
    fn serve(&self) {
        loop {
            let (task, closed) = {
                let mut queue = locked(&self.queue);
                (queue.tasks.pop_front(), queue.closed)
            };
            if let Some(task) = task {
                // A panic has been answered for by then: the task's asker learns of it when the reply is dropped.
                let _ = catch_unwind(AssertUnwindSafe(|| task.run()));
            } else if closed || self.ready.wait().is_err() {
                return;
            }
        }
    }
}

/// A root's threads. They end by themselves when this is dropped and their queues are empty; nobody waits for them.
pub(crate) struct Worker {
    durable: Arc<Lane>,
    quick: Arc<Lane>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts the threads.
    pub(crate) fn start(system: &dyn System) -> std::io::Result<Self> {
        Ok(Self {
            durable: lane(system, "tenure-disk")?,
            quick: lane(system, "tenure-file")?,
        })
    }

    /// Has `task` run soon; whether there was room for it.
    pub(crate) fn push(&self, task: Arc<dyn Task>, speed: Speed) -> bool {
        self.lane(speed).push(task, QUEUE_MAX)
    }

    /// Has `task` run soon, however long the queue is: for letting go, of which there is at most one a lock.
    pub(crate) fn push_always(&self, task: Arc<dyn Task>, speed: Speed) {
        self.lane(speed).push(task, usize::MAX);
    }

    fn lane(&self, speed: Speed) -> &Lane {
        match speed {
            Speed::Durable => &self.durable,
            Speed::Quick => &self.quick,
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.durable.close();
        self.quick.close();
    }
}

fn lane(system: &dyn System, name: &str) -> std::io::Result<Arc<Lane>> {
    let lane = Arc::new(Lane {
        queue: Mutex::default(),
        ready: system.signal(),
    });
    let served = Served(Arc::clone(&lane));
    system.start_thread(name, Box::new(move || served.0.serve()))?;
    Ok(lane)
}

/// A lane as its thread has it, whether that runs to its end or not.
struct Served(Arc<Lane>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.end();
    }
}

enum Slot<T> {
    /// The asker has gone.
    Abandoned,
    Answered(T),
    /// The task was dropped without an answer.
    Lost,
    Waiting(Option<Waker>),
}

/// Where an operation puts its answer.
pub(crate) struct Reply<T>(Arc<Mutex<Slot<T>>>);

/// Where its asker waits for it: nothing when the operation was lost in a panic.
pub(crate) struct Answer<T>(Arc<Mutex<Slot<T>>>);

/// A reply and its answer.
pub(crate) fn reply<T>() -> (Reply<T>, Answer<T>) {
    let slot = Arc::new(Mutex::new(Slot::Waiting(None)));
    (Reply(Arc::clone(&slot)), Answer(slot))
}

impl<T> Reply<T> {
    /// Whether nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        matches!(*locked(&self.0), Slot::Abandoned)
    }

    pub(crate) fn send(self, value: T) {
        self.settle(Slot::Answered(value));
    }

    fn settle(&self, outcome: Slot<T>) {
        let mut slot = locked(&self.0);
        if let Slot::Waiting(waker) = &mut *slot {
            let waker = waker.take();
            *slot = outcome;
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.settle(Slot::Lost);
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = locked(&self.0);
        if let Slot::Waiting(waker) = &mut *slot {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut *slot, Slot::Lost) {
            Slot::Answered(value) => Poll::Ready(Some(value)),
            _ => Poll::Ready(None),
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let abandoned = std::mem::replace(&mut *locked(&self.0), Slot::Abandoned);
        drop(abandoned);
    }
}
