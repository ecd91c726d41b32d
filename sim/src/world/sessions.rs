use tenure_core::memory::SessionId;

use crate::TrueTime;
use crate::clock::{counted, passed};
use crate::plan::ServerPlan;
use crate::trace::Life;

/// The most signs of life that wait to be passed on. Those that come then are not passed on at all.
const RECENT_MOST: usize = 64;

/// The sessions of a server that ends those from which it has not heard, by its own clock and in whole ticks.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    /// For how long a sign of life is not passed on to where sessions are counted, in nanoseconds.
    lag: u64,
    known: Vec<Session>,
    plan: ServerPlan,
}

#[derive(Clone, Debug)]
struct Session {
    /// When it was last heard of where sessions are counted.
    heard: TrueTime,
    id: SessionId,
    life: Life,
    node: u16,
    /// When it was heard of by the server that it is connected to, as far as that is not passed on yet.
    recent: Vec<TrueTime>,
    /// After how long without a sign of life it ends, in nanoseconds of the server's clock.
    timeout: u64,
}

/// A session that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Expired {
    pub(crate) id: SessionId,
    pub(crate) life: Life,
    pub(crate) node: u16,
}

impl Sessions {
    /// No sessions yet. A sign of life is passed on `lag` nanoseconds late at the earliest.
    pub(crate) fn new(plan: ServerPlan, lag: u64) -> Self {
        Self {
            lag,
            known: Vec::new(),
            plan,
        }
    }

    /// A session begins.
    pub(crate) fn open(
        &mut self,
        now: TrueTime,
        id: SessionId,
        (node, life): (u16, Life),
        timeout: u64,
    ) {
        self.known.push(Session {
            heard: now,
            id,
            life,
            node,
            recent: Vec::new(),
            timeout,
        });
    }

    /// A sign of life.
    pub(crate) fn hear(&mut self, now: TrueTime, id: SessionId) {
        let lag = self.lag;
        let Some(session) = self.known.iter_mut().find(|session| session.id == id) else {
            return;
        };
        if lag == 0 {
            session.heard = now;
            return;
        }
        // With each sign of life those are passed on that came long enough before it.
        let passed_on = |at: &TrueTime| now.nanos() - at.nanos() >= lag;
        let count = session.recent.partition_point(passed_on);
        if let Some(newest) = session.recent.drain(..count).next_back() {
            session.heard = newest;
        }
        if session.recent.len() < RECENT_MOST {
            session.recent.push(now);
        }
    }

    /// All count from now on anew.
    pub(crate) fn renew(&mut self, now: TrueTime) {
        for session in &mut self.known {
            session.heard = now;
            session.recent.clear();
        }
    }

    /// A session ends.
    pub(crate) fn close(&mut self, id: SessionId) -> Option<Expired> {
        let place = self.known.iter().position(|session| session.id == id)?;
        let Session { id, life, node, .. } = self.known.remove(place);
        Some(Expired { id, life, node })
    }

    /// The session that a node's candidate began last.
    pub(crate) fn of(&self, life: Life) -> Option<SessionId> {
        let mut theirs = self.known.iter().rev();
        theirs
            .find(|session| session.life == life)
            .map(|session| session.id)
    }

    /// A session that has expired by now.
    pub(crate) fn expired(&self, now: TrueTime) -> Option<SessionId> {
        let mut known = self.known.iter();
        known
            .find(|session| self.expires(session) <= now)
            .map(|session| session.id)
    }

    /// When the next one expires, if none is heard of.
    pub(crate) fn next_expiry(&self) -> Option<TrueTime> {
        self.known.iter().map(|session| self.expires(session)).min()
    }

    /// At the first tick of the server after its timeout.
    fn expires(&self, session: &Session) -> TrueTime {
        let rate = 1_000_000 + self.plan.rate_ppm.clamp(-900_000, 1_000_000);
        let rate = rate.unsigned_abs();
        let heard = counted(session.heard.nanos(), rate);
        let end = heard.saturating_add(session.timeout);
        let tick = self.plan.tick.nanos().max(1);
        let end = (end / tick + 1).saturating_mul(tick);
        TrueTime::from_nanos(passed(end, rate))
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::memory::{SessionMode, SessionState, State};

    use super::*;
    use crate::plan::Span;

    const NANO: std::time::Duration = std::time::Duration::from_nanos(1);
    const TIMEOUT: u64 = 6_000_000_000;

    fn at(millis: u64) -> TrueTime {
        Span::from_millis(millis).from_start()
    }

    fn one(plan: ServerPlan, lag: u64) -> (Sessions, SessionId) {
        let id = SessionState::new(SessionMode::EndsWhenTold).open();
        let mut sessions = Sessions::new(plan, lag);
        sessions.open(at(0), id, (0, Life(1)), TIMEOUT);
        (sessions, id)
    }

    #[test]
    fn a_session_ends_at_the_first_tick_after_its_timeout_by_the_servers_clock() {
        let plan = ServerPlan {
            tick: Span::from_secs(1),
            rate_ppm: -500_000,
            ..ServerPlan::default()
        };
        let (mut sessions, id) = one(plan, 0);
        sessions.hear(at(1_000), id);
        assert_eq!(sessions.next_expiry(), Some(at(14_000)));
        assert_eq!(sessions.expired(at(13_999)), None);
        assert_eq!(sessions.expired(at(14_000)), Some(id));
    }

    #[test]
    fn a_sign_of_life_that_is_not_passed_on_does_not_count() {
        let lag = Span::from_millis(500).nanos();
        let (mut sessions, id) = one(ServerPlan::default(), lag);
        sessions.hear(at(1_000), id);
        assert!(sessions.next_expiry().unwrap() < at(6_001));
        sessions.hear(at(1_200), id);
        assert!(sessions.next_expiry().unwrap() < at(6_001));
        sessions.hear(at(1_600), id);
        assert_eq!(sessions.next_expiry(), Some(at(7_000).plus(NANO)));
        sessions.hear(at(1_800), id);
        assert_eq!(sessions.next_expiry(), Some(at(7_200).plus(NANO)));
    }
}
