use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::task::{Context, Poll, Waker};

use crate::backend::{Hint, Observation};

/// How much the handles of a store are told without asking.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Watch {
    /// That the lock has changed: [`Hint::Changed`], not to whoever changed it.
    Changes,
    /// Nothing, and each handle is told so: the elector has to poll.
    Off,
    /// What the lock has changed to: [`Hint::Seen`], also to whoever changed it.
    Observations,
}

/// What a change to the store was about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// The lock.
    Lock,
    /// Who is there.
    Members,
    /// Nothing that anybody is told.
    Nothing,
}

/// What waits to be told to one handle. One slot for each kind of hint, so that a handle that never asks costs no memory.
#[derive(Default, Debug)]
struct Pending {
    watching: Option<bool>,
    disconnected: bool,
    lock: Option<Hint>,
    members: bool,
}

impl Pending {
    fn take(&mut self) -> Option<Hint> {
        if let Some(watching) = self.watching.take() {
            Some(Hint::Watching(watching))
        } else if mem::take(&mut self.disconnected) {
            Some(Hint::Disconnected)
        } else if let Some(hint) = self.lock.take() {
            Some(hint)
        } else if mem::take(&mut self.members) {
            Some(Hint::MembersChanged)
        } else {
            None
        }
    }
}

/// The hints of all handles of a store, and who waits for them, in the order in which they began to wait.
#[derive(Debug)]
pub(super) struct Hints {
    pending: BTreeMap<u64, Pending>,
    waiting: VecDeque<(u64, Waker)>,
    watch: Watch,
}

impl Hints {
    pub(super) fn new(watch: Watch) -> Self {
        Self {
            pending: BTreeMap::new(),
            waiting: VecDeque::new(),
            watch,
        }
    }

    pub(super) fn join(&mut self, client: u64) {
        let pending = Pending {
            watching: (self.watch != Watch::Off).then_some(true),
            ..Pending::default()
        };
        self.pending.insert(client, pending);
    }

    pub(super) fn leave(&mut self, client: u64) {
        self.pending.remove(&client);
        self.waiting.retain(|(waiting, _)| *waiting != client);
    }

    pub(super) fn set_watch(&mut self, watch: Watch) {
        let (was, is) = (self.watch != Watch::Off, watch != Watch::Off);
        self.watch = watch;
        if was != is {
            for pending in self.pending.values_mut() {
                pending.watching = Some(is);
            }
        }
    }

    pub(super) fn disconnected(&mut self, client: u64) {
        if let Some(pending) = self.pending.get_mut(&client) {
            pending.disconnected = true;
        }
    }

    /// Tells all handles; `by` is the one that changed it.
    pub(super) fn tell(&mut self, told: Told, by: Option<u64>, observation: &Observation) {
        for (client, pending) in &mut self.pending {
            match (told, self.watch) {
                (Told::Nothing, _) | (_, Watch::Off) => {}
                (Told::Members, _) => pending.members = true,
                (Told::Lock, Watch::Observations) => {
                    pending.lock = Some(Hint::Seen(observation.clone()));
                }
                (Told::Lock, Watch::Changes) if by == Some(*client) => {}
                (Told::Lock, Watch::Changes) => pending.lock = Some(Hint::Changed),
            }
        }
    }

    pub(super) fn poll(&mut self, client: u64, context: &Context<'_>) -> Poll<Hint> {
        if let Some(hint) = self.pending.get_mut(&client).and_then(Pending::take) {
            self.waiting.retain(|(waiting, _)| *waiting != client);
            return Poll::Ready(hint);
        }
        let waker = context.waker().clone();
        match self.waiting.iter_mut().find(|(id, _)| *id == client) {
            Some(waiting) => waiting.1 = waker,
            None => self.waiting.push_back((client, waker)),
        }
        Poll::Pending
    }

    /// The wakers of those who have something to be told, first come first.
    pub(super) fn due(&mut self) -> Vec<Waker> {
        let (due, waiting) = mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(client, _)| self.has_hint(*client));
        self.waiting = waiting;
        let due: VecDeque<(u64, Waker)> = due;
        due.into_iter().map(|(_, waker)| waker).collect()
    }

    fn has_hint(&self, client: u64) -> bool {
        self.pending.get(&client).is_some_and(|pending| {
            pending.watching.is_some()
                || pending.disconnected
                || pending.lock.is_some()
                || pending.members
        })
    }
}
