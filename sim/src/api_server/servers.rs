use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use bytes::Bytes;
use serde_json::Value;

use super::condition::{Condition, Watching};
use super::kind::{Key, Kind};
use super::managed;
use super::operations::{Scene, Served};
use super::request::{Asked, Verb};
use super::rights::Rights;
use super::status::Failure;
use super::store::{Change, Store};
use crate::TrueTime;
use crate::electors::Gate;
use crate::executor::{Handle, NodeId};
use crate::random::{Purpose, Stream};

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// The streams of random numbers of the servers, beyond those of nodes and other stores.
const SERVERS: u64 = 1 << 33;
/// More watches than any run has at a time.
const SLEEPERS_MOST: usize = 10_000;

/// Several API servers on one store, in the world. Clones are the same servers.
#[derive(Clone)]
pub struct ApiServers(Arc<Inner>);

struct Inner {
    handle: Handle,
    state: Mutex<State>,
    /// What the servers' clocks show at the start.
    wall_s: i64,
}

pub(super) struct State {
    pub(super) draw: Stream,
    pub(super) rights: Rights,
    servers: Vec<Server>,
    pub(super) store: Store,
    /// What was written last, and how: a Lease is mostly read as it was answered.
    last_written: Option<(Arc<Value>, Bytes)>,
    /// Watches that wait for something to happen.
    sleepers: Vec<Waker>,
    witness: Option<Arc<dyn Witness>>,
}

struct Server {
    /// Up to where its cache has seen; it never goes back.
    cached: u64,
    condition: Condition,
    /// Counts the times that its condition changed.
    epoch: u64,
    gate: Gate,
}

/// Who is told of what happens at the servers.
pub trait Witness: Send + Sync {
    /// A request has arrived, and takes effect now if it has one.
    fn landed(&self, sender: &Sender, verb: Verb, kind: Kind);
    /// An object was changed: by a request, which names the version that it is made against, or by somebody of the world.
    fn changed(&self, sender: Option<&Sender>, basis: Option<u64>, change: &Change);
}

/// Where a request comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// From which node.
    pub node: NodeId,
    /// As whom.
    pub subject: String,
    /// What the sender calls the request.
    pub tag: u32,
    /// Whether nobody waits for the answer any more.
    pub zombie: bool,
}

impl ApiServers {
    /// Servers on an empty store, whose clocks show `wall_s` at the start.
    ///
    /// # Panics
    /// When there is to be none.
    pub fn new(handle: &Handle, seed: u64, servers: usize, wall_s: u64) -> Self {
        assert!(servers > 0, "a cluster has an API server");
        let server = |_| Server {
            cached: 0,
            condition: Condition::default(),
            epoch: 0,
            gate: Gate::default(),
        };
        let draw = Stream::new(seed, SERVERS, Purpose::Network);
        let store = Store::new(
            &["default"],
            Stream::new(seed, SERVERS + 1, Purpose::Network),
        );
        Self(Arc::new(Inner {
            handle: handle.clone(),
            state: Mutex::new(State {
                draw,
                rights: Rights::default(),
                servers: (0..servers).map(server).collect(),
                store,
                last_written: None,
                sleepers: Vec::new(),
                witness: None,
            }),
            wall_s: i64::try_from(wall_s).unwrap_or(i64::MAX / 2),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect(ONE_THREAD)
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// What the servers' clocks show.
    pub(super) fn unix_s(&self) -> i64 {
        let passed = self.0.handle.now().nanos() / 1_000_000_000;
        self.0
            .wall_s
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// From now on all that happens is told to `witness`.
    pub fn set_witness(&self, witness: Arc<dyn Witness>) {
        self.state().witness = Some(witness);
    }

    pub(super) fn witness(&self) -> Option<Arc<dyn Witness>> {
        self.state().witness.clone()
    }

    /// How many servers there are.
    pub fn count(&self) -> usize {
        self.state().servers.len()
    }

    /// Changes what subjects may do.
    pub fn change_rights(&self, change: impl FnOnce(&mut Rights)) {
        change(&mut self.state().rights);
    }

    /// What is wrong with a server.
    pub fn condition(&self, server: usize) -> Condition {
        self.state().servers[server].condition
    }

    /// From now on this is wrong with a server. Links to a server that goes away are to be broken by whoever has them.
    pub fn set_condition(&self, server: usize, condition: Condition) {
        let gate = {
            let mut state = self.state();
            let server = &mut state.servers[server];
            server.condition = condition;
            server.epoch += 1;
            server.gate.clone()
        };
        gate.set_closed(condition.hangs);
        self.wake_sleepers();
    }

    /// Forgets what happened until now, as far as no cache still needs it: watches from before are refused with 410.
    pub fn compact(&self) {
        let now = self.0.handle.now();
        let mut state = self.state();
        let count = state.servers.len();
        let seen = (0..count).map(|server| state.visible(server, now)).min();
        if let Some(seen) = seen {
            state.store.compact(seen);
        }
        drop(state);
        self.wake_sleepers();
    }

    /// An object as it is now.
    pub fn object(&self, key: &Key) -> Option<Arc<Value>> {
        self.state().store.get(key).cloned()
    }

    /// Somebody of the world, such as a kubelet or kubectl, changes an object: `change` gets what is there, and makes what is to be
    /// there; nothing for removing it.
    pub fn edit(&self, key: &Key, change: impl FnOnce(Option<Value>) -> Option<Value>) {
        let now = self.0.handle.now();
        let created = super::micro_time::write_seconds(self.unix_s());
        {
            let mut state = self.state();
            let live = state.store.get(key).map(|live| Value::clone(live));
            let is_new = live.is_none();
            match change(live.clone()) {
                None => drop(state.store.remove(now, key)),
                Some(object) if Some(&object) == live.as_ref() => {}
                Some(mut object) => {
                    if is_new {
                        object["kind"] = key.kind.name().into();
                        object["apiVersion"] = key.kind.api_version().into();
                        object["metadata"]["name"] = key.name.clone().into();
                        object["metadata"]["namespace"] = key.namespace.clone().into();
                        object["metadata"]["uid"] = state.store.new_uid().into();
                        object["metadata"]["creationTimestamp"] = created.into();
                    }
                    state.store.put(now, key.clone(), object);
                }
            }
        }
        self.tell_last(None, None, now);
    }

    /// Removes an object and makes one that says the same, under a new uid.
    pub fn recreate(&self, key: &Key) {
        let Some(mut object) = self.object(key).map(|object| Value::clone(&object)) else {
            return;
        };
        self.edit(key, |_| None);
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        self.edit(key, |_| Some(object));
    }

    /// Serves a request that is no watch, and tells what it changed.
    pub(super) fn serve(
        &self,
        server: usize,
        asked: &Asked,
        body: &[u8],
        from: (&Sender, &str),
    ) -> Result<Served, Failure> {
        let (sender, manager) = from;
        let (now, unix_s) = (self.0.handle.now(), self.unix_s());
        let (answer, wrote) = {
            let mut state = self.state();
            let visible = state.visible(server, now);
            let State { rights, store, .. } = &mut *state;
            let before = store.revision();
            let scene = Scene {
                manager,
                now,
                rights,
                subject: &sender.subject,
                unix_s,
                visible,
            };
            let answer = store.serve(asked, body, scene);
            (answer, store.revision() != before)
        };
        if wrote {
            let basis = answer.as_ref().ok().and_then(|served| served.basis);
            self.tell_last(Some(sender), basis, now);
        }
        answer
    }

    fn tell_last(&self, sender: Option<&Sender>, basis: Option<u64>, now: TrueTime) {
        let (witness, change) = {
            let state = self.state();
            let Some(witness) = state.witness.clone() else {
                drop(state);
                return self.wake_sleepers();
            };
            let revision = state.store.revision();
            let last = state
                .store
                .changes_after(revision.saturating_sub(1))
                .next()
                .cloned();
            (witness, last.filter(|change| change.at == now))
        };
        self.wake_sleepers();
        if let Some(change) = change {
            witness.changed(sender, basis, &change);
        }
    }

    pub(super) fn wake_sleepers(&self) {
        let sleepers = std::mem::take(&mut self.state().sleepers);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Waits while a server takes requests in and does nothing.
    pub(super) async fn pass(&self, server: usize) {
        let gate = self.state().servers[server].gate.clone();
        gate.pass().await;
    }
}

impl State {
    /// An object as the body of an answer.
    pub(super) fn written(&mut self, object: &Arc<Value>) -> Bytes {
        if let Some((known, bytes)) = &self.last_written
            && Arc::ptr_eq(known, object)
        {
            return bytes.clone();
        }
        let mut bytes = Vec::with_capacity(1_024);
        managed::write(object, &mut bytes);
        let bytes = Bytes::from(bytes);
        self.last_written = Some((Arc::clone(object), bytes.clone()));
        bytes
    }

    /// Up to which revision a server's cache has seen.
    pub(super) fn visible(&mut self, server: usize, now: TrueTime) -> u64 {
        let server = &mut self.servers[server];
        let lag = server.condition.lag.nanos();
        let seen = if lag == 0 {
            self.store.revision()
        } else {
            let then = TrueTime::from_nanos(now.nanos().saturating_sub(lag));
            self.store.revision_at(then)
        };
        server.cached = server.cached.max(seen);
        server.cached
    }

    /// When a server's cache sees the next change that it has not seen.
    pub(super) fn next_visible(&self, server: usize) -> Option<TrueTime> {
        let Server {
            cached, condition, ..
        } = &self.servers[server];
        let next = self.store.changes_after(*cached).next()?;
        Some(next.at.plus(condition.lag.into()))
    }

    pub(super) fn condition(&self, server: usize) -> Condition {
        self.servers[server].condition
    }

    pub(super) fn watching(&self, server: usize) -> Watching {
        self.servers[server].condition.watching
    }

    /// What changes whenever there may be something to tell.
    pub(super) fn moment(&self, server: usize) -> (u64, u64) {
        (self.store.revision(), self.servers[server].epoch)
    }

    /// Has a watch woken when something happens.
    pub(super) fn sleep(&mut self, waker: &Waker) {
        if self.sleepers.len() < SLEEPERS_MOST
            && !self.sleepers.iter().any(|known| known.will_wake(waker))
        {
            self.sleepers.push(waker.clone());
        }
    }
}

impl fmt::Debug for ApiServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiServers").finish()
    }
}
