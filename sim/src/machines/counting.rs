//! How sessions are kept, and how they end.

use tenure_core::Nanos;
use tenure_core::memory::{SessionId, Told};

use super::event::{Event, Hinted};
use super::node::Process;
use super::world::{UP, World, index};
use crate::TrueTime;
use crate::trace::{Life, What};
use crate::world::Expired;

const SECOND: u64 = 1_000_000_000;

impl World<'_> {
    /// A client that hears from its server learns whether its session has ended, and then begins another.
    pub(super) fn know_session(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        let process = at.process.as_mut().expect(UP);
        if !self.server.is_open(process.session) {
            let timeout = Nanos::from(at.timing.lease_duration()).get();
            let life = process.life;
            process.session = self.server.open(self.now, index(node), life, timeout);
        }
    }

    pub(super) fn schedule_ping(&mut self, node: usize, life: Life) {
        if self.server.counts_sessions() {
            let third = self.nodes[node].timing.lease_duration() / 3;
            let third = Nanos::from(third).get();
            let node = index(node);
            self.after(third, Event::Ping { life, node });
        }
    }

    /// Keeps a session alive as a client's library does, whatever the election does: it proves nothing to anybody.
    pub(super) fn ping(&mut self, node: usize, life: Life) {
        let at = &self.nodes[node];
        let Some(process) = at.process.as_ref().filter(|process| process.life == life) else {
            return;
        };
        let link = &at.link.condition;
        let arrives = at.frozen.is_none() && !link.requests.cut && !link.clogged;
        if arrives && !self.conditions.dark {
            self.server.hear(self.now, process.session);
        }
        self.schedule_ping(node, life);
    }

    /// Ends the sessions that have expired.
    pub(super) fn reap(&mut self) {
        if !self.conditions.dark {
            while let Some(expired) = self.server.expire(self.now) {
                self.session_ended(expired);
            }
        }
        let next = self.server.next_expiry();
        let soon = TrueTime::from_nanos(self.now.nanos() + SECOND);
        let next = next.map_or(soon, |next| {
            next.max(self.now.plus(std::time::Duration::from_nanos(1)))
        });
        // Sessions that begin meanwhile expire later than that.
        let shortest = TrueTime::from_nanos(self.now.nanos() + SECOND);
        let next = if self.conditions.dark {
            soon
        } else {
            next.min(shortest)
        };
        self.at(next, Event::Reap);
    }

    pub(super) fn session_ended(&mut self, ended: (Expired, Told, Option<What>)) {
        let (Expired { life, node, .. }, told, wrote) = ended;
        self.record_of_world(What::SessionEnded { life });
        self.spread(told, wrote, None);
        let node = usize::from(node);
        if self.nodes[node].life() == Some(life) {
            self.send_hint(node, life, Hinted::Disconnected, 0);
        }
    }

    /// A candidate that has ended closes its session: the server hears of that later, or never.
    pub(super) fn hang_up(&mut self, node: usize, process: &Process) {
        let route = self.nodes[node].link.route();
        if let Some(takes) = route.request {
            let arrives = self.arrival(node, takes);
            let session = process.session;
            self.at(arrives, Event::Close { session });
        }
    }

    /// A session's end reaches the server.
    pub(super) fn close(&mut self, session: SessionId) {
        if !self.conditions.dark {
            let (told, wrote) = self.server.close(session);
            self.spread(told, wrote, None);
        }
    }
}
