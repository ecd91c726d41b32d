use super::input::{Eligibility, Operation};
use super::settings::probation;
use super::timer::{Timer, jittered};
use super::{Machine, Moment, OnMissing, Output, Phase, Purpose};
use crate::backend::{Basis, Claim, LockKind, LockState};
use crate::{Nanos, Reading};

/// A candidate that does not hold the lock.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Following {
    /// Refused tries in a row: the second one waits.
    pub(super) conflicts: u8,
    /// Something may have changed: read, or try, at once.
    pub(super) look: bool,
    /// When to read, or try, without any hint.
    pub(super) poll: Timer,
    /// Whether the withdrawal of an ending candidate was tried.
    pub(super) withdrew: bool,
}

/// A try that the present knowledge allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Opportunity {
    basis: Basis,
    probation: Option<Nanos>,
}

impl Following {
    pub(super) fn starting(now: Reading) -> Self {
        Self {
            conflicts: 0,
            look: true,
            poll: Timer::new(now, Nanos::ZERO),
            withdrew: false,
        }
    }
}

impl Machine {
    /// Begins to follow, with a read.
    pub(super) fn follow(&mut self, now: Moment) {
        self.phase = Phase::Following(Following::starting(now.reading));
        self.retry = None;
    }

    pub(super) fn expire_following(&mut self, now: Moment) {
        if self
            .knowledge
            .give_way
            .is_some_and(|timer| timer.due(now.reading))
        {
            self.knowledge.give_way = None;
            self.look();
        }
    }

    pub(super) fn advance_following(&mut self, now: Moment) {
        let Phase::Following(following) = &self.phase else {
            return;
        };
        if self.pending.is_some() {
            return;
        }
        if self.ending {
            self.end(now);
            return;
        }
        if self.retry.is_some() {
            return;
        }
        let wants_look = following.look || following.poll.due(now.reading);
        if self.knowledge.queued && !self.may_try() {
            // A place in a queue that nobody uses would block everybody behind it.
            self.send(now, Purpose::Withdraw, Operation::Withdraw);
        } else if !self.knowledge.enlisted {
            self.send(now, Purpose::Enlist, Operation::Enlist);
        } else if let Some(opportunity) = self.opportunity(now.reading, wants_look) {
            self.claim(now, opportunity);
        } else if wants_look {
            self.send(now, Purpose::Observe, Operation::Observe);
        } else if self.knowledge.members_look {
            self.send(now, Purpose::Members, Operation::Members);
        }
    }

    /// Withdraws once, then ends whatever the answer was.
    fn end(&mut self, now: Moment) {
        let Phase::Following(following) = &mut self.phase else {
            return;
        };
        let needed = self.knowledge.enlisted || self.knowledge.queued;
        if needed && !following.withdrew {
            following.withdrew = true;
            self.send(now, Purpose::Withdraw, Operation::Withdraw);
        } else {
            self.phase = Phase::Ended;
            self.retry = None;
            self.outputs.push_back(Output::Ended);
        }
    }

    pub(super) fn may_try(&self) -> bool {
        self.eligibility == Eligibility::Eligible && !self.ending && !self.knowledge.paused()
    }

    fn opportunity(&self, now: Reading, wants_look: bool) -> Option<Opportunity> {
        let observed = self.knowledge.observed.as_ref()?;
        if !self.may_try() || self.knowledge.give_way.is_some() {
            return None;
        }
        match self.settings.kind {
            // Only the store knows whether a session lock is free; to ask it is to try.
            LockKind::Session => wants_look.then_some(Opportunity {
                basis: Basis::Missing,
                probation: None,
            }),
            LockKind::Leased => self.leased_opportunity(now, &observed.lock),
        }
    }

    /// Whether a leased record may be taken now, by what was last seen of it.
    fn leased_opportunity(&self, now: Reading, lock: &LockState) -> Option<Opportunity> {
        let version = self
            .knowledge
            .observed
            .as_ref()
            .and_then(|observed| observed.version);
        match lock {
            LockState::NeverHeld => Some(Opportunity {
                basis: Basis::Missing,
                probation: None,
            }),
            LockState::Missing => Some(Opportunity {
                basis: Basis::Missing,
                probation: self.unexplained(),
            }),
            LockState::Vacant { identity, mark } => {
                // A mark that names another object was copied with the record, and vouches for nothing.
                let released = mark.is_some_and(|mark| mark.identity == *identity);
                let probation = if released { None } else { self.unexplained() };
                Some(Opportunity {
                    basis: Basis::At(version?),
                    probation,
                })
            }
            LockState::Held(held) => {
                let basis = Basis::At(version?);
                if held.holder.is(&self.settings.candidate) {
                    // A claim of our own whose answer was lost. Nothing of ours runs, so it needs no ageing; but only a newly
                    // confirmed write starts a leadership, and what the claim owed it still owes.
                    return Some(Opportunity {
                        basis,
                        probation: self.unexplained(),
                    });
                }
                self.takeover(held.duration)
                    .is_some_and(|timer| timer.surely_over(now))
                    .then_some(Opportunity {
                        basis,
                        probation: None,
                    })
            }
        }
    }

    /// When a record of this duration, seen unchanged since it was first seen, may be taken.
    pub(super) fn takeover(&self, duration: Option<std::time::Duration>) -> Option<Timer> {
        let sighting = self.knowledge.sighting.as_ref()?;
        let wait = self.settings.timing.takeover_after(duration);
        Some(Timer::new(sighting.first_seen, wait))
    }

    fn unexplained(&self) -> Option<Nanos> {
        match self.settings.on_missing {
            OnMissing::AcquireAtOnce => None,
            OnMissing::Wait => Some(probation(
                &self.settings.timing,
                self.knowledge.longest_lease,
            )),
        }
    }

    fn claim(&mut self, now: Moment, opportunity: Opportunity) {
        let claim = Claim {
            basis: opportunity.basis,
            candidate: self.settings.candidate.clone(),
            lease_duration: self.settings.timing.lease_duration(),
            nonce: self.nonce(now),
            wall: now.wall,
        };
        let purpose = Purpose::Acquire {
            probation: opportunity.probation,
        };
        self.send(now, purpose, Operation::Acquire(claim));
    }

    /// What was to be learned was learned: wait for a hint, or for the next poll.
    pub(super) fn looked(&mut self, now: Moment) {
        let span = if self.knowledge.watching {
            self.spans.silence
        } else {
            jittered(self.spans.renew, now.jitter)
        };
        if let Phase::Following(following) = &mut self.phase {
            following.look = false;
            following.poll = Timer::new(now.reading, span);
        }
    }
}
