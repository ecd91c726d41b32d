//! What all elections of a session are told of together: whether there is a connection, and whether operators ask something.
//!
//! With a request goes the name of its election, in one transaction, into the node above all requests. So one watch serves a thousand elections.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::future::join;
use tenure_core::Clock;

use super::live::connected;
use super::queue::Queue;
use super::session::{Event, Failed, Session, State};
use crate::locked::locked;
use crate::tasks::{TaskGuard, Tasks};

/// The watch of one session.
pub(crate) struct SessionWatch {
    clock: Arc<dyn Clock>,
    /// The node above all requests.
    path: Arc<str>,
    retry: Duration,
    session: Arc<dyn Session>,
    told: Mutex<Told>,
}

struct Told {
    /// Whether requests are watched for.
    hears: bool,
    queues: Vec<Weak<Queue>>,
    /// What tells them, once there is somebody to tell.
    runs: Option<TaskGuard>,
    state: State,
}

impl SessionWatch {
    pub(crate) fn new(
        session: Arc<dyn Session>,
        path: String,
        retry: Duration,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let told = Told {
            hears: false,
            queues: Vec::new(),
            runs: None,
            state: session.state(),
        };
        Arc::new(Self {
            clock,
            path: path.into(),
            retry,
            session,
            told: Mutex::new(told),
        })
    }

    /// Tells `queue` from now on.
    pub(crate) fn tell(self: &Arc<Self>, queue: &Arc<Queue>, tasks: &dyn Tasks) {
        let mut told = locked(&self.told);
        if told.queues.len() == told.queues.capacity() {
            told.queues.retain(|queue| queue.strong_count() > 0);
        }
        told.queues.push(Arc::downgrade(queue));
        if told.runs.is_none() {
            let (watch, session) = (Arc::downgrade(self), Arc::clone(&self.session));
            let (path, clock) = (Arc::clone(&self.path), Arc::clone(&self.clock));
            let (retry, state) = (self.retry, told.state);
            told.runs = Some(tasks.spawn(Box::pin(async move {
                let states = tell_states(&watch, &*session, state);
                let requests = tell_requests(&watch, &*session, &path, &*clock, retry);
                join(states, requests).await;
            })));
        }
    }

    /// The state that was told of last.
    pub(crate) fn state(&self) -> State {
        locked(&self.told).state
    }

    /// Whether an operator's request is told of.
    pub(crate) fn hears(&self) -> bool {
        locked(&self.told).hears
    }

    fn set_hears(&self, hears: bool) {
        let before = std::mem::replace(&mut locked(&self.told).hears, hears);
        if before != hears {
            self.wake();
        }
    }

    fn set_state(&self, state: State) {
        locked(&self.told).state = state;
        self.wake();
    }

    fn wake(&self) {
        self.each(|queue| queue.moved.tell(|moved| *moved = true));
    }

    fn each(&self, tell: impl FnMut(&Arc<Queue>)) {
        // A queue that is told may be dropped here, and so may the session.
        let queues: Vec<_> = locked(&self.told)
            .queues
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        queues.iter().for_each(tell);
    }

    /// Tells those that operators may have asked something of between these two looks at the node above all requests.
    fn ring(&self, before: &Bell, now: &Bell) {
        if before == now {
            return;
        }
        let one = now.rung_once_since(before);
        self.each(|queue| {
            if one.is_none_or(|one| one == queue.election.as_str().as_bytes()) {
                queue.asked();
            }
        });
    }
}

/// What the node above all requests says.
#[derive(PartialEq, Eq)]
enum Bell {
    Missing,
    There {
        /// By which transaction.
        made: i64,
        /// The election that was asked something of last.
        name: Vec<u8>,
        version: i32,
    },
}

impl Bell {
    /// Which election alone was asked something of, where that is certain.
    fn rung_once_since(&self, before: &Self) -> Option<&[u8]> {
        match (before, self) {
            (
                Self::There { made, version, .. },
                Self::There {
                    made: same,
                    name,
                    version: next,
                },
            ) if made == same && version.wrapping_add(1) == *next => Some(name),
            _ => None,
        }
    }

    /// Reads it and watches for the next change.
    async fn look(session: &dyn Session, path: &str) -> Result<(Self, Event), Failed> {
        loop {
            match session.get_and_watch(path).await {
                Ok((name, stat, event)) => {
                    let there = Self::There {
                        made: stat.czxid,
                        name,
                        version: stat.version,
                    };
                    return Ok((there, event));
                }
                Err(Failed::NoNode) => {
                    let (stat, event) = session.exists_and_watch(path).await?;
                    if stat.is_none() {
                        return Ok((Self::Missing, event));
                    }
                }
                Err(failed) => return Err(failed),
            }
        }
    }
}

/// Tells of the session's states until it has ended.
async fn tell_states(watch: &Weak<SessionWatch>, session: &dyn Session, mut state: State) {
    while !matches!(state, State::Ended(_)) {
        state = session.state_after(state).await;
        let Some(watch) = watch.upgrade() else { return };
        watch.set_state(state);
    }
}

/// Tells of requests until the session has ended. The node above them is at `path`.
async fn tell_requests(
    watch: &Weak<SessionWatch>,
    session: &dyn Session,
    path: &str,
    clock: &dyn Clock,
    retry: Duration,
) {
    let mut before = None;
    loop {
        connected(session).await;
        let look = Bell::look(session, path).await;
        let Some(watch) = watch.upgrade() else { return };
        watch.set_hears(look.is_ok());
        match look {
            Ok((bell, event)) => {
                if let Some(before) = &before {
                    watch.ring(before, &bell);
                }
                before = Some(bell);
                drop(watch);
                event.await;
            }
            Err(Failed::Ended(_)) => return,
            Err(error) => {
                tracing::debug!(%error, "requests cannot be watched for");
                drop(watch);
                if session.state() == State::Connected {
                    clock.sleep(retry).await;
                }
            }
        }
    }
}
