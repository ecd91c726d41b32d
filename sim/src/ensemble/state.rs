//! All that the ensemble is, and its agenda: what arrives, beats or is looked at when.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::connection::{ClientId, Connection, ConnectionId, Down, Up, WatchId};
use super::habits::Habits;
use super::server::{Channels, Peer, Role, Server};
use super::transaction::Origin;
use super::tree::Tree;
use super::witness::Witness;
use super::{Condition, Effect};
use crate::TrueTime;
use crate::electors::Network;
use crate::plan::Direction;
use crate::random::{Purpose, Stream};

/// How many servers there are.
pub(crate) const SERVERS: usize = 3;
/// So many ticks a server may hear nothing of its leader, or a leader of a majority, unless the setting says otherwise.
pub(super) const SYNC_LIMIT: u32 = 5;

/// Something that happens at its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// A server applies what it was behind in.
    Apply(usize),
    /// Half a tick has passed for a server, which had this role then.
    Beat(usize, u64),
    /// Something may have arrived at a client.
    Down(ConnectionId),
    /// A server looks for a leader.
    Elect(usize, u64),
    /// A leader looks which sessions have ended.
    Look(usize, u64),
    /// Something may have arrived at another server.
    Peer(usize, usize),
    /// A follower looks whether its leader has been silent for too long.
    Silence(usize, u64),
    /// Something may have arrived at a server.
    Up(ConnectionId),
}

/// What of an ensemble does not change.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) network: Network,
    /// How much faster than true time the servers run at the most, in millionths.
    pub(crate) rate_ppm: i64,
    pub(crate) seed: u64,
    /// Whether clients are never told what they watch.
    pub(crate) silent: bool,
    /// So many ticks a server may hear nothing of its leader; then it gives it up at once, as the real one's reads time out. Where
    /// this is not given, it looks with its beats whether it has heard nothing for [`SYNC_LIMIT`].
    pub(crate) sync_limit: Option<u32>,
    pub(crate) tick: Duration,
}

impl Setting {
    pub(super) fn silence_most(&self) -> Duration {
        self.tick * self.sync_limit.unwrap_or(SYNC_LIMIT)
    }
}

pub(crate) struct State {
    agenda: BTreeMap<(TrueTime, u64), Event>,
    pub(super) channels: Channels,
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) condition: Condition,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) draw: Stream,
    /// What is done when this is not held any more.
    pub(super) effects: Vec<Effect>,
    /// Events that are kept back.
    pub(super) muted: Vec<(ConnectionId, WatchId)>,
    pub(super) now: TrueTime,
    numbers: u64,
    pub(super) epoch: i64,
    pub(super) servers: Vec<Server>,
    pub(super) sessions_made: i64,
    pub(super) setting: Setting,
    /// What a majority has: what has happened.
    pub(super) truth: Tree,
    pub(super) truth_length: usize,
    pub(super) witness: Option<Arc<dyn Witness>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("now", &self.now)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn new(setting: Setting) -> Self {
        let rates = [
            setting.rate_ppm,
            -setting.rate_ppm / 100 * 98,
            setting.rate_ppm / 2,
        ];
        let mut state = Self {
            agenda: BTreeMap::new(),
            channels: BTreeMap::new(),
            clients: BTreeMap::new(),
            condition: Condition::default(),
            connections: BTreeMap::new(),
            draw: Stream::new(setting.seed, 0, Purpose::Ensemble),
            effects: Vec::new(),
            muted: Vec::new(),
            now: TrueTime::START,
            numbers: 0,
            epoch: 0,
            servers: rates.into_iter().map(Server::new).collect(),
            sessions_made: 0,
            setting,
            truth: Tree::default(),
            truth_length: 0,
            witness: None,
        };
        for server in 0..SERVERS {
            state.plan(TrueTime::START, Event::Elect(server, 0));
        }
        state
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn plan(&mut self, at: TrueTime, event: Event) {
        let number = self.number();
        self.agenda.insert((at, number), event);
    }

    pub(super) fn plan_in(&mut self, after: Duration, event: Event) {
        self.plan(self.now.plus(after), event);
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<TrueTime> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// Does all that is due by now.
    pub(super) fn run(&mut self, now: TrueTime) {
        self.now = self.now.max(now);
        while let Some(entry) = self
            .agenda
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let event = entry.remove();
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Apply(server) => self.apply_what_is_due(server),
            Event::Beat(server, of) if self.servers[server].generation == of => self.beat(server),
            Event::Elect(server, of) if self.servers[server].generation == of => self.elect(server),
            Event::Look(server, of) if self.servers[server].generation == of => self.look(server),
            Event::Silence(server, of) if self.servers[server].generation == of => {
                self.look_for_silence(server);
            }
            Event::Beat(..) | Event::Elect(..) | Event::Look(..) | Event::Silence(..) => {}
            Event::Down(connection) => self.arrive_down(connection),
            Event::Peer(from, to) => self.arrive_peer(from, to),
            Event::Up(connection) => self.arrive_up(connection),
        }
    }

    /// Sends something from a client to its server.
    pub(super) fn send_up(&mut self, id: ConnectionId, what: Up) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let takes = self
            .setting
            .network
            .carry(connection.node, Direction::Requests);
        let at = connection.up.send(now, takes, what);
        self.plan(at, Event::Up(id));
    }

    /// Sends something from a server to its client.
    pub(super) fn send_down(&mut self, id: ConnectionId, what: Down) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let takes = self
            .setting
            .network
            .carry(connection.node, Direction::Replies);
        let at = connection.down.send(now, takes, what);
        self.plan(at, Event::Down(id));
    }

    /// The request on a connection with this number; for the first one, which opens it, the tag that its client has given it.
    pub(super) fn origin(&self, connection: ConnectionId, number: u64, tag: u32) -> Option<Origin> {
        let one = self.connections.get(&connection)?;
        Some(Origin {
            connection,
            node: one.node,
            number,
            party: one.party,
            tag: if number == 0 { one.tag } else { tag },
        })
    }

    /// Tells another server something; this one itself at once.
    pub(super) fn tell(&mut self, from: usize, to: usize, what: Peer) {
        if from == to {
            self.hear(from, to, what);
            return;
        }
        let tail = self.draw.happens(20);
        let micros = self.draw.within(100..=2_000);
        let takes = Duration::from_micros(if tail { micros * 10 } else { micros });
        let at = self
            .channels
            .entry((from, to))
            .or_default()
            .send(self.now, takes, what);
        self.plan(at, Event::Peer(from, to));
    }

    fn arrive_up(&mut self, id: ConnectionId) {
        loop {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            let network = &self.setting.network;
            let server = &self.servers[connection.server];
            if server.paused || !network.passes(connection.node, Direction::Requests) {
                return;
            }
            let Some(what) = connection.up.take(self.now) else {
                return;
            };
            self.receive(id, what);
        }
    }

    fn arrive_down(&mut self, id: ConnectionId) {
        loop {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            let network = &self.setting.network;
            let client = connection.client;
            if !network.passes(connection.node, Direction::Replies) || !self.reads(client) {
                return;
            }
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            let Some(what) = connection.down.take(self.now) else {
                return;
            };
            self.told(id, what);
        }
    }

    /// Whether a client takes in what has arrived. Java's does not while its process stands still, and looks at its clock first.
    fn reads(&mut self, id: ClientId) -> bool {
        let Some(client) = self.clients.get(&id) else {
            return true;
        };
        if client.party.habits == Habits::Crate {
            return true;
        }
        if client.party.process.is_paused() {
            return false;
        }
        self.serve_client(id);
        true
    }

    fn arrive_peer(&mut self, from: usize, to: usize) {
        loop {
            if self.servers[from].isolated || !self.servers[to].is_reached() {
                return;
            }
            let channel = self.channels.get_mut(&(from, to));
            let Some(what) = channel.and_then(|channel| channel.take(self.now)) else {
                return;
            };
            self.hear(from, to, what);
        }
    }

    /// Something passes again that did not: whatever waits is looked at.
    pub(super) fn look_at_all(&mut self) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.plan(self.now, Event::Up(id));
            self.plan(self.now, Event::Down(id));
        }
        let channels: Vec<_> = self.channels.keys().copied().collect();
        for (from, to) in channels {
            self.plan(self.now, Event::Peer(from, to));
        }
    }

    /// Which server leads the others, as far as anybody can say: the newest that thinks so.
    pub(super) fn leader(&self) -> Option<usize> {
        let leading = self
            .servers
            .iter()
            .enumerate()
            .filter_map(|(index, server)| match (&server.role, server.alive) {
                (Role::Leading(leading), true) => Some((leading.newest >> 32, index)),
                _ => None,
            });
        leading.max().map(|(_, index)| index)
    }
}
