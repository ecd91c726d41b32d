use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_core::backend::Hint;
use tenure_core::memory::{MemoryLock, Operation, Reply, Request, SessionId};
use tenure_core::{Clock, Error, ErrorKind, LockBackend};

use super::log::Actor;
use super::network::{Network, Route};
use super::recorded::Current;
use super::store::Store;
use crate::TrueTime;
use crate::clock::SimClock;
use crate::executor::{Handle, Reply as Answer, ReplySender, reply};
use crate::trace::{Life, RequestId};

/// The most hints that wait to be asked for; more of them replace the oldest.
const HINTS_MAX: usize = 16;
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

type Result<T> = std::result::Result<T, Error>;

/// What a connection is made of.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    pub(super) handle: Handle,
    pub(super) network: Network,
    pub(super) store: Store,
    /// Whether no process listens to hints.
    pub(super) swallows_hints: bool,
}

/// One process's connection to the store: over a network that loses and delays, with effects that outlive the process.
pub(super) struct Connection {
    pub(super) actor: Actor,
    current: Current,
    life: Life,
    pub(super) lock: MemoryLock,
    state: Mutex<State>,
    /// Whether the process does not listen to hints.
    swallows_hints: bool,
    timeout: Duration,
    pub(super) wiring: Wiring,
}

struct State {
    /// Set when what has not arrived will not arrive any more.
    cut: bool,
    hints: VecDeque<Hint>,
    hints_waker: Option<Waker>,
    /// When the server was last heard from.
    last_heard: TrueTime,
    letters: u64,
    /// What waits to be carried in order, and whoever carries it.
    queue: VecDeque<Letter>,
    queue_waker: Option<Waker>,
    session: SessionId,
    waiting: BTreeMap<u64, (Operation, ReplySender<Result<Reply>>)>,
}

/// A request on its way.
struct Letter {
    arrives: Option<TrueTime>,
    number: u64,
    request: Request,
    request_id: RequestId,
    route: Route,
    session: SessionId,
}

impl Connection {
    /// A connection of `actor`'s process, whose session times out after `timeout` on the server's clock.
    pub(super) fn open(
        actor: Actor,
        clock: Arc<SimClock>,
        current: Current,
        life: Life,
        timeout: Duration,
        wiring: &Wiring,
    ) -> Arc<Self> {
        let lock = wiring.store.lock();
        let session = wiring.store.open_session(life, timeout);
        let connection = Arc::new(Self {
            current,
            life,
            state: Mutex::new(State {
                cut: false,
                hints: VecDeque::new(),
                hints_waker: None,
                last_heard: wiring.handle.now(),
                letters: 0,
                queue: VecDeque::new(),
                queue_waker: None,
                session: session.unwrap_or_else(|| lock.session()),
                waiting: BTreeMap::new(),
            }),
            lock,
            swallows_hints: wiring.swallows_hints,
            timeout,
            wiring: wiring.clone(),
            actor,
        });
        let handle = &wiring.handle;
        handle.spawn_in_world(forward_hints(Arc::clone(&connection)));
        if wiring.store.is_ordered() {
            handle.spawn_in_world(carry_in_order(Arc::clone(&connection)));
        }
        if wiring.store.counts_sessions() {
            let process = connection.actor.process.clone();
            handle.spawn_thread(&process, ping(Arc::clone(&connection), clock));
        }
        connection
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(ONE_THREAD)
    }

    /// The session that the process believes to have.
    pub(super) fn session(&self) -> SessionId {
        if self.wiring.store.counts_sessions() {
            self.state().session
        } else {
            self.lock.session()
        }
    }

    /// Sends a request. From here on its effect belongs to the world.
    pub(super) fn send(self: &Arc<Self>, request: Request) -> Answer<Result<Reply>> {
        let (sender, answer) = reply();
        let Wiring {
            handle,
            network,
            store,
            ..
        } = &self.wiring;
        let route = network.route(self.actor.node);
        let session = self.session();
        let number = {
            let mut state = self.state();
            state
                .waiting
                .retain(|_, (_, sender)| !sender.is_abandoned());
            state.letters += 1;
            let number = state.letters;
            state.waiting.insert(number, (request.operation(), sender));
            number
        };
        let letter = Letter {
            arrives: route.request.map(|takes| handle.now().plus(takes)),
            number,
            request,
            request_id: self.current.request(),
            route,
            session,
        };
        if store.is_ordered() {
            let waker = {
                let mut state = self.state();
                state.queue.push_back(letter);
                state.queue_waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        } else {
            self.carry_again(&letter);
            let connection = Arc::clone(self);
            handle.spawn_in_world(async move {
                let landed = connection.carry(&letter).await;
                connection.bring_back(letter, landed).await;
            });
        }
        answer
    }

    fn carry_again(self: &Arc<Self>, letter: &Letter) {
        let Some(again) = letter.route.again else {
            return;
        };
        let arrives = self.wiring.handle.now().plus(again);
        let copy = Letter {
            arrives: Some(arrives),
            number: 0,
            request: letter.request.clone(),
            request_id: letter.request_id,
            route: letter.route.clone(),
            session: letter.session,
        };
        let connection = Arc::clone(self);
        self.wiring.handle.spawn_in_world(async move {
            drop(connection.carry(&copy).await);
        });
    }

    /// Carries a request to the store. The store's answer, unless something is lost.
    async fn carry(&self, letter: &Letter) -> Option<Result<Reply>> {
        let Wiring {
            handle,
            network,
            store,
            ..
        } = &self.wiring;
        handle.sleep_until(letter.arrives?).await;
        network.pass(self.actor.node).await;
        if self.state().cut || !network.lets_requests(self.actor.node) {
            return None;
        }
        let zombie = self.is_alone(letter.number);
        store
            .land(
                self.actor.node,
                letter.session,
                &letter.request,
                letter.request_id,
                zombie,
            )
            .await
    }

    /// Whether nobody waits for the answer any more.
    fn is_alone(&self, letter: u64) -> bool {
        let state = self.state();
        let waiting = state.waiting.get(&letter);
        waiting.is_none_or(|(_, sender)| sender.is_abandoned()) || !self.actor.process.is_alive()
    }

    /// Carries the answer back, or says after a while that something was lost.
    async fn bring_back(&self, letter: Letter, landed: Option<Result<Reply>>) {
        let Wiring {
            handle,
            network,
            store,
            ..
        } = &self.wiring;
        if let (Some(answer), Some(back)) = (landed, letter.route.reply) {
            handle.sleep(back).await;
            network.pass(self.actor.node).await;
            if network.lets_replies(self.actor.node) && !store.trouble().away {
                self.heard(letter.session);
                if let Some((_, sender)) = self.taken(letter.number) {
                    sender.send(answer);
                }
                return;
            }
        }
        if let Some(told) = letter.route.told {
            handle.sleep(told).await;
            if let Some((operation, sender)) = self.taken(letter.number) {
                sender.send(Err(lost(operation)));
            }
        }
    }

    fn taken(&self, letter: u64) -> Option<(Operation, ReplySender<Result<Reply>>)> {
        self.state().waiting.remove(&letter)
    }

    /// The server has answered. It says by that whether it still knows the session.
    fn heard(&self, session: SessionId) {
        self.state().last_heard = self.wiring.handle.now();
        if !self.wiring.store.knows(session) {
            self.begin_session(session);
        }
    }

    /// The session has ended: another one begins, once.
    fn begin_session(&self, ended: SessionId) {
        if !self.actor.process.is_alive() || self.state().session != ended {
            return;
        }
        if let Some(session) = self.wiring.store.open_session(self.life, self.timeout) {
            self.state().session = session;
            self.tell(Hint::Disconnected);
        }
    }

    /// Whoever waits for an answer is told that it is lost.
    fn lose_answers(&self) {
        let waiting = std::mem::take(&mut self.state().waiting);
        for (operation, sender) in waiting.into_values() {
            sender.send(Err(lost(operation)));
        }
    }

    /// The connection breaks: whoever waits is told so.
    pub(super) fn broke(&self) {
        self.lose_answers();
        if self.wiring.store.counts_sessions() {
            self.wiring.store.reconnect(self.session());
            self.tell(Hint::Disconnected);
        }
    }

    /// What has not arrived at the store never arrives.
    pub(super) fn cut(&self) {
        self.state().cut = true;
    }

    pub(super) fn tell(&self, hint: Hint) {
        let waker = {
            let mut state = self.state();
            if state.hints.len() == HINTS_MAX {
                state.hints.pop_front();
            }
            state.hints.push_back(hint);
            state.hints_waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) async fn next_hint(&self) -> Hint {
        poll_fn(|context| {
            let mut state = self.state();
            match state.hints.pop_front() {
                Some(hint) => Poll::Ready(hint),
                None => {
                    state.hints_waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The process is dead: what it has sent is still carried, and nothing more comes.
    pub(super) fn hang_up(&self) {
        let waker = self.state().queue_waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn next_letter(&self) -> Option<Letter> {
        poll_fn(|context| {
            let mut state = self.state();
            match state.queue.pop_front() {
                Some(letter) => Poll::Ready(Some(letter)),
                None if !self.actor.process.is_alive() => Poll::Ready(None),
                None => {
                    state.queue_waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// What a client says when its connection broke: it cannot know whether the request arrived.
fn lost(operation: Operation) -> Error {
    let effect = operation.effect_without_answer();
    let detail = "the connection broke";
    Error::new(
        ErrorKind::Unavailable,
        effect,
        operation.name(),
        "sim",
        detail,
    )
}

/// Carries one connection's requests one after another, as a stream of bytes does.
async fn carry_in_order(connection: Arc<Connection>) {
    while let Some(letter) = connection.next_letter().await {
        let landed = connection.carry(&letter).await;
        let back = Arc::clone(&connection);
        connection.wiring.handle.spawn_in_world(async move {
            back.bring_back(letter, landed).await;
        });
    }
}

/// Carries what the store tells to the process, as the network allows.
async fn forward_hints(connection: Arc<Connection>) {
    let Wiring {
        handle,
        network,
        store,
        ..
    } = &connection.wiring;
    let node = connection.actor.node;
    let swallows = connection.swallows_hints;
    while connection.actor.process.is_alive() {
        let hint = connection.lock.changed().await;
        let trouble = store.trouble();
        let Some(takes) = network
            .route(node)
            .reply
            .filter(|_| !trouble.mute && !swallows)
        else {
            continue;
        };
        let takes = takes.saturating_add(trouble.stale.into());
        let to = Arc::clone(&connection);
        handle.spawn_in_world(async move {
            let Wiring {
                handle, network, ..
            } = &to.wiring;
            handle.sleep(takes).await;
            network.pass(to.actor.node).await;
            if network.lets_replies(to.actor.node) && to.actor.process.is_alive() {
                to.tell(hint);
            }
        });
    }
}

/// Keeps the session alive as a client library does, whatever the elector does, and gives it up when the server has long been
/// silent: it proves nothing to anybody.
async fn ping(connection: Arc<Connection>, clock: Arc<SimClock>) {
    let Wiring { handle, .. } = &connection.wiring;
    loop {
        clock.sleep(connection.timeout / 3).await;
        let (session, last_heard) = {
            let state = connection.state();
            (state.session, state.last_heard)
        };
        let silent = handle.now().since(last_heard) > connection.timeout * 7 / 5;
        if silent && connection.reaches() {
            // Its client closes the session that it takes for ended, and with it the place in the queue. What it still gets to hear of
            // that session it passes on to nobody.
            connection.lose_answers();
            connection.wiring.store.end_session(session);
            connection.begin_session(session);
        }
        let sent = Arc::clone(&connection);
        handle.spawn_in_world(async move { sent.carry_ping(session).await });
    }
}

impl Connection {
    /// Whether a request would be answered now.
    fn reaches(&self) -> bool {
        let Wiring { network, store, .. } = &self.wiring;
        let node = self.actor.node;
        network.lets_requests(node) && network.lets_replies(node) && !store.trouble().away
    }

    async fn carry_ping(&self, session: SessionId) {
        let Wiring {
            handle,
            network,
            store,
            ..
        } = &self.wiring;
        let node = self.actor.node;
        let route = network.route(node);
        let Some(there) = route.request else {
            return;
        };
        handle.sleep(there).await;
        network.pass(node).await;
        if self.state().cut || !network.lets_requests(node) || store.trouble().away {
            return;
        }
        store.hear(session);
        let Some(back) = route.reply else {
            return;
        };
        handle.sleep(back).await;
        network.pass(node).await;
        if network.lets_replies(node) && !store.trouble().away {
            self.heard(session);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}
