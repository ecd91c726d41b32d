use super::following::Following;
use super::holding::{Holding, Stage};
use super::timer::{self, Timer};
use super::{Machine, Phase};
use crate::backend::{LockKind, LockState};
use crate::planted::Mistake;
use crate::{Nanos, Reading};

impl Machine {
    /// How long after `now` the machine wants an input at the latest; nothing when only other inputs matter.
    ///
    /// What must not be late is woken early, and the machine then asks again for the rest.
    pub fn wake_after(&self, now: Reading) -> Option<Nanos> {
        let call = self
            .pending
            .as_ref()
            .filter(|_| !self.planted(Mistake::NoRequestTimeout))
            .map(|pending| Timer::new(pending.sent, self.spans.request_timeout).left_at_most(now));
        let phase = match &self.phase {
            Phase::Ended => None,
            Phase::Following(following) => self.wake_following(now, following),
            Phase::Holding(holding) => self.wake_holding(now, holding),
        };
        earliest(call, phase)
    }

    /// What a follower waits for when no call is under way.
    fn wake_following(&self, now: Reading, following: &Following) -> Option<Nanos> {
        if self.pending.is_some() {
            return None;
        }
        if let Some(retry) = &self.retry {
            return (!self.planted(Mistake::ForgetsAlarm)).then(|| retry.left_at_most(now));
        }
        let poll = Some(following.poll.left_at_most(now));
        let way = self.knowledge.give_way.map(|timer| timer.left_at_most(now));
        let takeover = if self.may_try() && way.is_none() {
            self.takeover_left(now)
        } else {
            None
        };
        earliest(poll, earliest(way, takeover))
    }

    fn takeover_left(&self, now: Reading) -> Option<Nanos> {
        let observed = self.knowledge.observed.as_ref()?;
        // Without a version there is nothing to compare with: it is never taken over.
        observed.version?;
        match &observed.lock {
            LockState::Held(held) if self.settings.kind == LockKind::Leased => {
                self.takeover(held.duration).map(|timer| {
                    let counts_longer = self.planted(Mistake::FollowerCountsLonger);
                    if counts_longer {
                        timer.left_at_most(now)
                    } else {
                        timer.left_at_least(now)
                    }
                })
            }
            _ => None,
        }
    }

    fn wake_holding(&self, now: Reading, holding: &Holding) -> Option<Nanos> {
        let stage = match &holding.stage {
            Stage::Draining { limit, .. } => Some(self.early(limit.left_at_most(now))),
            Stage::Leading => None,
            Stage::Probation { over } => {
                let left = over.left_at_least(now);
                (left > Nanos::ZERO).then_some(left)
            }
            Stage::Releasing { give_up } => Some(give_up.left_at_most(now)),
            Stage::Stopping {
                aborted: false,
                since,
                ..
            } => Some(self.early(holding.abort_in(now, *since, &self.spans))),
            Stage::Stopping {
                aborted: true,
                overrun: false,
                since,
                ..
            } => Some(Timer::new(*since, self.spans.stop).left_at_most(now)),
            Stage::Stopping { .. } => None,
        };
        let leads = match holding.stage {
            Stage::Draining { .. } | Stage::Leading | Stage::Probation { .. } => {
                let deadline = self.early(holding.deadline(&self.spans).remaining(now));
                let judged = holding.leads() && !holding.jeopardy;
                let jeopardy = judged.then(|| holding.jeopardy_due(&self.spans).left_at_most(now));
                earliest(self.expires().then_some(deadline), jeopardy)
            }
            Stage::Releasing { .. } | Stage::Stopping { .. } => None,
        };
        earliest(stage, earliest(leads, self.wake_for_call(now, holding)))
    }

    fn early(&self, left: Nanos) -> Nanos {
        let planted = self.spans.planted;
        planted.pick(Mistake::WakesOnTime, left, timer::early(left))
    }

    /// When a holder makes its next call, if none is under way.
    fn wake_for_call(&self, now: Reading, holding: &Holding) -> Option<Nanos> {
        if self.pending.is_some() || matches!(holding.stage, Stage::Stopping { .. }) {
            return None;
        }
        match (&self.retry, holding.stage.is_releasing()) {
            (Some(retry), _) => Some(retry.left_at_most(now)),
            (None, true) => None,
            (None, false) => Some(holding.renewal_in(now, &self.spans)),
        }
    }
}

fn earliest(a: Option<Nanos>, b: Option<Nanos>) -> Option<Nanos> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
