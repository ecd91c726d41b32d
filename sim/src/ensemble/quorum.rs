//! How a transaction becomes one of the ensemble: the leader orders, a majority has it, all apply it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::connection::Kind;
use super::server::{Leading, Peer, Role};
use super::state::{Event, SERVERS, State};
use super::transaction::{Change, Origin, Transaction};
use super::tree::{Changed, Outcome};
use crate::TrueTime;

/// Every so many beats a leader looks for containers that nobody is in.
const REAPS_EVERY: u64 = 60;

impl State {
    /// What one server has told another arrives. Nobody listens to a leader that it has left, nor to a follower that has left.
    pub(super) fn hear(&mut self, from: usize, to: usize, what: Peer) {
        let now = self.now;
        match &mut self.servers[to].role {
            Role::Leading(leading) => {
                if from != to {
                    if !leading.acknowledged.contains_key(&from) {
                        return;
                    }
                    leading.heard.insert(from, now);
                }
                self.hear_as_leader(from, to, what);
            }
            Role::Following { heard, leader, .. } => {
                if *leader == from {
                    *heard = now;
                    self.hear_as_follower(to, from, what);
                }
            }
            Role::Looking => {}
        }
    }

    fn hear_as_leader(&mut self, from: usize, leader: usize, what: Peer) {
        let now = self.now;
        let Role::Leading(leading) = &mut self.servers[leader].role else {
            return;
        };
        match what {
            Peer::Acknowledge { logged } => {
                if let Some(has) = leading.acknowledged.get_mut(&from) {
                    *has = logged.max(*has);
                }
                self.commit(leader);
            }
            Peer::Forward {
                change,
                origin,
                session,
            } => self.order(from, leader, (change, origin, session)),
            Peer::Pong { touched } => {
                for session in touched {
                    leading.tracker.touch(now, session);
                }
            }
            Peer::Revalidate {
                connection,
                session,
            } => {
                let valid = leading.tracker.touch(now, session);
                if valid {
                    leading.owners.insert(session, connection);
                }
                let answer = Peer::Revalidated {
                    connection,
                    session,
                    valid,
                };
                self.tell_back(leader, from, answer);
            }
            Peer::Sync(origin) => {
                let upto = self.servers[leader].log.len();
                if self.servers[leader].committed >= upto {
                    self.tell_back(leader, from, Peer::Synced(origin));
                } else if let Role::Leading(leading) = &mut self.servers[leader].role {
                    leading.syncs.push((upto, from, origin));
                }
            }
            Peer::Commit { .. }
            | Peer::Ping
            | Peer::Propose(_)
            | Peer::Refuse(_)
            | Peer::Revalidated { .. }
            | Peer::Synced(_) => {}
        }
    }

    /// The leader answers a server, perhaps itself.
    fn tell_back(&mut self, leader: usize, to: usize, what: Peer) {
        if leader == to {
            self.hear_as_follower(to, leader, what);
        } else {
            self.tell(leader, to, what);
        }
    }

    /// What a server hears of its leader, or a leader of itself.
    fn hear_as_follower(&mut self, server: usize, leader: usize, what: Peer) {
        match what {
            Peer::Propose(transaction) => {
                let log = &mut self.servers[server].log;
                log.push(transaction);
                let logged = log.len();
                self.tell(server, leader, Peer::Acknowledge { logged });
            }
            Peer::Commit { upto } => self.committed(server, upto),
            Peer::Ping => {
                if let Role::Following { touched, .. } = &mut self.servers[server].role {
                    let touched = std::mem::take(touched);
                    self.tell(server, leader, Peer::Pong { touched });
                }
            }
            Peer::Refuse(origin) => self.drop_connection(origin.connection),
            Peer::Revalidated {
                connection,
                session,
                valid,
            } => self.revalidated(connection, session, valid),
            Peer::Synced(origin) => {
                let upto = self.servers[server].committed;
                self.servers[server].syncs.push((upto, origin));
                self.finish_syncs(server);
            }
            Peer::Acknowledge { .. }
            | Peer::Forward { .. }
            | Peer::Pong { .. }
            | Peer::Revalidate { .. }
            | Peer::Sync(_) => {}
        }
    }

    /// The leader takes in what a client wants to change, unless its session or its connection is of yesterday.
    fn order(
        &mut self,
        from: usize,
        leader: usize,
        (change, origin, session): (Change, Origin, i64),
    ) {
        let now = self.now;
        let Role::Leading(leading) = &mut self.servers[leader].role else {
            return;
        };
        if let Change::Open { timeout } = change {
            leading.tracker.track(now, session, timeout);
            leading.owners.insert(session, origin.connection);
        } else if !leading.tracker.knows(session)
            || leading.owners.get(&session) != Some(&origin.connection)
        {
            self.tell_back(leader, from, Peer::Refuse(origin));
            return;
        }
        if change == Change::Close {
            leading.tracker.forget(session);
            leading.owners.remove(&session);
        }
        self.propose(leader, change, session, Some(origin));
    }

    pub(super) fn propose(
        &mut self,
        leader: usize,
        change: Change,
        session: i64,
        origin: Option<Origin>,
    ) {
        let Role::Leading(leading) = &mut self.servers[leader].role else {
            return;
        };
        leading.newest += 1;
        let transaction = Arc::new(Transaction {
            change,
            origin,
            session,
            zxid: leading.newest,
        });
        let followers: Vec<_> = leading.acknowledged.keys().copied().collect();
        self.servers[leader].log.push(Arc::clone(&transaction));
        for follower in followers {
            self.tell(leader, follower, Peer::Propose(Arc::clone(&transaction)));
        }
    }

    /// What a majority has is committed.
    fn commit(&mut self, leader: usize) {
        let Role::Leading(leading) = &self.servers[leader].role else {
            return;
        };
        let mut logged: Vec<_> = leading.acknowledged.values().copied().collect();
        logged.push(self.servers[leader].log.len());
        logged.sort_unstable_by(|a, b| b.cmp(a));
        let Some(upto) = logged.get(SERVERS / 2).copied() else {
            return;
        };
        if upto <= self.servers[leader].committed {
            return;
        }
        let followers: Vec<_> = leading.acknowledged.keys().copied().collect();
        self.witness_until(leader, upto);
        self.committed(leader, upto);
        for follower in followers {
            self.tell(leader, follower, Peer::Commit { upto });
        }
        let Role::Leading(leading) = &mut self.servers[leader].role else {
            return;
        };
        let syncs = std::mem::take(&mut leading.syncs);
        for (waits_for, server, origin) in syncs {
            if waits_for <= upto {
                self.tell_back(leader, server, Peer::Synced(origin));
            } else if let Role::Leading(leading) = &mut self.servers[leader].role {
                leading.syncs.push((waits_for, server, origin));
            }
        }
    }

    /// What has happened is what a majority has.
    pub(super) fn witness_until(&mut self, leader: usize, upto: usize) {
        while self.truth_length < upto {
            let transaction = Arc::clone(&self.servers[leader].log[self.truth_length]);
            self.truth_length += 1;
            let outcome = self.truth.apply(&transaction);
            let zombie = transaction
                .origin
                .is_some_and(|origin| self.is_alone(origin));
            if let Some(witness) = &self.witness {
                witness.committed(&transaction, &outcome, &self.truth, zombie);
            }
        }
    }

    /// A server learns that so much is committed.
    pub(super) fn committed(&mut self, server: usize, upto: usize) {
        let now = self.now;
        let one = &mut self.servers[server];
        one.committed = one.committed.max(upto.min(one.log.len()));
        let (lag, upto) = (one.lag, one.committed);
        if lag.is_zero() && one.applies.is_empty() {
            self.apply(server, upto);
            return;
        }
        let at = one
            .applies
            .back()
            .map_or(now, |(at, _)| *at)
            .max(now.plus(lag));
        one.applies.push_back((at, upto));
        self.plan(at, Event::Apply(server));
    }

    pub(super) fn apply_what_is_due(&mut self, server: usize) {
        let now = self.now;
        loop {
            let one = &mut self.servers[server];
            let due = one.applies.front().is_some_and(|(at, _)| *at <= now);
            let Some((_, upto)) = due.then(|| one.applies.pop_front()).flatten() else {
                return;
            };
            self.apply(server, upto);
        }
    }

    fn apply(&mut self, server: usize, upto: usize) {
        while self.servers[server].applied < upto {
            let one = &mut self.servers[server];
            let transaction = Arc::clone(&one.log[one.applied]);
            one.applied += 1;
            let outcome = one.tree.apply(&transaction);
            self.fire(server, &outcome);
            self.answer_write(server, &transaction, outcome);
        }
        self.finish_syncs(server);
    }

    fn fire(&mut self, server: usize, outcome: &Outcome) {
        for changed in &outcome.changed {
            if !self.servers[server].lost.notices(changed) {
                continue;
            }
            let (path, kinds): (_, &[Kind]) = match changed {
                Changed::Children(path) => (path, &[Kind::Children]),
                Changed::Created(path) => (path, &[Kind::Exists]),
                Changed::Data(path) => (path, &[Kind::Data]),
                Changed::Deleted(path) => (path, &[Kind::Children, Kind::Data]),
            };
            for watch in self.servers[server].fired(path, kinds) {
                self.tell_event(watch.connection, watch.id);
            }
        }
    }

    pub(super) fn finish_syncs(&mut self, server: usize) {
        let one = &mut self.servers[server];
        let applied = one.applied;
        let (done, waiting): (Vec<_>, _) = std::mem::take(&mut one.syncs)
            .into_iter()
            .partition(|(upto, _)| *upto <= applied);
        one.syncs = waiting;
        for (_, origin) in done {
            self.finish(origin, Ok(super::transaction::Answer::Done));
        }
    }

    /// A client gives a sign of life.
    pub(super) fn touch(&mut self, server: usize, session: i64) {
        let now = self.now;
        match &mut self.servers[server].role {
            Role::Following { touched, .. } => {
                touched.insert(session);
            }
            Role::Leading(leading) => {
                leading.tracker.touch(now, session);
            }
            Role::Looking => {}
        }
    }

    /// Half a tick has passed.
    pub(super) fn beat(&mut self, server: usize) {
        let half = self.setting.tick / 2;
        let one = &self.servers[server];
        let shown = one.counter.at(self.now);
        let next = one.counter.when(shown + super::tracker::nanos(half));
        let next = next.unwrap_or(TrueTime::END);
        let generation = one.generation;
        self.plan(next, Event::Beat(server, generation));
        let one = &self.servers[server];
        if one.paused || !one.alive {
            return;
        }
        if !one.isolated && self.is_deposed(server) {
            self.look_for_a_leader(server);
            return;
        }
        let limit = self.setting.silence_most();
        let silent = |heard: TrueTime| heard.plus(limit) < self.now;
        match &one.role {
            Role::Looking => {}
            Role::Following { heard, .. } if silent(*heard) => self.look_for_a_leader(server),
            Role::Following { .. } => {}
            Role::Leading(leading) => {
                let gone: Vec<_> = leading
                    .heard
                    .iter()
                    .filter(|(_, heard)| silent(**heard))
                    .map(|(follower, _)| *follower)
                    .collect();
                self.lead_on(server, &gone);
            }
        }
    }

    /// A follower that is to notice at once when its leader has been silent for too long looks whether it has been.
    pub(super) fn look_for_silence(&mut self, server: usize) {
        let one = &self.servers[server];
        let Role::Following { heard, .. } = &one.role else {
            return;
        };
        let ends = heard.plus(self.setting.silence_most());
        // One that stands still looks when it goes on, with its next beat.
        if ends <= self.now && !one.paused {
            self.look_for_a_leader(server);
        } else if ends > self.now {
            let generation = one.generation;
            self.plan(ends, Event::Silence(server, generation));
        }
    }

    fn lead_on(&mut self, server: usize, gone: &[usize]) {
        let Role::Leading(leading) = &mut self.servers[server].role else {
            return;
        };
        leading.beats += 1;
        let reaps = leading.beats.is_multiple_of(REAPS_EVERY);
        for follower in gone {
            leading.acknowledged.remove(follower);
            leading.heard.remove(follower);
        }
        let followers: BTreeSet<_> = leading.acknowledged.keys().copied().collect();
        for follower in gone {
            self.break_channels(server, *follower);
        }
        if followers.len() < SERVERS / 2 {
            self.look_for_a_leader(server);
            return;
        }
        for follower in followers {
            self.tell(server, follower, Peer::Ping);
        }
        if reaps {
            for path in self.servers[server].tree.idle_containers() {
                self.propose(server, Change::Reap(path), 0, None);
            }
        }
    }

    /// The leader ends the sessions whose tick has come.
    pub(super) fn look(&mut self, server: usize) {
        let now = self.now;
        let generation = self.servers[server].generation;
        let stands = self.servers[server].paused || !self.servers[server].alive;
        let Role::Leading(leading) = &mut self.servers[server].role else {
            return;
        };
        let next = leading.tracker.next_look(now);
        let expired = if stands {
            Vec::new()
        } else {
            leading.tracker.expired(now)
        };
        for session in &expired {
            leading.owners.remove(session);
        }
        self.plan(next, Event::Look(server, generation));
        for session in expired {
            self.propose(server, Change::Close, session, None);
        }
    }

    pub(super) fn leading(&mut self, server: usize) -> Option<&mut Leading> {
        match &mut self.servers[server].role {
            Role::Leading(leading) => Some(leading),
            _ => None,
        }
    }

    /// Hands something to the leader of this server, which may be itself.
    pub(super) fn tell_leader(&mut self, server: usize, what: Peer) {
        let leader = match &self.servers[server].role {
            Role::Leading(_) => server,
            Role::Following { leader, .. } => *leader,
            Role::Looking => return,
        };
        self.tell(server, leader, what);
    }
}
