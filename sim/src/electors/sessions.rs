use std::collections::BTreeMap;
use std::time::Duration;

use tenure_core::memory::SessionId;

use crate::TrueTime;
use crate::clock::Counter;
use crate::plan::{ServerPlan, Span};
use crate::trace::Life;

/// A server's count of how long it has not heard from its sessions, by its own clock.
#[derive(Debug)]
pub(super) struct Sessions {
    counter: Counter,
    known: BTreeMap<SessionId, Session>,
    /// Whether signs of life are passed on late.
    late: bool,
    tick: Span,
}

/// One session, as the server knows it.
#[derive(Clone, Copy, Debug)]
struct Session {
    /// What the server's clock showed when it last counted a sign of life.
    heard: u64,
    life: Life,
    /// Whether the client has just come to the server that it is connected to: then its first sign of life is passed on at once.
    new_here: bool,
    timeout: u64,
    /// Whether there was a sign of life that has not been passed on.
    unpassed: bool,
}

impl Sessions {
    pub(super) fn new(server: &ServerPlan) -> Self {
        Self {
            counter: Counter::new(0, server.rate_ppm),
            known: BTreeMap::new(),
            late: server.late_proof,
            tick: server.tick,
        }
    }

    pub(super) fn open(&mut self, now: TrueTime, id: SessionId, life: Life, timeout: Duration) {
        let session = Session {
            heard: self.counter.at(now),
            life,
            new_here: true,
            timeout: u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX),
            unpassed: false,
        };
        self.known.insert(id, session);
    }

    pub(super) fn hear(&mut self, now: TrueTime, id: SessionId) {
        let shown = self.counter.at(now);
        let Some(session) = self.known.get_mut(&id) else {
            return;
        };
        if self.late && !session.new_here {
            session.unpassed = true;
        } else {
            session.heard = shown;
            session.new_here = false;
        }
    }

    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.known.contains_key(&id)
    }

    /// What the clients' servers have heard is passed on to the one that counts.
    pub(super) fn pass_on(&mut self, now: TrueTime) {
        let shown = self.counter.at(now);
        for session in self.known.values_mut() {
            if std::mem::take(&mut session.unpassed) {
                session.heard = shown;
            }
        }
    }

    /// The client's connection broke: what its server has not passed on is lost.
    pub(super) fn reconnect(&mut self, id: SessionId) {
        if let Some(session) = self.known.get_mut(&id) {
            session.unpassed = false;
            session.new_here = true;
        }
    }

    /// Another server counts, from the start.
    pub(super) fn count_anew(&mut self, now: TrueTime) {
        let shown = self.counter.at(now);
        for session in self.known.values_mut() {
            session.heard = shown;
            session.unpassed = false;
            session.new_here = true;
        }
    }

    /// The session has ended. Whose it was.
    pub(super) fn end(&mut self, id: SessionId) -> Option<Life> {
        self.known.remove(&id).map(|session| session.life)
    }

    /// The sessions that have not been heard from for too long.
    pub(super) fn expired(&self, now: TrueTime) -> Vec<SessionId> {
        let expired = self
            .known
            .iter()
            .filter(|(_, session)| self.expires(session) <= now);
        expired.map(|(id, _)| *id).collect()
    }

    /// When the next session will have expired, if nobody is heard from.
    pub(super) fn next_expiry(&self) -> Option<TrueTime> {
        let known = self.known.values();
        known.map(|session| self.expires(session)).min()
    }

    /// A timeout that is over is seen at the next tick.
    fn expires(&self, session: &Session) -> TrueTime {
        let over = session.heard.saturating_add(session.timeout);
        let tick = self.tick.nanos().max(1);
        let seen = over.div_ceil(tick).saturating_mul(tick);
        // The moment after, so that who renews exactly at the timeout is heard.
        let shown = seen.saturating_add(1);
        self.counter.when(shown).unwrap_or(TrueTime::END)
    }
}
