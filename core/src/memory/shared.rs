use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use super::answer::{Answer, Slot};
use super::fault::Faults;
use super::hints::{Hints, Told, Watch};
use super::{Fault, Operation, PlannedFault, Reply, Request, SessionId};
use crate::backend::{Hint, Observation};
use crate::{Error, ErrorKind};

/// What a kind of store is besides its handles: its data, and what a request does to it. For who models the way between a candidate
/// and the store without handles.
pub trait State: fmt::Debug + Send + 'static {
    /// The name that errors carry.
    const NAME: &'static str;

    /// Whether the requests of one handle arrive in the order in which they were sent, as over one connection. One that is overtaken
    /// never arrives.
    const ORDERED: bool;

    /// Starts a session.
    fn open(&mut self) -> SessionId;

    /// Whether the session has not ended.
    fn is_open(&self, session: SessionId) -> bool;

    /// Applies one request at one moment.
    fn apply(&mut self, from: SessionId, request: &Request) -> (Result<Reply, Error>, Told);

    /// The handle lets go in an orderly way.
    fn abandon(&mut self, session: SessionId) -> Told;

    /// The handle is gone, as after a crash of its process.
    fn crash(&mut self, session: SessionId) -> Told;

    /// What a read shows.
    fn observe(&self) -> Observation;

    /// What a read showed before the last change.
    fn observe_before(&self) -> Observation;
}

#[derive(Debug)]
struct Client {
    faults: Faults,
    landed: u64,
    sent: u64,
    session: SessionId,
}

#[derive(Debug)]
struct Inner<S> {
    calls: BTreeMap<Operation, u64>,
    clients: BTreeMap<u64, Client>,
    clients_ever: u64,
    faults: Faults,
    hints: Hints,
    state: S,
}

impl<S: State> Inner<S> {
    /// The session of `client`; a new one when the last has ended.
    fn session(&mut self, client: u64) -> SessionId {
        let known = self.clients.get(&client).map(|client| client.session);
        match known {
            Some(session) if self.state.is_open(session) => session,
            _ => {
                let session = self.state.open();
                if let Some(client) = self.clients.get_mut(&client) {
                    client.session = session;
                }
                session
            }
        }
    }

    /// The number of a request that is sent now.
    fn number(&mut self, client: u64) -> u64 {
        self.clients.get_mut(&client).map_or(0, |client| {
            client.sent += 1;
            client.sent
        })
    }

    /// Whether a request that lands now was overtaken by a later one, or has landed before.
    fn is_overtaken(&mut self, client: u64, number: u64) -> bool {
        let Some(client) = self.clients.get_mut(&client) else {
            return false;
        };
        let overtaken = client.landed >= number;
        client.landed = client.landed.max(number);
        S::ORDERED && overtaken
    }

    fn meet(&mut self, client: u64, operation: Operation) -> Option<Fault> {
        *self.calls.entry(operation).or_default() += 1;
        let own = self
            .clients
            .get_mut(&client)
            .and_then(|client| client.faults.meet(operation));
        let common = self.faults.meet(operation);
        own.or(common)
    }
}

/// A store with its handles, hints and faults.
#[derive(Debug)]
pub(super) struct Shared<S> {
    inner: Mutex<Inner<S>>,
}

impl<S: State> Shared<S> {
    pub(super) fn new(state: S) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                calls: BTreeMap::new(),
                clients: BTreeMap::new(),
                clients_ever: 0,
                faults: Faults::default(),
                hints: Hints::new(Watch::Changes),
                state,
            }),
        })
    }

    pub(super) fn join(&self) -> u64 {
        let mut inner = self.lock();
        inner.clients_ever += 1;
        let client = inner.clients_ever;
        let session = inner.state.open();
        let faults = Faults::default();
        let (landed, sent) = (0, 0);
        let new = Client {
            faults,
            landed,
            sent,
            session,
        };
        inner.clients.insert(client, new);
        inner.hints.join(client);
        client
    }

    /// Applies a request of `session` now, without faults.
    pub(super) fn apply(&self, from: SessionId, request: &Request) -> Result<Reply, Error> {
        self.change(|state| state.apply(from, request))
    }

    /// Changes the state, tells the handles, and wakes those that wait, first come first.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut S) -> (R, Told)) -> R {
        self.change_by(None, change)
    }

    fn change_by<R>(&self, by: Option<u64>, change: impl FnOnce(&mut S) -> (R, Told)) -> R {
        let (result, due) = {
            let mut inner = self.lock();
            let (result, told) = change(&mut inner.state);
            if told != Told::Nothing {
                let seen = inner.state.observe();
                inner.hints.tell(told, by, &seen);
            }
            (result, inner.hints.due())
        };
        for waker in due {
            waker.wake();
        }
        result
    }

    pub(super) fn read<R>(&self, read: impl FnOnce(&S) -> R) -> R {
        read(&self.lock().state)
    }

    pub(super) fn session_of(&self, client: u64) -> SessionId {
        self.lock().session(client)
    }

    pub(super) fn calls(&self, operation: Operation) -> u64 {
        self.lock().calls.get(&operation).copied().unwrap_or(0)
    }

    pub(super) fn inject(&self, fault: PlannedFault) {
        self.lock().faults.plan(fault);
    }

    pub(super) fn clear_faults(&self) {
        let mut inner = self.lock();
        inner.faults.clear();
        for client in inner.clients.values_mut() {
            client.faults.clear();
        }
    }

    pub(super) fn set_watch(&self, watch: Watch) {
        self.tell(|hints| hints.set_watch(watch));
    }

    /// Tells the handle that has this session that its connection is lost.
    pub(super) fn disconnect(&self, session: SessionId) {
        let client = self
            .lock()
            .clients
            .iter()
            .find_map(|(id, client)| (client.session == session).then_some(*id));
        if let Some(client) = client {
            self.tell(|hints| hints.disconnected(client));
        }
    }

    fn tell(&self, change: impl FnOnce(&mut Hints)) {
        let due = {
            let mut inner = self.lock();
            change(&mut inner.hints);
            inner.hints.due()
        };
        for waker in due {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store as its handles see it, whatever its kind.
pub(super) trait Server: fmt::Debug + Send + Sync {
    /// Sends a request; what its fault says happens to it, whether or not anybody waits for the answer.
    fn send(self: Arc<Self>, client: u64, request: Request) -> Answer;

    /// The next hint for `client`.
    fn poll_hint(&self, client: u64, context: &Context<'_>) -> Poll<Hint>;

    /// See [`State::abandon`].
    fn abandon(&self, client: u64);

    /// See [`State::crash`].
    fn leave(&self, client: u64);

    /// Plans a fault for `client` alone.
    fn inject(&self, client: u64, fault: PlannedFault);

    /// The session that `client` has now.
    fn session(&self, client: u64) -> SessionId;
}

fn unanswered(operation: Operation, store: &'static str) -> Error {
    let effect = operation.effect_without_answer();
    let detail = "the test lost the request or its answer";
    Error::new(ErrorKind::Timeout, effect, operation.name(), store, detail)
}

impl<S: State> Server for Shared<S> {
    fn send(self: Arc<Self>, client: u64, request: Request) -> Answer {
        let operation = request.operation();
        let (from, fault, number) = {
            let mut inner = self.lock();
            let fault = inner.meet(client, operation);
            (inner.session(client), fault, inner.number(client))
        };
        let server = Arc::clone(&self);
        let lost = move || unanswered(operation, S::NAME);
        let land = move || {
            if server.lock().is_overtaken(client, number) {
                return Err(lost());
            }
            server.change_by(Some(client), |state| state.apply(from, &request))
        };
        match fault {
            None => Answer::now(land()),
            Some(Fault::Delay(gate)) => {
                let slot = Slot::default();
                let arrival = slot.clone();
                gate.pass(Box::new(move || arrival.fill(land())));
                Answer::Later(slot)
            }
            Some(Fault::DelayReply(gate)) => {
                let (slot, reply) = (Slot::default(), land());
                let arrival = slot.clone();
                gate.pass(Box::new(move || arrival.fill(reply)));
                Answer::Later(slot)
            }
            Some(Fault::Duplicate(gate)) => {
                let reply = land();
                gate.pass(Box::new(move || drop(land())));
                Answer::now(reply)
            }
            Some(Fault::LandLater(gate)) => {
                gate.pass(Box::new(move || drop(land())));
                Answer::now(Err(lost()))
            }
            Some(Fault::HangAfterRequest) => {
                drop(land());
                Answer::Never
            }
            Some(Fault::HangBeforeRequest) => Answer::Never,
            Some(Fault::LoseReply) => {
                drop(land());
                Answer::now(Err(lost()))
            }
            Some(Fault::LoseRequest) => Answer::now(Err(lost())),
            Some(Fault::Panic(message)) => panic!("{message}"),
            Some(Fault::Refuse(kind)) => {
                let (effect, detail) = (crate::Effect::NotApplied, "the test refuses it");
                Answer::now(Err(Error::new(
                    kind,
                    effect,
                    operation.name(),
                    S::NAME,
                    detail,
                )))
            }
            Some(Fault::Stale) if operation == Operation::Observe => {
                Answer::now(Ok(Reply::Observed(self.read(S::observe_before))))
            }
            Some(Fault::Stale) => Answer::now(land()),
        }
    }

    fn poll_hint(&self, client: u64, context: &Context<'_>) -> Poll<Hint> {
        self.lock().hints.poll(client, context)
    }

    fn abandon(&self, client: u64) {
        let session = self.session_of(client);
        self.change_by(Some(client), |state| ((), state.abandon(session)));
    }

    fn leave(&self, client: u64) {
        let gone = {
            let mut inner = self.lock();
            inner.hints.leave(client);
            inner.clients.remove(&client)
        };
        if let Some(gone) = gone {
            self.change(|state| ((), state.crash(gone.session)));
        }
    }

    fn inject(&self, client: u64, fault: PlannedFault) {
        if let Some(client) = self.lock().clients.get_mut(&client) {
            client.faults.plan(fault);
        }
    }

    fn session(&self, client: u64) -> SessionId {
        self.session_of(client)
    }
}
