//! The client's end: it seeks a server, pings, asks, and gives its session up.
//!
//! As the real ones do: it holds its connection for lost when it has heard nothing for a while, as its [`Habits`](super::Habits) are. What
//! it has asked before the loss is lost; what it is asked meanwhile is sent with the next connection.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::task::Waker;
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{Ending, Event, Failed, State as Seen};
use tenure_core::Reading;

use super::connection::{
    Ask, Body, ClientId, Connection, ConnectionId, Down, Kind, Lane, Up, WatchId,
};
use super::party::{Party, Sent};
use super::state::{SERVERS, State};
use super::transaction::{Answer, Change, Origin};
use crate::executor::{NodeId, Process, ReplySender, reply};

/// What a request of a client is answered with, and what it watches since.
pub(super) type Told = Result<(Answer, Option<Event>), Failed>;

/// What a client begins with.
pub(super) type Begun = Result<(i64, Duration), Failed>;

pub(super) struct Client {
    pub(super) begin: Option<ReplySender<Begun>>,
    /// Whoever waits until it is gone.
    pub(super) closed: Vec<Waker>,
    /// How many connections it has had.
    pub(super) connections: u64,
    ended: Option<Ending>,
    heard: Reading,
    number: u64,
    open_tag: u32,
    pub(super) party: Party,
    phase: Phase,
    requests: VecDeque<Asked>,
    sent: Reading,
    server: usize,
    pub(super) session: Option<(i64, Duration)>,
    /// Whoever waits for another state.
    pub(super) states: Vec<Waker>,
    timeout: Duration,
    tries: usize,
    pub(super) waker: Option<Waker>,
    watches: BTreeMap<WatchId, Watched>,
    zxid: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// It has told the server that the session is to end.
    Closing(ConnectionId, u64),
    Connected(ConnectionId),
    Greeting(ConnectionId, Reading),
    Waiting(Reading, Duration),
}

struct Asked {
    body: Body,
    number: u64,
    reply: ReplySender<Told>,
    sent: bool,
    tag: u32,
}

struct Watched {
    fires: ReplySender<()>,
    kind: Kind,
    path: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("phase", &self.phase)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl Client {
    fn connection(&self) -> Option<ConnectionId> {
        match self.phase {
            Phase::Closing(id, _) | Phase::Connected(id) | Phase::Greeting(id, _) => Some(id),
            Phase::Waiting(..) => None,
        }
    }

    pub(super) fn seen(&self) -> Seen {
        match (self.ended, self.phase) {
            (Some(how), _) => Seen::Ended(how),
            (None, Phase::Connected(_)) => Seen::Connected,
            (None, _) => Seen::Disconnected,
        }
    }

    fn timeout(&self) -> Duration {
        self.session.map_or(self.timeout, |(_, timeout)| timeout)
    }

    fn since(&self, reading: Reading) -> Duration {
        self.party.clock.now().shortest_since(reading).into()
    }
}

impl State {
    pub(super) fn add_client(
        &mut self,
        party: Party,
        timeout: Duration,
        begin: ReplySender<Begun>,
    ) -> ClientId {
        let id = ClientId(self.number());
        let now = party.clock.now();
        let server = party.server.unwrap_or_else(|| self.draw.index(SERVERS));
        let client = Client {
            begin: Some(begin),
            closed: Vec::new(),
            connections: 0,
            ended: None,
            heard: now,
            number: 0,
            open_tag: (party.tagger)(Sent::Open),
            party,
            phase: Phase::Waiting(now, Duration::ZERO),
            requests: VecDeque::new(),
            sent: now,
            server,
            session: None,
            states: Vec::new(),
            timeout,
            tries: 0,
            waker: None,
            watches: BTreeMap::new(),
            zxid: 0,
        };
        self.clients.insert(id, client);
        id
    }

    /// What a client does by its clock. How long until there is something again; nothing when there will be nothing.
    pub(super) fn serve_client(&mut self, id: ClientId) -> Option<Duration> {
        let client = self.clients.get(&id)?;
        if client.ended.is_some() {
            return None;
        }
        let (timeout, silent) = (client.timeout(), client.since(client.heard));
        let habits = client.party.habits;
        let connected = matches!(client.phase, Phase::Connected(_));
        let expires = client.session.is_some() && (!connected || habits.expires_while_connected());
        if expires && silent >= habits.expiry(timeout) {
            self.end(id, Ending::Expired);
            return None;
        }
        let left = match client.session {
            Some(_) => habits.expiry(timeout).saturating_sub(silent),
            None => timeout,
        };
        match client.phase {
            Phase::Closing(..) => None,
            Phase::Waiting(since, wait) => {
                let waited = client.since(since);
                if waited < wait {
                    return Some(wait.saturating_sub(waited).min(left));
                }
                self.seek(id);
                Some(timeout / 5)
            }
            Phase::Greeting(_, since) => {
                let limit = habits.greeting(timeout).saturating_sub(client.since(since));
                if limit.is_zero() {
                    self.lose(id);
                    return Some(Duration::ZERO);
                }
                Some(limit.min(left))
            }
            Phase::Connected(connection) => {
                let limit = habits.silence(timeout).saturating_sub(silent);
                if limit.is_zero() {
                    self.lose(id);
                    return Some(Duration::ZERO);
                }
                let pings_after = habits.pings_after(timeout);
                let ping = pings_after.saturating_sub(client.since(client.sent));
                if ping.is_zero() {
                    self.send_up(connection, Up::Ping);
                    self.has_sent(id);
                }
                Some(limit.min(if ping.is_zero() { pings_after } else { ping }))
            }
        }
    }

    fn has_sent(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.sent = client.party.clock.now();
        }
    }

    /// Connects to the next server.
    fn seek(&mut self, id: ClientId) {
        let connection = ConnectionId(self.number());
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let server = client.server;
        client.server = (server + 1) % SERVERS;
        client.phase = Phase::Greeting(connection, client.party.clock.now());
        let hello = Up::Hello {
            session: client.session.map(|(session, _)| session),
            timeout: client.timeout,
            zxid: client.zxid,
        };
        let made = Connection {
            client: id,
            down: Lane::default(),
            node: client.party.node,
            open: true,
            party: client.party.number,
            requests: VecDeque::new(),
            server,
            session: None,
            tag: client.open_tag,
            up: Lane::default(),
        };
        self.connections.insert(connection, made);
        self.send_up(connection, hello);
    }

    /// The connection is lost, or given up: what waits for an answer on it is told so, and another one is sought.
    fn lose(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let was_connected = matches!(client.phase, Phase::Connected(_));
        let connection = client.connection();
        let timeout = client.timeout();
        client.tries = if was_connected { 0 } else { client.tries + 1 };
        let (lost, kept): (VecDeque<_>, _) = std::mem::take(&mut client.requests)
            .into_iter()
            .partition(|asked| asked.sent);
        client.requests = kept;
        let failed = client.begin.is_some() && client.tries >= SERVERS;
        let all_tried = client.tries > 0 && client.tries.is_multiple_of(SERVERS);
        let now = client.party.clock.now();
        let wait = client.party.habits.wait(&mut self.draw, timeout, all_tried);
        client.phase = Phase::Waiting(now, wait);
        if let Some(connection) = connection {
            self.send_up(connection, Up::Bye);
        }
        self.fail(lost.into(), Failed::Lost);
        if was_connected {
            self.wake_states(id);
        }
        if failed {
            self.begin_fails(id);
        }
        self.wake_client(id);
    }

    fn fail(&mut self, requests: Vec<Asked>, why: Failed) {
        for asked in requests {
            let why = why.clone();
            self.effects
                .push(Box::new(move || asked.reply.send(Err(why))));
        }
    }

    fn begin_fails(&mut self, id: ClientId) {
        let Some(mut client) = self.clients.remove(&id) else {
            return;
        };
        if let Some(begin) = client.begin.take() {
            let says = "no server has let the client in".to_owned();
            let failed = Err(Failed::Unreachable(says));
            self.effects.push(Box::new(move || begin.send(failed)));
        }
        let waker = client.waker.take();
        self.effects.push(Box::new(move || {
            waker.into_iter().for_each(Waker::wake);
            drop(client);
        }));
    }

    fn wake_states(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id) {
            let states = std::mem::take(&mut client.states);
            self.effects
                .push(Box::new(move || states.into_iter().for_each(Waker::wake)));
        }
    }

    fn wake_client(&mut self, id: ClientId) {
        if let Some(waker) = self.clients.get_mut(&id).and_then(|one| one.waker.take()) {
            self.effects.push(Box::new(move || waker.wake()));
        }
    }

    /// The session is over for the client.
    fn end(&mut self, id: ClientId, how: Ending) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.ended = Some(how);
        let requests: Vec<_> = std::mem::take(&mut client.requests).into();
        let watches = std::mem::take(&mut client.watches);
        let connection = client.connection();
        if how != Ending::Closed
            && let Some(connection) = connection
        {
            self.send_up(connection, Up::Bye);
        }
        self.fail(requests, Failed::Ended(how));
        for watched in watches.into_values() {
            self.effects.push(Box::new(move || watched.fires.send(())));
        }
        self.wake_states(id);
        self.wake_client(id);
    }

    /// The client closes the session, and tells its server if it has one.
    pub(super) fn close_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let alive = client.party.process.is_alive();
        let phase = client.phase;
        let ended = client.ended.is_some();
        client.number += 1;
        let number = client.number;
        if !ended {
            self.end(id, Ending::Closed);
        }
        match phase {
            Phase::Connected(connection) if alive && !ended => {
                let close = Up::Request {
                    body: Body::Write(Change::Close),
                    number,
                    tag: 0,
                };
                self.send_up(connection, close);
                if let Some(client) = self.clients.get_mut(&id) {
                    client.phase = Phase::Closing(connection, number);
                }
            }
            Phase::Greeting(connection, _) if alive && !ended => {
                self.send_up(connection, Up::Bye);
                self.forget_client(id);
            }
            Phase::Closing(..) if !alive => self.forget_client(id),
            Phase::Closing(..) => {}
            _ => self.forget_client(id),
        }
    }

    fn forget_client(&mut self, id: ClientId) {
        if let Some(mut client) = self.clients.remove(&id) {
            let closed = std::mem::take(&mut client.closed);
            self.effects.push(Box::new(move || {
                closed.into_iter().for_each(Waker::wake);
                drop(client);
            }));
        }
    }

    /// The process is gone: its connections are closed by the kernel, or not at all where the machine is cut off with it.
    pub(super) fn process_died(&mut self, process: &Process, cut: bool) {
        let of = |client: &Client| client.party.process.is(process);
        let clients = self.clients.iter().filter(|(_, client)| of(client));
        let dead: Vec<_> = clients.map(|(id, _)| *id).collect();
        for id in dead {
            let connection = self.clients.get(&id).and_then(Client::connection);
            if let Some(connection) = connection {
                if !cut {
                    self.send_up(connection, Up::Bye);
                } else if let Some(one) = self.connections.get_mut(&connection) {
                    one.up.clear();
                }
            }
            self.forget_client(id);
        }
    }

    /// The connections of a node break: both ends learn of it.
    pub(super) fn break_connections(&mut self, node: NodeId) {
        let of = |client: &Client| client.party.node == node;
        let clients = self.clients.iter().filter(|(_, client)| of(client));
        let ids: Vec<_> = clients.map(|(id, _)| *id).collect();
        for id in ids {
            self.broke(id);
        }
    }

    fn broke(&mut self, id: ClientId) {
        match self.clients.get(&id).map(|client| client.phase) {
            Some(Phase::Closing(..)) => self.forget_client(id),
            Some(Phase::Connected(_) | Phase::Greeting(..)) => self.lose(id),
            Some(Phase::Waiting(..)) | None => {}
        }
    }

    /// Asks the server for something, at once or with the next connection.
    pub(super) fn ask(&mut self, id: ClientId, body: Body, answer: ReplySender<Told>) {
        let Some(client) = self.clients.get_mut(&id) else {
            let ended = Failed::Ended(Ending::Closed);
            self.effects.push(Box::new(move || answer.send(Err(ended))));
            return;
        };
        if let Some(how) = client.ended {
            self.effects
                .push(Box::new(move || answer.send(Err(Failed::Ended(how)))));
            return;
        }
        client.number += 1;
        let tag = (client.party.tagger)(match &body {
            Body::Write(change) => Sent::Change(change),
            Body::Read { path, .. } => Sent::Read(path),
            Body::Sync => Sent::Read(""),
        });
        client.requests.push_back(Asked {
            body,
            number: client.number,
            reply: answer,
            sent: false,
            tag,
        });
        self.send_what_waits(id);
    }

    fn send_what_waits(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let Phase::Connected(connection) = client.phase else {
            return;
        };
        let mut sends = Vec::new();
        for asked in client.requests.iter_mut().filter(|asked| !asked.sent) {
            asked.sent = true;
            sends.push(Up::Request {
                body: asked.body.clone(),
                number: asked.number,
                tag: asked.tag,
            });
        }
        if !sends.is_empty() {
            client.sent = client.party.clock.now();
        }
        for what in sends {
            self.send_up(connection, what);
        }
    }

    /// What a server has sent arrives.
    pub(super) fn told(&mut self, connection: ConnectionId, what: Down) {
        let Some(id) = self.connections.get(&connection).map(|one| one.client) else {
            return;
        };
        let bye = matches!(what, Down::Bye);
        let current = self.clients.get(&id).and_then(Client::connection);
        if current == Some(connection) {
            self.told_client(id, connection, what);
        }
        if bye {
            self.connections.remove(&connection);
        }
    }

    fn told_client(&mut self, id: ClientId, connection: ConnectionId, what: Down) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if client.party.habits.hears(&what) {
            client.heard = client.party.clock.now();
        }
        match what {
            Down::Bye => self.broke(id),
            Down::Pong => {}
            Down::Expired => self.end(id, Ending::Expired),
            Down::Event(watch) => {
                if let Some(watched) = client.watches.remove(&watch) {
                    self.effects.push(Box::new(move || watched.fires.send(())));
                }
            }
            Down::Welcome { session, timeout } => {
                self.welcomed(id, connection, (session, timeout));
            }
            Down::Reply {
                answer,
                number,
                zxid,
            } => {
                client.zxid = client.zxid.max(zxid);
                if client.phase == Phase::Closing(connection, number) {
                    self.send_up(connection, Up::Bye);
                    self.forget_client(id);
                } else {
                    self.answered(id, number, answer);
                }
            }
        }
    }

    fn welcomed(&mut self, id: ClientId, connection: ConnectionId, session: (i64, Duration)) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.phase = Phase::Connected(connection);
        client.connections += 1;
        client.session = Some(session);
        client.tries = 0;
        client.sent = client.party.clock.now();
        let begin = client.begin.take();
        let watched = client.watches.iter();
        let watches: Vec<_> = watched
            .map(|(id, watched)| (*id, watched.path.clone(), watched.kind))
            .collect();
        let zxid = client.zxid;
        if let Some(begin) = begin {
            self.effects.push(Box::new(move || begin.send(Ok(session))));
        }
        if !watches.is_empty() {
            self.send_up(connection, Up::Watches { watches, zxid });
        }
        self.send_what_waits(id);
        self.wake_states(id);
        self.wake_client(id);
    }

    fn answered(&mut self, id: ClientId, number: u64, answer: Result<Answer, Failed>) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let Some(at) = client
            .requests
            .iter()
            .position(|asked| asked.number == number)
        else {
            return;
        };
        let Some(asked) = client.requests.remove(at) else {
            return;
        };
        let told = answer.map(|answer| {
            let event = watching(client, &asked.body, &answer);
            (answer, event)
        });
        self.effects.push(Box::new(move || asked.reply.send(told)));
    }

    /// Whether nobody waits for the answer to a request any more.
    pub(super) fn is_alone(&self, origin: Origin) -> bool {
        let connection = self.connections.get(&origin.connection);
        let client = connection.and_then(|one| self.clients.get(&one.client));
        let Some(client) = client.filter(|client| client.party.process.is_alive()) else {
            return true;
        };
        if origin.number == 0 {
            return client.begin.as_ref().is_none_or(ReplySender::is_abandoned);
        }
        let asked = client.requests.iter();
        let mut asked = asked.filter(|asked| asked.number == origin.number);
        asked.next().is_none_or(|asked| asked.reply.is_abandoned())
    }
}

/// Takes in a watch that an answer has set.
fn watching(client: &mut Client, body: &Body, answer: &Answer) -> Option<Event> {
    let Body::Read {
        ask,
        path,
        watch: Some(watch),
    } = body
    else {
        return None;
    };
    let kind = match (ask, answer) {
        (Ask::Children, _) => Kind::Children,
        (Ask::Exists, Answer::Exists(None)) => Kind::Exists,
        (Ask::Data | Ask::Exists, _) => Kind::Data,
    };
    // What nobody waits for any more is not kept.
    client
        .watches
        .retain(|_, watched| !watched.fires.is_abandoned());
    let (fires, event) = reply();
    let path = path.clone();
    client.watches.insert(*watch, Watched { fires, kind, path });
    Some(Box::pin(event))
}
