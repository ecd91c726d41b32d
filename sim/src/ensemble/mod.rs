//! A simulated ZooKeeper ensemble: three servers that elect a leader among them, and the clients' ends of their sessions, in simulated time.
//!
//! What it does as the real one does, because elections have failed by it:
//! - reads and pings are answered by the server that the client is connected to, from its own replica, also while that server is cut off from
//!   its leader; it drops its clients only when it has heard nothing of the leader for five ticks, or what its setting says,
//! - writes go through the leader and a majority,
//! - a server tells its leader which clients it has heard of with the leader's pings only, every half tick,
//! - the leader ends sessions by ticks of its own clock, rounded up, and a new leader gives all of them their whole timeout,
//! - a session's timeout is granted within 2 and 20 ticks,
//! - watches fire once, on the replica of the server that has them, and are set again with the next connection, which fires those that have
//!   missed something.
//! - where a plan says so, a server that was killed while it joined serves a replica that lacks the node by which somebody leads.
//!
//! Everything that happens is in one agenda: [`State`] moves only when it is asked to run until a moment, and draws from a stream of its own.

mod client;
#[cfg(test)]
mod conformance;
mod connection;
mod election;
mod habits;
mod lost;
mod party;
mod quorum;
mod server;
mod serving;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod tracker;
mod transaction;
mod tree;
mod witness;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{Failed, Step};

use crate::executor::{Handle, NodeId, Process};

pub(crate) use habits::Habits;
pub(crate) use party::{Party, Sent};
pub(crate) use session::SimServers;
pub(crate) use state::{SERVERS, Setting};
pub(crate) use transaction::{Change, Origin, Transaction};
pub(crate) use tree::{Node, Outcome, Tree};
pub(crate) use witness::Witness;

use lost::Lost;
use state::State;

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// Something that is done when the state is not held any more: it may wake or end whoever uses it.
type Effect = Box<dyn FnOnce() + Send>;

/// What is wrong with the servers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Condition {
    /// Requests are refused for want of rights.
    pub(crate) forbids: bool,
    /// So many of a thousand writes are done, and the connection is lost before the answer.
    pub(crate) loses_answers: u16,
    /// Nobody is told what was watched, until this is over.
    pub(crate) mute: bool,
    /// No client is let in, and those that are there are dropped.
    pub(crate) refuses: bool,
    /// Requests are refused because there are too many.
    pub(crate) throttles: bool,
    /// What is wrong with each server.
    pub(crate) servers: [ServerCondition; SERVERS],
}

/// What is wrong with one server.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct ServerCondition {
    /// Its process does not run.
    pub(crate) away: bool,
    /// Nothing passes between it and the others.
    pub(crate) cut: bool,
    /// It has been killed while it joined, and serves a replica that lacks what the others have.
    pub(crate) forgets: bool,
    /// Its process stands still.
    pub(crate) hangs: bool,
    /// How far it is behind.
    pub(crate) lags: Duration,
}

impl Condition {
    fn refusal(&self) -> Option<Failed> {
        if self.forbids {
            Some(Failed::NoRights)
        } else {
            self.throttles.then_some(Failed::Throttled)
        }
    }
}

/// The ensemble. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Ensemble(Arc<Inner>);

struct Inner {
    handle: Handle,
    state: Mutex<State>,
    /// What moves the state, and until when it sleeps.
    waker: Mutex<Option<Waker>>,
}

impl fmt::Debug for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ensemble").finish()
    }
}

impl Ensemble {
    pub(crate) fn new(handle: &Handle, setting: Setting) -> Self {
        let ensemble = Self(Arc::new(Inner {
            handle: handle.clone(),
            state: Mutex::new(State::new(setting)),
            waker: Mutex::default(),
        }));
        handle.spawn_in_world(ensemble.clone().go_on());
        ensemble
    }

    pub(crate) fn set_witness(&self, witness: Arc<dyn Witness>) {
        self.with(|state| state.witness = Some(witness));
    }

    fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// Does something with the state now, and wakes whoever that concerns.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let (result, effects, sooner) = {
            let mut state = self.0.state.lock().expect(ONE_THREAD);
            let before = state.next();
            state.now = self.0.handle.now();
            let result = act(&mut state);
            let effects = std::mem::take(&mut state.effects);
            (result, effects, state.next() != before)
        };
        if sooner {
            let waker = self.0.waker.lock().expect(ONE_THREAD).take();
            waker.into_iter().for_each(Waker::wake);
        }
        effects.into_iter().for_each(|effect| effect());
        result
    }

    /// Lets what is due happen, for ever.
    async fn go_on(self) {
        let mut sleep = self.0.handle.sleep(Duration::ZERO);
        poll_fn(|context| {
            loop {
                let now = self.0.handle.now();
                let (next, effects) = {
                    let mut state = self.0.state.lock().expect(ONE_THREAD);
                    state.run(now);
                    (state.next(), std::mem::take(&mut state.effects))
                };
                let is_done = effects.is_empty();
                effects.into_iter().for_each(|effect| effect());
                *self.0.waker.lock().expect(ONE_THREAD) = Some(context.waker().clone());
                if !is_done {
                    continue;
                }
                let Some(next) = next else {
                    return Poll::<()>::Pending;
                };
                sleep = self.0.handle.sleep_until(next);
                if Pin::new(&mut sleep).poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }

    /// Brings the servers into a condition.
    pub(crate) fn set_condition(&self, condition: Condition) {
        self.with(|state| state.set_condition(condition));
    }

    /// Something has changed about the links: what waits is looked at.
    pub(crate) fn links_changed(&self) {
        self.with(State::look_at_all);
    }

    /// The leading server is started again, so that another one leads.
    pub(crate) fn change_leader(&self) {
        self.with(|state| {
            if let Some(leader) = state.leader() {
                state.kill(leader);
                state.start(leader);
            }
        });
    }

    /// All connections of a node break.
    pub(crate) fn break_connections(&self, node: NodeId) {
        self.with(|state| state.break_connections(node));
    }

    /// A process is gone; with `cut`, what it has sent and has not arrived is lost.
    pub(crate) fn process_died(&self, process: &Process, cut: bool) {
        self.with(|state| state.process_died(process, cut));
    }

    /// An administrator ends the newest session of a process.
    pub(crate) fn end_session(&self, process: &Process) {
        self.with(|state| state.end_session_of(process));
    }

    /// Somebody who is no candidate changes a node.
    pub(crate) fn meddle(&self, step: Step) {
        self.with(|state| {
            if let Some(leader) = state.leader() {
                state.propose(leader, Change::One(step), 0, None);
            }
        });
    }

    /// What a majority has.
    pub(crate) fn truth<T>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        self.with(|state| look(&state.truth))
    }
}

impl State {
    fn set_condition(&mut self, condition: Condition) {
        let before = std::mem::replace(&mut self.condition, condition);
        for server in 0..SERVERS {
            let (was, is) = (before.servers[server], condition.servers[server]);
            let one = &mut self.servers[server];
            one.isolated = is.cut;
            one.paused = is.hangs;
            one.lag = is.lags;
            match (was.away, is.away) {
                (false, true) => self.kill(server),
                (true, false) => self.start(server),
                _ => {}
            }
            match (was.forgets, is.forgets) {
                (false, true) => self.forget(server),
                (true, false) => self.learn_again(server),
                _ => {}
            }
        }
        if condition.refuses && !before.refuses {
            (0..SERVERS).for_each(|server| self.drop_clients(server));
        }
        if before.mute && !condition.mute {
            for (connection, watch) in std::mem::take(&mut self.muted) {
                self.tell_event(connection, watch);
            }
        }
        self.look_at_all();
    }

    /// A server that follows is killed and joins again without what it should have been told.
    fn forget(&mut self, server: usize) {
        if self.leader() == Some(server) || !self.servers[server].alive {
            return;
        }
        let keeps_notes = self.draw.happens(500);
        self.kill(server);
        self.start(server);
        let one = &mut self.servers[server];
        one.lost = Lost::of(&one.tree, keeps_notes);
    }

    /// It is killed once more, and joins in good order.
    fn learn_again(&mut self, server: usize) {
        let lost = std::mem::take(&mut self.servers[server].lost);
        if !lost.is_empty() && self.servers[server].alive {
            self.kill(server);
            self.start(server);
        }
    }

    fn end_session_of(&mut self, process: &Process) {
        let of = |client: &&client::Client| client.party.process.is(process);
        let client = self.clients.values().rfind(of);
        let session = client.and_then(|client| client.session);
        let (Some((session, _)), Some(leader)) = (session, self.leader()) else {
            return;
        };
        if let Some(leading) = self.leading(leader) {
            leading.tracker.forget(session);
            leading.owners.remove(&session);
        }
        self.propose(leader, Change::Close, session, None);
    }
}
