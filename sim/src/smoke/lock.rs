use std::collections::VecDeque;
use std::fmt;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Claim, Description, Hint, Member, Observation, OperatorRequest, Release, Released,
    Renewal, Renewed, Submitted,
};
use tenure_core::memory::{MemoryLock, Operation, Reply, Request, SessionId};
use tenure_core::{CandidateId, Effect, Error, ErrorKind, LockBackend};

use super::network::{Network, Route};
use super::sabotage::Sabotage;
use super::stats::Tally;
use super::store::Store;
use crate::TrueTime;
use crate::executor::{Handle, NodeId, Process, ReplySender, reply};

/// The most hints that wait to be asked for; more of them replace the oldest.
const HINTS_MAX: usize = 16;

/// What a connection is made of.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    pub(super) handle: Handle,
    pub(super) network: Network,
    pub(super) sabotage: Option<Sabotage>,
    pub(super) store: Store,
    pub(super) tally: Tally,
}

/// One process's way to the store: over a network that loses and delays, with effects that outlive the process.
#[derive(Debug)]
pub(super) struct SimLock {
    connection: Arc<Connection>,
    description: Description,
}

struct Connection {
    /// When the last request of the session lands: they keep their order, as on one connection to one server.
    arrives: Mutex<TrueTime>,
    hints: Mutex<Hints>,
    lock: MemoryLock,
    node: NodeId,
    process: Process,
    wiring: Wiring,
}

#[derive(Default)]
struct Hints {
    queue: VecDeque<Hint>,
    waker: Option<Waker>,
}

impl SimLock {
    /// A connection for `process` on `node`.
    pub(super) fn connect(wiring: &Wiring, node: NodeId, process: &Process) -> Self {
        let connection = Arc::new(Connection {
            arrives: Mutex::new(TrueTime::START),
            hints: Mutex::new(Hints::default()),
            lock: wiring.store.handle(),
            node,
            process: process.clone(),
            wiring: wiring.clone(),
        });
        let handle = &wiring.handle;
        handle.spawn_in_world(forward_hints(Arc::clone(&connection)));
        if wiring.store.pinged_every().is_some() {
            handle.spawn_in_world(ping(Arc::clone(&connection)));
        }
        Self {
            description: connection.lock.description().clone(),
            connection,
        }
    }

    /// The session that the connection has now.
    pub(super) fn session(&self) -> SessionId {
        self.connection.lock.session()
    }

    async fn call(&self, request: Request) -> Result<Reply, Error> {
        let connection = &self.connection;
        if !connection.process.is_alive() {
            return pending().await;
        }
        let Wiring {
            handle,
            network,
            sabotage,
            store,
            ..
        } = &connection.wiring;
        let route = network.route(connection.node);
        let answer = connection.send(route, request.clone()).await;
        match sabotage {
            Some(sabotage) => {
                let session = connection.lock.session();
                sabotage.falsify(handle.now(), store, session, &request, answer)
            }
            None => answer,
        }
    }
}

impl Connection {
    fn hints(&self) -> MutexGuard<'_, Hints> {
        self.hints
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }

    fn tell(&self, hint: Hint) {
        let waker = {
            let mut hints = self.hints();
            if hints.queue.len() == HINTS_MAX {
                hints.queue.pop_front();
            }
            hints.queue.push_back(hint);
            hints.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Sends a request. From here on its effect belongs to the world.
    fn send(
        self: &Arc<Self>,
        route: Route,
        request: Request,
    ) -> impl Future<Output = Result<Reply, Error>> + use<> {
        let (sender, answer) = reply();
        let session = self.lock.session();
        if let (Some(again), true) = (route.again, self.wiring.store.is_leased()) {
            let (connection, request) = (Arc::clone(self), request.clone());
            self.wiring.handle.spawn_in_world(async move {
                connection.wiring.handle.sleep(again).await;
                drop(connection.land(session, &request));
            });
        }
        let connection = Arc::clone(self);
        let arrives = self.arrival(&route);
        self.wiring.handle.spawn_in_world(async move {
            connection
                .carry(arrives, route, session, request, sender)
                .await;
        });
        answer
    }

    /// When a request lands that is sent now: on a session not before those that were sent earlier.
    fn arrival(&self, route: &Route) -> Option<TrueTime> {
        let arrives = self.wiring.handle.now().plus(route.request?);
        if self.wiring.store.is_leased() {
            return Some(arrives);
        }
        let mut last = self
            .arrives
            .lock()
            .expect("one thread, and nothing panics under the lock");
        *last = arrives.max(last.plus(Duration::from_nanos(1)));
        Some(*last)
    }

    async fn carry(
        self: Arc<Self>,
        arrives: Option<TrueTime>,
        route: Route,
        session: SessionId,
        request: Request,
        sender: ReplySender<Result<Reply, Error>>,
    ) {
        let handle = &self.wiring.handle;
        let operation = request.operation();
        let mut landed = None;
        if let Some(arrives) = arrives {
            handle.sleep_until(arrives).await;
            if sender.is_abandoned() {
                self.wiring.tally.count(|stats| stats.zombies += 1);
            }
            if self.wiring.network.lets_requests(self.node) {
                landed = Some(self.land(session, &request));
            }
        }
        let applied = landed.is_some();
        if let (Some(result), Some(back)) = (landed, route.reply) {
            handle.sleep(back).await;
            if self.wiring.network.lets_replies(self.node) {
                sender.send(result);
                return;
            }
        }
        self.wiring.tally.count(|stats| stats.unknown += 1);
        if let Some(reset) = route.reset {
            handle.sleep(reset).await;
            sender.send(Err(lost(operation, applied)));
        }
    }

    fn land(&self, session: SessionId, request: &Request) -> Result<Reply, Error> {
        let Wiring { handle, store, .. } = &self.wiring;
        if store.refuses() {
            let operation = request.operation().name();
            let (kind, effect) = (ErrorKind::Unavailable, Effect::NotApplied);
            return Err(Error::new(
                kind,
                effect,
                operation,
                "sim",
                "the store refuses",
            ));
        }
        store.apply(handle.now(), session, request)
    }
}

/// What a client says when its connection broke: it cannot know whether the request arrived.
fn lost(operation: Operation, applied: bool) -> Error {
    let effect = operation.effect_without_answer();
    let detail = if applied {
        "the reply was lost"
    } else {
        "the request was lost"
    };
    Error::new(
        ErrorKind::Unavailable,
        effect,
        operation.name(),
        "sim",
        detail,
    )
}

/// Carries what the store tells to the process, as the network allows.
async fn forward_hints(connection: Arc<Connection>) {
    while connection.process.is_alive() {
        let hint = connection.lock.changed().await;
        let route = connection.wiring.network.route(connection.node);
        let deaf = connection.wiring.sabotage == Some(Sabotage::TrustedRenewal);
        let Some(takes) = route.reply.filter(|_| !deaf) else {
            continue;
        };
        let to = Arc::clone(&connection);
        connection.wiring.handle.spawn_in_world(async move {
            to.wiring.handle.sleep(takes).await;
            if to.wiring.network.lets_replies(to.node) {
                to.tell(hint);
            }
        });
    }
}

/// Keeps the session alive as a client library does, whatever the elector does: it proves nothing to anybody.
async fn ping(connection: Arc<Connection>) {
    let Wiring {
        handle,
        network,
        store,
        ..
    } = &connection.wiring;
    while let (Some(every), true) = (store.pinged_every(), connection.process.is_alive()) {
        handle.sleep(every).await;
        let up = connection.process.is_alive() && !connection.process.is_paused();
        if up && network.lets_requests(connection.node) {
            store.hear(handle.now(), connection.lock.session());
        }
    }
}

/// The answer of one kind; another one would be a mistake of the store.
macro_rules! answered {
    ($reply:expr, $variant:ident) => {
        match $reply? {
            Reply::$variant(answer) => Ok(answer),
            other => unreachable!("a store answers what it was asked, not {other:?}"),
        }
    };
}

#[async_trait]
impl LockBackend for SimLock {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn observe(&self) -> Result<Observation, Error> {
        answered!(self.call(Request::Observe).await, Observed)
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        answered!(self.call(Request::Acquire(claim.clone())).await, Acquired)
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        answered!(self.call(Request::Renew(renewal.clone())).await, Renewed)
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        answered!(self.call(Request::Release(release.clone())).await, Released)
    }

    async fn changed(&self) -> Hint {
        poll_fn(|context| {
            let mut hints = self.connection.hints();
            match hints.queue.pop_front() {
                Some(hint) => Poll::Ready(hint),
                None => {
                    hints.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        let request = Request::Enlist(candidate.clone());
        self.call(request).await.map(drop)
    }

    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        let request = Request::Withdraw(candidate.clone());
        self.call(request).await.map(drop)
    }

    fn abandon(&self) {
        let connection = &self.connection;
        if !connection.process.is_alive() {
            return;
        }
        let session = connection.lock.session();
        let Wiring {
            handle,
            network,
            store,
            ..
        } = &connection.wiring;
        let Some(takes) = network.route(connection.node).request else {
            return;
        };
        let (store, clock) = (store.clone(), handle.clone());
        handle.spawn_in_world(async move {
            clock.sleep(takes).await;
            store.close(session);
        });
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        answered!(self.call(Request::Members).await, Members)
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        answered!(self.call(Request::Submit(*request)).await, Submitted)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
