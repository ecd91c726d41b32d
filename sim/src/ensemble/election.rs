//! Who leads the servers, and what a server does that has no leader.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::connection::{ConnectionId, Down, Up};
use super::server::{Leading, Role};
use super::state::{Event, SERVERS, State};
use super::tracker::Tracker;

/// How long an election takes.
const TAKES_MILLIS: std::ops::RangeInclusive<u64> = 150..=600;

impl State {
    /// A server has no leader, or no majority, any more: its clients are dropped, and it looks for one.
    pub(super) fn look_for_a_leader(&mut self, server: usize) {
        let followed: Vec<_> = match &self.servers[server].role {
            Role::Leading(leading) => leading.acknowledged.keys().copied().collect(),
            Role::Following { leader, .. } => {
                let leader = *leader;
                self.left_by(leader, server);
                Vec::new()
            }
            Role::Looking => Vec::new(),
        };
        self.change_role(server, Role::Looking);
        self.drop_clients(server);
        for other in 0..SERVERS {
            self.break_channels(server, other);
        }
        // A connection that breaks is noticed at once; one over which nothing passes is not.
        for follower in followed {
            if self.reach_each_other(server, follower) {
                self.look_for_a_leader(follower);
            }
        }
        self.elect_soon(server);
    }

    fn left_by(&mut self, leader: usize, follower: usize) {
        if self.reach_each_other(leader, follower)
            && let Some(leading) = self.leading(leader)
        {
            leading.acknowledged.remove(&follower);
            leading.heard.remove(&follower);
        }
    }

    fn reach_each_other(&self, one: usize, other: usize) -> bool {
        !self.servers[one].isolated && !self.servers[other].isolated
    }

    fn change_role(&mut self, server: usize, role: Role) {
        let one = &mut self.servers[server];
        one.role = role;
        one.generation += 1;
        one.syncs.clear();
    }

    fn elect_soon(&mut self, server: usize) {
        let takes = Duration::from_millis(self.draw.within(TAKES_MILLIS));
        let generation = self.servers[server].generation;
        self.plan_in(takes, Event::Elect(server, generation));
    }

    /// A server that looks for a leader follows the one that there is, or one is made if a majority looks.
    pub(super) fn elect(&mut self, server: usize) {
        let looks =
            |one: &super::server::Server| one.is_reached() && matches!(one.role, Role::Looking);
        if !looks(&self.servers[server]) {
            if self.servers[server].alive {
                self.elect_soon(server);
            }
            return;
        }
        if let Some(leader) = self.leader().filter(|leader| self.can_follow(*leader)) {
            self.follow(server, leader);
            return;
        }
        let looking: Vec<_> = (0..SERVERS)
            .filter(|index| looks(&self.servers[*index]))
            .collect();
        if looking.len() <= SERVERS / 2 {
            self.elect_soon(server);
            return;
        }
        let best = looking
            .iter()
            .copied()
            .max_by_key(|index| (self.servers[*index].last_zxid(), *index));
        if let Some(leader) = best {
            self.lead(leader);
            for follower in looking.into_iter().filter(|index| *index != leader) {
                self.follow(follower, leader);
            }
        }
    }

    /// Whether a leader can be joined: it is reached, and has a majority itself.
    fn can_follow(&self, leader: usize) -> bool {
        let one = &self.servers[leader];
        let has_majority = match &one.role {
            Role::Leading(leading) => leading.acknowledged.len() >= SERVERS / 2,
            _ => false,
        };
        one.is_reached() && has_majority && !self.is_deposed(leader)
    }

    /// Whether another server has been elected since this one was.
    pub(super) fn is_deposed(&self, leader: usize) -> bool {
        match &self.servers[leader].role {
            Role::Leading(leading) => leading.newest >> 32 < self.epoch,
            _ => false,
        }
    }

    fn lead(&mut self, server: usize) {
        let (now, tick) = (self.now, self.setting.tick);
        self.epoch += 1;
        let one = &self.servers[server];
        let upto = one.log.len();
        let mut leading = Leading {
            acknowledged: BTreeMap::new(),
            beats: 0,
            heard: BTreeMap::new(),
            newest: self.epoch << 32,
            owners: BTreeMap::new(),
            syncs: Vec::new(),
            tracker: Tracker::new(one.counter, tick),
        };
        // What it has is committed, and all sessions count from now.
        self.witness_until(server, upto);
        self.committed(server, upto);
        for (session, timeout) in self.truth.sessions() {
            leading.tracker.track(now, *session, *timeout);
        }
        self.change_role(server, Role::Leading(Box::new(leading)));
        let generation = self.servers[server].generation;
        self.plan(now, Event::Look(server, generation));
        self.plan(now, Event::Beat(server, generation));
    }

    fn follow(&mut self, server: usize, leader: usize) {
        let now = self.now;
        let (log, committed) = {
            let one = &self.servers[leader];
            (one.log.clone(), one.committed)
        };
        let logged = log.len();
        if let Some(leading) = self.leading(leader) {
            leading.acknowledged.insert(server, logged);
            leading.heard.insert(server, now);
        }
        self.break_channels(server, leader);
        let one = &mut self.servers[server];
        one.log = log;
        let role = Role::Following {
            heard: now,
            leader,
            touched: BTreeSet::new(),
        };
        self.change_role(server, role);
        self.committed(server, committed);
        let generation = self.servers[server].generation;
        self.plan(now, Event::Beat(server, generation));
        if self.setting.sync_limit.is_some() {
            self.plan(now, Event::Silence(server, generation));
        }
    }

    pub(super) fn break_channels(&mut self, one: usize, other: usize) {
        self.channels.remove(&(one, other));
        self.channels.remove(&(other, one));
    }

    pub(super) fn drop_clients(&mut self, server: usize) {
        let connections: Vec<_> = self.servers[server].connections.iter().copied().collect();
        for connection in connections {
            self.drop_connection(connection);
        }
    }

    /// A server closes its end of a connection.
    pub(super) fn drop_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if !std::mem::replace(&mut connection.open, false) {
            return;
        }
        connection.requests.clear();
        let server = connection.server;
        let one = &mut self.servers[server];
        one.connections.remove(&id);
        for watches in one.watches.values_mut() {
            watches.retain(|watch| watch.connection != id);
        }
        one.watches.retain(|_, watches| !watches.is_empty());
        self.send_down(id, Down::Bye);
    }

    /// A server's process ends. What it has sent still arrives; what was sent to it does not.
    pub(super) fn kill(&mut self, server: usize) {
        if !self.servers[server].alive {
            return;
        }
        self.look_for_a_leader(server);
        let ids: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.server == server)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.up.clear();
            }
            self.drop_connection(id);
        }
        let one = &mut self.servers[server];
        one.alive = false;
        one.generation += 1;
        one.applies.clear();
    }

    /// It is started again, with what it had on its disk.
    pub(super) fn start(&mut self, server: usize) {
        if self.servers[server].alive {
            return;
        }
        self.servers[server].alive = true;
        let committed = self.servers[server].committed;
        self.committed(server, committed);
        self.elect_soon(server);
    }

    /// What a server is told of by the kernel when nobody listens.
    pub(super) fn refuse(&mut self, id: ConnectionId, what: &Up) {
        if !matches!(what, Up::Bye)
            && let Some(connection) = self.connections.get_mut(&id)
        {
            connection.open = true;
            self.drop_connection(id);
        }
    }
}
