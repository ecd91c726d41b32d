use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Process;
use super::task::{Body, New, TaskId};
use crate::TrueTime;
use crate::random::Stream;

/// The way into an [`Executor`](super::Executor) from inside its tasks: true time, timers, new tasks.
#[derive(Clone)]
pub struct Handle(Arc<Mutex<Shared>>);

/// When a timer fires: by time, then by a drawn number so that simultaneous timers fire in any order, then by their making.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TimerKey {
    pub(super) at: TrueTime,
    tie: u32,
    number: u64,
}

pub(super) struct Shared {
    made: u64,
    now: TrueTime,
    pub(super) ready: VecDeque<TaskId>,
    pub(super) spawned: Vec<New>,
    ties: Stream,
    timers: BTreeMap<TimerKey, Waker>,
    world: Process,
}

impl Shared {
    pub(super) fn take_timers(&mut self) -> BTreeMap<TimerKey, Waker> {
        std::mem::take(&mut self.timers)
    }
}

impl Handle {
    pub(super) fn new(ties: Stream) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            made: 0,
            now: TrueTime::START,
            ready: VecDeque::new(),
            spawned: Vec::new(),
            ties,
            timers: BTreeMap::new(),
            world: Process::world(),
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }

    /// The time that nobody in the simulation can read.
    pub fn now(&self) -> TrueTime {
        self.lock().now
    }

    /// Starts a task of `process`. A dead process starts none.
    pub fn spawn(&self, process: &Process, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_new(process, Box::pin(task), false);
    }

    /// Starts a task of `process` that has a thread of its own: starving the process does not make it late.
    pub fn spawn_thread(&self, process: &Process, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_new(process, Box::pin(task), true);
    }

    fn spawn_new(&self, process: &Process, body: Body, own_thread: bool) {
        if process.is_alive() {
            self.lock().spawned.push(New {
                body,
                own_thread,
                process: process.clone(),
            });
        }
    }

    /// Starts a task of the world: it goes on whoever dies.
    pub fn spawn_in_world(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut shared = self.lock();
        let process = shared.world.clone();
        shared.spawned.push(New {
            body: Box::pin(task),
            own_thread: true,
            process,
        });
    }

    /// A wait until `at` in true time, for servers and networks; nodes wait on their own clocks.
    pub fn sleep_until(&self, at: TrueTime) -> TrueSleep {
        TrueSleep {
            at,
            handle: self.clone(),
            timer: None,
        }
    }

    /// A wait of `duration` in true time.
    pub fn sleep(&self, duration: Duration) -> TrueSleep {
        self.sleep_until(self.now().plus(duration))
    }

    pub(crate) fn set_timer(&self, at: TrueTime, waker: Waker) -> TimerKey {
        let mut shared = self.lock();
        shared.made += 1;
        let tie = u32::try_from(shared.ties.below(1 << 32)).expect("below 2^32");
        let key = TimerKey {
            at,
            tie,
            number: shared.made,
        };
        shared.timers.insert(key, waker);
        key
    }

    pub(crate) fn cancel_timer(&self, key: TimerKey) {
        let cancelled = self.lock().timers.remove(&key);
        // Dropped after the lock is free, because a waker's destructor may end a task.
        drop(cancelled);
    }

    /// Moves time to the next timer, but not past `limit`, and gives its waker.
    pub(super) fn advance(&self, limit: TrueTime) -> Advance {
        let mut shared = self.lock();
        let Some((key, _)) = shared.timers.first_key_value() else {
            return Advance::NoTimer;
        };
        if key.at > limit {
            return Advance::PastLimit;
        }
        let (key, waker) = shared
            .timers
            .pop_first()
            .expect("its first entry was just seen");
        shared.now = shared.now.max(key.at);
        Advance::To(shared.now, waker)
    }

    pub(super) fn move_to(&self, at: TrueTime) {
        let mut shared = self.lock();
        shared.now = shared.now.max(at);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").finish()
    }
}

pub(super) enum Advance {
    NoTimer,
    PastLimit,
    To(TrueTime, Waker),
}

/// A wait in true time.
#[derive(Debug)]
pub struct TrueSleep {
    at: TrueTime,
    handle: Handle,
    timer: Option<TimerKey>,
}

impl Future for TrueSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = self.timer.take() {
            self.handle.cancel_timer(timer);
        }
        if self.handle.now() >= self.at {
            return Poll::Ready(());
        }
        let timer = self.handle.set_timer(self.at, context.waker().clone());
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for TrueSleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.handle.cancel_timer(timer);
        }
    }
}
