//! What a server does for its clients.

use std::time::Duration;

use tenure_backends::zookeeper::simulated::Failed;

use super::connection::{Ask, Body, ConnectionId, Down, Kind, Up, Waiting, WatchId};
use super::server::{Peer, Server, Watch};
use super::state::State;
use super::transaction::{Answer, Change, Origin, Transaction};
use super::tree::Outcome;

/// The shortest and the longest session that a server grants, in ticks.
const TICKS_LEAST: u32 = 2;
const TICKS_MOST: u32 = 20;

impl State {
    /// What a client has sent arrives at its server.
    pub(super) fn receive(&mut self, id: ConnectionId, what: Up) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (server, session) = (connection.server, connection.session);
        let serves = self.servers[server].serves() && !self.condition.refuses;
        match what {
            what if !serves => self.refuse(id, &what),
            // A connection that the server has closed takes nothing in any more.
            _ if !connection.open => {}
            Up::Bye => self.drop_connection(id),
            Up::Hello {
                session,
                timeout,
                zxid,
            } => self.greet(id, session, (timeout, zxid)),
            Up::Ping => {
                if let Some(session) = session {
                    self.touch(server, session);
                    self.send_down(id, Down::Pong);
                }
            }
            Up::Request { body, number, tag } => {
                if let Some(session) = session {
                    self.touch(server, session);
                    self.take_in(id, session, (body, number, tag));
                }
            }
            Up::Watches { watches, zxid } => {
                for (watch, path, kind) in watches {
                    self.watch_again(id, watch, (&path, kind), zxid);
                }
            }
        }
    }

    fn greet(&mut self, id: ConnectionId, session: Option<i64>, (timeout, zxid): (Duration, i64)) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let server = connection.server;
        self.servers[server].connections.insert(id);
        if zxid > self.servers[server].tree.zxid() {
            // The client has seen more than this server has.
            self.drop_connection(id);
            return;
        }
        if let Some(session) = session {
            let ask = Peer::Revalidate {
                connection: id,
                session,
            };
            self.tell_leader(server, ask);
            return;
        }
        self.sessions_made += 1;
        let session = 0x1_0000_0000 + self.sessions_made;
        let tick = self.setting.tick;
        let timeout = timeout.clamp(tick * TICKS_LEAST, tick * TICKS_MOST);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.session = Some(session);
        }
        let Some(origin) = self.origin(id, 0, 0) else {
            return;
        };
        let ask = Peer::Forward {
            change: Change::Open { timeout },
            origin,
            session,
        };
        self.tell_leader(server, ask);
    }

    /// The leader has said whether it knows a session whose client has come here.
    pub(super) fn revalidated(&mut self, id: ConnectionId, session: i64, valid: bool) {
        let Some(connection) = self.connections.get_mut(&id).filter(|one| one.open) else {
            return;
        };
        let server = connection.server;
        let timeout = self.servers[server].tree.sessions().get(&session).copied();
        let timeout = timeout.or_else(|| self.truth.sessions().get(&session).copied());
        match timeout.filter(|_| valid) {
            Some(timeout) => {
                connection.session = Some(session);
                self.send_down(id, Down::Welcome { session, timeout });
            }
            None => {
                self.send_down(id, Down::Expired);
                self.drop_connection(id);
            }
        }
    }

    fn take_in(&mut self, id: ConnectionId, session: i64, (body, number, tag): (Body, u64, u32)) {
        let Some(origin) = self.origin(id, number, tag) else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let server = connection.server;
        let refused = self.condition.refusal();
        connection.requests.push_back(Waiting {
            body: body.clone(),
            done: refused.clone().map(Err),
            origin,
        });
        if refused.is_none() {
            match body {
                Body::Read { .. } => {}
                Body::Sync => self.tell_leader(server, Peer::Sync(origin)),
                Body::Write(change) => {
                    let ask = Peer::Forward {
                        change,
                        origin,
                        session,
                    };
                    self.tell_leader(server, ask);
                }
            }
        }
        self.progress(id);
    }

    /// A server has applied what one of its clients has asked for, perhaps.
    pub(super) fn answer_write(
        &mut self,
        server: usize,
        transaction: &Transaction,
        outcome: Outcome,
    ) {
        if let Some(origin) = transaction.origin {
            let connection = self.connections.get(&origin.connection);
            if connection.is_some_and(|connection| connection.server == server) {
                self.answer_own(transaction, origin, outcome);
            }
        }
        if transaction.change == Change::Close {
            let of = transaction.session;
            let is_of = |id: &ConnectionId| {
                let connection = self.connections.get(id);
                connection.is_some_and(|connection| connection.session == Some(of))
            };
            let connections = self.servers[server].connections.iter().copied();
            let ended: Vec<_> = connections.filter(is_of).collect();
            for connection in ended {
                self.drop_connection(connection);
            }
        }
    }

    fn answer_own(&mut self, transaction: &Transaction, origin: Origin, outcome: Outcome) {
        let id = origin.connection;
        let opened = self.connections.get(&id).is_some_and(|one| one.open);
        if let Change::Open { timeout } = transaction.change {
            if opened {
                let session = transaction.session;
                self.send_down(id, Down::Welcome { session, timeout });
            }
            return;
        }
        let loses = self.condition.loses_answers;
        if loses > 0 && self.draw.happens(loses.into()) {
            self.drop_connection(id);
            return;
        }
        self.finish(origin, outcome.answer);
    }

    /// A request has its answer, and those behind it go on.
    pub(super) fn finish(&mut self, origin: Origin, answer: Result<Answer, Failed>) {
        let Some(connection) = self.connections.get_mut(&origin.connection) else {
            return;
        };
        let waits = |waiting: &&mut Waiting| waiting.origin.number == origin.number;
        if let Some(waiting) = connection.requests.iter_mut().find(waits) {
            waiting.done = Some(answer);
            self.progress(origin.connection);
        }
    }

    /// Answers in the order of the requests.
    fn progress(&mut self, id: ConnectionId) {
        loop {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            let server = connection.server;
            let Some(first) = connection.requests.front() else {
                return;
            };
            let ready = first.done.is_some() || matches!(first.body, Body::Read { .. });
            let Some(first) = ready.then(|| connection.requests.pop_front()).flatten() else {
                return;
            };
            let answer = match (first.done, first.body) {
                (Some(answer), _) => answer,
                (None, Body::Read { ask, path, watch }) => {
                    let zombie = self.is_alone(first.origin);
                    if let Some(witness) = &self.witness {
                        witness.read(first.origin, zombie);
                    }
                    self.read(id, ask, &path, watch)
                }
                (None, _) => continue,
            };
            let reply = Down::Reply {
                answer,
                number: first.origin.number,
                zxid: self.servers[server].tree.zxid(),
            };
            self.send_down(id, reply);
        }
    }

    /// Reads from the replica of the server that the client is connected to.
    fn read(
        &mut self,
        id: ConnectionId,
        ask: Ask,
        path: &str,
        watch: Option<WatchId>,
    ) -> Result<Answer, Failed> {
        let Some(connection) = self.connections.get(&id) else {
            return Err(Failed::Lost);
        };
        let one = &mut self.servers[connection.server];
        let answer = read_of(one, ask, path);
        if let Some(watch) = watch {
            let kind = match (ask, &answer) {
                (Ask::Children, Ok(_)) => Some(Kind::Children),
                (Ask::Exists, Ok(Answer::Exists(None))) => Some(Kind::Exists),
                (Ask::Data | Ask::Exists, Ok(_)) => Some(Kind::Data),
                (_, Err(_)) => None,
            };
            if let Some(kind) = kind {
                let connection = id;
                let id = watch;
                one.watch(
                    path,
                    Watch {
                        connection,
                        id,
                        kind,
                    },
                );
            }
        }
        answer
    }

    /// Sets a watch of before, or fires it for what has changed since.
    fn watch_again(
        &mut self,
        id: ConnectionId,
        watch: WatchId,
        (path, kind): (&str, Kind),
        zxid: i64,
    ) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let one = &mut self.servers[connection.server];
        let node = one.lost.node(&one.tree, path);
        let fires = match kind {
            Kind::Children => node.is_none_or(|node| node.pzxid > zxid),
            Kind::Data => node.is_none_or(|node| node.mzxid > zxid),
            Kind::Exists => node.is_some(),
        };
        if fires {
            self.tell_event(id, watch);
        } else {
            one.watch(
                path,
                Watch {
                    connection: id,
                    id: watch,
                    kind,
                },
            );
        }
    }

    pub(super) fn tell_event(&mut self, connection: ConnectionId, watch: WatchId) {
        if self.setting.silent || self.condition.mute {
            self.muted.push((connection, watch));
        } else {
            self.send_down(connection, Down::Event(watch));
        }
    }
}

fn read_of(server: &Server, ask: Ask, path: &str) -> Result<Answer, Failed> {
    let node = server.lost.node(&server.tree, path);
    match ask {
        Ask::Children => {
            let children = server.lost.children(&server.tree, path);
            Ok(Answer::Children(children.ok_or(Failed::NoNode)?))
        }
        Ask::Data => {
            let node = node.ok_or(Failed::NoNode)?;
            Ok(Answer::Data(node.data.clone(), node.stat))
        }
        Ask::Exists => Ok(Answer::Exists(node.map(|node| node.stat))),
    }
}
