use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{Method, Request, Response};
use kube::client::Body;
use tower_service::Service;

use super::body::{Broken, End, Pipe, SimBody};
use super::landing::Landed;
use super::servers::{ApiServers, Sender};
use crate::TrueTime;
use crate::electors::{Network, Route};
use crate::executor::{Host, NodeId, Process, Reply, ReplySender, reply};

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// What a client is called that does not say.
const NAMELESS: &str = "unknown";

type Answer = Result<Response<SimBody>, Broken>;

/// One process's connections to an API server, over the simulated network: what a `kube::Client` sends its requests through.
/// Clones are the same link.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    api: ApiServers,
    network: Network,
    node: NodeId,
    process: Process,
    state: Mutex<State>,
    subject: String,
    tag: Box<dyn Fn() -> u32 + Send + Sync>,
}

struct State {
    /// Set when what has not arrived will not arrive any more.
    cut: bool,
    letters: u64,
    server: usize,
    streams: Vec<(usize, Pipe)>,
    token_expired: bool,
    waiting: BTreeMap<u64, (usize, ReplySender<Answer>)>,
}

/// A request on its way.
#[derive(Clone)]
pub(super) struct Letter {
    arrives: Option<TrueTime>,
    pub(super) body: Bytes,
    pub(super) link: Link,
    /// The program's name.
    pub(super) manager: String,
    pub(super) method: Method,
    number: u64,
    pub(super) path: String,
    route: Route,
    pub(super) server: usize,
    tag: u32,
    pub(super) token_expired: bool,
}

/// Of whom a link is.
pub struct Client {
    /// On which node.
    pub node: NodeId,
    /// Of which process.
    pub process: Process,
    /// As whom.
    pub subject: String,
    /// What a request that is sent now is called.
    pub tag: Box<dyn Fn() -> u32 + Send + Sync>,
}

impl Link {
    /// A link of a process to one of the servers.
    pub(crate) fn open(api: &ApiServers, network: &Network, client: Client, server: usize) -> Self {
        let Client {
            node,
            process,
            subject,
            tag,
        } = client;
        Self(Arc::new(Inner {
            api: api.clone(),
            network: network.clone(),
            node,
            process,
            state: Mutex::new(State {
                cut: false,
                letters: 0,
                server,
                streams: Vec::new(),
                token_expired: false,
                waiting: BTreeMap::new(),
            }),
            subject,
            tag,
        }))
    }

    /// The real client over this link.
    pub fn client(&self, host: &Host, namespace: &str) -> kube::Client {
        host.inside(|| kube::Client::new(self.clone(), namespace))
    }

    pub(super) fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + use<> {
        self.0.api.handle().sleep(duration)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect(ONE_THREAD)
    }

    /// What has not arrived at a server never arrives.
    pub fn cut(&self) {
        self.state().cut = true;
    }

    /// All connections break: whoever waits is told so. The next ones are to another server that runs, if there is one.
    pub fn broke(&self) {
        self.break_where(|_| true);
    }

    /// The connections to a server break.
    pub fn server_went(&self, server: usize) {
        self.break_where(|other| other == server);
    }

    fn break_where(&self, breaks: impl Fn(usize) -> bool) {
        let (senders, pipes) = {
            let mut state = self.state();
            let waiting = std::mem::take(&mut state.waiting);
            let (broken, kept): (BTreeMap<_, _>, _) = waiting
                .into_iter()
                .partition(|(_, (server, _))| breaks(*server));
            state.waiting = kept;
            let streams = std::mem::take(&mut state.streams);
            let (ended, kept): (Vec<_>, _) =
                streams.into_iter().partition(|(server, _)| breaks(*server));
            state.streams = kept;
            (broken, ended)
        };
        for (_, sender) in senders.into_values() {
            sender.send(Err(Broken));
        }
        for (_, pipe) in pipes {
            pipe.end(End::Broken);
        }
        self.reconnect();
    }

    /// A balancer leads new connections to the next server that runs.
    fn reconnect(&self) {
        let count = self.0.api.count();
        let now = self.state().server;
        let others = (1..=count).map(|step| (now + step) % count);
        let next = others
            .clone()
            .find(|server| !self.0.api.condition(*server).away);
        self.state().server = next.unwrap_or(now);
    }

    /// Whether the token that the process shows has expired.
    pub fn set_token_expired(&self, expired: bool) {
        self.state().token_expired = expired;
    }

    pub(super) fn add_stream(&self, server: usize, pipe: &Pipe) {
        let mut state = self.state();
        state.streams.retain(|(_, pipe)| !pipe.is_closed());
        state.streams.push((server, pipe.clone()));
    }

    pub(super) fn route(&self) -> Route {
        self.0.network.route(self.0.node)
    }

    pub(super) async fn pass(&self) {
        self.0.network.pass(self.0.node).await;
    }

    pub(super) fn lets_replies(&self) -> bool {
        self.0.network.lets_replies(self.0.node)
    }

    /// Sends a request. From here on its effect belongs to the world.
    fn send(&self, request: Request<Body>) -> Reply<Answer> {
        let (sender, answer) = reply();
        if !self.0.process.is_alive() {
            return answer;
        }
        let letter = self.letter(request, sender);
        let handle = self.0.api.handle();
        if let Some(again) = letter.route.again {
            let copy = Letter {
                arrives: Some(handle.now().plus(again)),
                number: 0,
                ..letter.clone()
            };
            handle.spawn_in_world(async move { drop(copy.carry().await) });
        }
        handle.spawn_in_world(async move {
            let landed = letter.carry().await;
            letter.bring_back(landed).await;
        });
        answer
    }

    fn letter(&self, request: Request<Body>, sender: ReplySender<Answer>) -> Letter {
        let (parts, body) = request.into_parts();
        let agent = parts.headers.get(USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        let agent = agent.and_then(|agent| agent.split('/').next());
        let route = self.route();
        let mut state = self.state();
        state
            .waiting
            .retain(|_, (_, sender)| !sender.is_abandoned());
        state.letters += 1;
        let (number, server) = (state.letters, state.server);
        state.waiting.insert(number, (server, sender));
        Letter {
            arrives: route
                .request
                .map(|takes| self.0.api.handle().now().plus(takes)),
            body: all_of(body),
            link: self.clone(),
            manager: agent.unwrap_or(NAMELESS).to_owned(),
            method: parts.method,
            number,
            path: parts
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            route,
            server,
            tag: (self.0.tag)(),
            token_expired: state.token_expired,
        }
    }

    fn taken(&self, number: u64) -> Option<ReplySender<Answer>> {
        self.state()
            .waiting
            .remove(&number)
            .map(|(_, sender)| sender)
    }
}

/// The bytes of a request's body, which are all there: `kube` has them in memory before it sends.
pub(super) fn all_of(body: Body) -> Bytes {
    let mut bytes = pin!(body.collect_bytes());
    match bytes.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(bytes)) => bytes,
        Poll::Ready(Err(_)) | Poll::Pending => Bytes::new(),
    }
}

impl Letter {
    /// Carries a request to its server; nothing when it gets lost.
    async fn carry(&self) -> Option<Landed> {
        let Inner {
            api,
            network,
            node,
            process,
            subject,
            ..
        } = &*self.link.0;
        api.handle().sleep_until(self.arrives?).await;
        network.pass(*node).await;
        let zombie = {
            let state = self.link.state();
            if state.cut || !network.lets_requests(*node) {
                return None;
            }
            let waiting = state.waiting.get(&self.number);
            waiting.is_none_or(|(_, sender)| sender.is_abandoned()) || !process.is_alive()
        };
        let sender = Sender {
            node: *node,
            subject: subject.clone(),
            tag: self.tag,
            zombie,
        };
        Some(api.land(self, sender).await)
    }

    /// Carries the answer back, or says after a while that something was lost.
    async fn bring_back(self, landed: Option<Landed>) {
        let Inner {
            api, network, node, ..
        } = &*self.link.0;
        let handle = api.handle();
        match landed {
            Some(Landed::Answered(answer)) => {
                if let Some(back) = self.route.reply {
                    handle.sleep(back).await;
                    network.pass(*node).await;
                    if network.lets_replies(*node) && !api.condition(self.server).away {
                        if let Some(sender) = self.link.taken(self.number) {
                            sender.send(Ok(answer));
                        }
                        return;
                    }
                }
            }
            Some(Landed::Refused) => {
                if let Some(back) = self.route.reply {
                    handle.sleep(back).await;
                    network.pass(*node).await;
                    if network.lets_replies(*node)
                        && let Some(sender) = self.link.taken(self.number)
                    {
                        sender.send(Err(Broken));
                        self.link.reconnect();
                    }
                }
                return;
            }
            Some(Landed::Unanswered) | None => {}
        }
        if let Some(told) = self.route.told {
            handle.sleep(told).await;
            if let Some(sender) = self.link.taken(self.number) {
                sender.send(Err(Broken));
            }
        }
    }
}

impl Service<Request<Body>> for Link {
    type Response = Response<SimBody>;
    type Error = Broken;
    type Future = Reply<Answer>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.send(request)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("node", &self.0.node)
            .field("subject", &self.0.subject)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("node", &self.node)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
