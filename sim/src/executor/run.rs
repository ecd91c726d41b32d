use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use super::handle::Advance;
use super::task::{Task, TaskId};
use super::{Handle, Host, Process};
use crate::TrueTime;
use crate::random::{Purpose, Stream};
use crate::trace::TraceHash;

/// Which of the ready tasks runs next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    /// First come, first served.
    Fifo,
    /// Drawn from the seed.
    Seeded,
}

/// How much may happen before a run counts as stuck.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Polls without time moving.
    pub polls_at_one_moment: u64,
    /// Tasks alive at the same time.
    pub tasks: usize,
}

impl Limits {
    /// Enough for a few dozen candidates.
    pub const STANDARD: Self = Self {
        polls_at_one_moment: 100_000,
        tasks: 10_000,
    };
}

/// What one step of a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A task was polled.
    Polled,
    /// Time moved, and a timer fired.
    Advanced,
    /// Everything until the limit has happened; it is that time now.
    Reached,
}

/// The single thread that everything in a run happens on.
pub struct Executor {
    /// How late the tasks of starved processes are polled.
    delays: Stream,
    handle: Handle,
    hash: TraceHash,
    /// Where tasks run that insist on a runtime of their own.
    host: Option<Host>,
    limits: Limits,
    made: u64,
    order: Order,
    /// Woken tasks of paused processes.
    parked: Vec<TaskId>,
    picks: Stream,
    polls_at_this_moment: u64,
    seed: u64,
    tasks: BTreeMap<TaskId, Task>,
}

impl Executor {
    /// An executor for the run of `seed`.
    pub fn new(seed: u64, order: Order, limits: Limits) -> Self {
        Self {
            delays: Stream::new(seed, 2, Purpose::Schedule),
            handle: Handle::new(Stream::new(seed, 1, Purpose::Schedule)),
            hash: TraceHash::EMPTY,
            host: None,
            limits,
            made: 0,
            order,
            parked: Vec::new(),
            picks: Stream::new(seed, 0, Purpose::Schedule),
            polls_at_this_moment: 0,
            seed,
            tasks: BTreeMap::new(),
        }
    }

    /// The way in for tasks, clocks and servers.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The true time now.
    pub fn now(&self) -> TrueTime {
        self.handle.now()
    }

    /// The hash over every step so far: which task was polled when.
    pub fn hash(&self) -> TraceHash {
        self.hash
    }

    /// Lets the tasks on `host` run as part of this executor: after each poll, until nothing is left to do.
    pub fn set_host(&mut self, host: &Host) {
        self.host = Some(host.clone());
    }

    /// Starts a task of `process`.
    pub fn spawn(&self, process: &Process, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(process, task);
    }

    /// Does the next thing, not later than `limit`.
    ///
    /// # Panics
    /// When tasks are polled again and again without time moving, or too many are alive. The message names the seed.
    pub fn step(&mut self, limit: TrueTime) -> Step {
        self.adopt();
        if let Some(id) = self.pick() {
            self.poll(id);
            return Step::Polled;
        }
        match self.handle.advance(limit) {
            Advance::To(now, waker) => {
                self.hash.mix(now.nanos());
                self.polls_at_this_moment = 0;
                waker.wake();
                Step::Advanced
            }
            Advance::NoTimer | Advance::PastLimit => {
                self.handle.move_to(limit);
                self.polls_at_this_moment = 0;
                Step::Reached
            }
        }
    }

    /// Runs everything until `limit`, which it is then.
    ///
    /// # Panics
    /// As [`Executor::step`].
    pub fn run_until(&mut self, limit: TrueTime) {
        while self.step(limit) != Step::Reached {}
    }

    /// Runs until all tasks have ended.
    ///
    /// # Panics
    /// As [`Executor::step`], and when tasks are left that nothing will ever wake.
    pub fn run_to_end(&mut self) {
        loop {
            self.adopt();
            if self.tasks.is_empty() {
                return;
            }
            let before = self.now();
            if self.step(TrueTime::END) == Step::Reached {
                self.stuck(before, "nothing will ever wake the tasks that are left");
            }
        }
    }

    /// Kills `process`: marks it dead, then drops its tasks. What their destructors do is done by a dead process.
    pub fn kill(&mut self, process: &Process) {
        self.adopt();
        process.mark_dead();
        let dead: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.process.is(process))
            .map(|(id, _)| *id)
            .collect();
        for id in dead {
            drop(self.tasks.remove(&id));
        }
    }

    /// Stops polling the tasks of `process` until it is resumed. Its clocks run on.
    pub fn pause(&mut self, process: &Process) {
        process.set_paused(true);
    }

    /// Lets the tasks of `process` go on.
    pub fn resume(&mut self, process: &Process) {
        process.set_paused(false);
        let parked = std::mem::take(&mut self.parked);
        self.handle.lock().ready.extend(parked);
    }

    /// From now on the tasks of `process` are polled up to `most` late, or at once again. Threads of its own are not
    /// ([`Handle::spawn_thread`]).
    pub fn starve(&mut self, process: &Process, most: Option<Duration>) {
        if process.starved() == most {
            return;
        }
        process.set_starved(most);
        let waiting = self
            .tasks
            .values_mut()
            .filter(|task| task.process.is(process) && task.due.is_some());
        for task in waiting {
            task.due = None;
            task.waker.queue();
        }
    }

    fn adopt(&mut self) {
        let spawned = std::mem::take(&mut self.handle.lock().spawned);
        for new in spawned {
            self.made += 1;
            let id = TaskId(self.made);
            let task = Task::new(id, new, &self.handle);
            task.waker.queue();
            self.tasks.insert(id, task);
        }
        if self.tasks.len() > self.limits.tasks {
            self.stuck(self.now(), "too many tasks are alive");
        }
    }

    fn pick(&mut self) -> Option<TaskId> {
        loop {
            let id = self.pick_any()?;
            let Some(task) = self.tasks.get(&id) else {
                continue;
            };
            if task.process.is_paused() {
                self.parked.push(id);
            } else if !self.waits_its_turn(id) {
                return Some(id);
            }
        }
    }

    /// Whether a woken task is not polled yet because its process is starved: a timer wakes it again when it is its turn.
    fn waits_its_turn(&mut self, id: TaskId) -> bool {
        let task = self
            .tasks
            .get_mut(&id)
            .expect("only tasks that exist are asked");
        let starved = task.process.starved().filter(|_| !task.own_thread);
        let due = match (task.due, starved) {
            (None, None) => return false,
            (Some(due), _) => due,
            (None, Some(most)) => {
                let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
                let late = Duration::from_nanos(self.delays.below(most.max(1)));
                let due = self.handle.now().plus(late);
                let waker = task.waker();
                self.handle.set_timer(due, waker);
                due
            }
        };
        let waits = due > self.handle.now();
        task.due = waits.then_some(due);
        if waits {
            task.waker.polled();
        }
        waits
    }

    fn pick_any(&mut self) -> Option<TaskId> {
        let mut shared = self.handle.lock();
        match (self.order, shared.ready.len()) {
            (_, 0) => None,
            (Order::Fifo, _) | (Order::Seeded, 1) => shared.ready.pop_front(),
            (Order::Seeded, length) => shared.ready.swap_remove_back(self.picks.index(length)),
        }
    }

    fn poll(&mut self, id: TaskId) {
        self.polls_at_this_moment += 1;
        if self.polls_at_this_moment > self.limits.polls_at_one_moment {
            self.stuck(self.now(), "tasks poll without time moving");
        }
        self.hash.mix(id.0);
        let task = self
            .tasks
            .get_mut(&id)
            .expect("only tasks that exist are picked");
        task.waker.polled();
        let waker = task.waker();
        if let Poll::Ready(()) = task.body.as_mut().poll(&mut Context::from_waker(&waker)) {
            drop(self.tasks.remove(&id));
        }
        if let Some(host) = &self.host {
            host.turn();
        }
    }

    fn stuck(&self, at: TrueTime, why: &str) -> ! {
        panic!(
            "seed {}: stuck at {at} with {} tasks: {why}",
            self.seed,
            self.tasks.len()
        );
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("seed", &self.seed)
            .field("now", &self.now())
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Timers and tasks that have not started hold the handle that holds them.
        self.tasks.clear();
        let left = {
            let mut shared = self.handle.lock();
            (std::mem::take(&mut shared.spawned), shared.take_timers())
        };
        drop(left);
    }
}
