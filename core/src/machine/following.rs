use std::time::Duration;

use super::input::{Eligibility, Operation};
use super::settings::probation;
use super::timer::{Timer, jittered};
use super::{Machine, Moment, OnMissing, Output, Phase, Purpose};
use crate::backend::{Basis, Claim, LockKind, LockState, Observation};
use crate::planted::Mistake;
use crate::{Identity, Nanos, Reading};

/// How long after its release a candidate leaves a session lock to others: in that time the next one has it, and is not kept waiting.
const REST: Nanos = Nanos::from_millis(20);

/// A candidate that does not hold the lock.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Following {
    /// Refused tries in a row: the second one waits.
    pub(super) conflicts: u8,
    /// Whether a session lock may be free as far as anybody has said: only a try tells.
    pub(super) knock: bool,
    /// Something may have changed: read, or try, at once.
    pub(super) look: bool,
    /// When to read, or try, without any hint.
    pub(super) poll: Timer,
    /// Whether the withdrawal of an ending candidate was tried.
    pub(super) withdrew: bool,
}

/// A try that the present knowledge allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Opportunity {
    basis: Basis,
    /// The object that the claim is made on, where there is one.
    pub(super) identity: Option<Identity>,
    pub(super) probation: Option<Nanos>,
}

impl Following {
    pub(super) fn starting(now: Reading) -> Self {
        Self {
            conflicts: 0,
            knock: false,
            look: true,
            poll: Timer::new(now, Nanos::ZERO),
            withdrew: false,
        }
    }

    /// From the second refusal on it makes no difference how many there were.
    #[cfg(feature = "testing")]
    pub(super) fn normalise(&mut self, normal: &super::normal::Normal<'_>, polls: bool) {
        self.conflicts = self.conflicts.min(2);
        self.poll = if polls {
            normal.timer(self.poll)
        } else {
            normal.idle()
        };
    }
}

#[cfg(feature = "testing")]
impl Opportunity {
    pub(super) fn normalise(&mut self, normal: &mut super::normal::Normal<'_>) {
        if let Basis::At(version) = &mut self.basis {
            *version = normal.labels.version(*version);
        }
        if let Some(identity) = &mut self.identity {
            *identity = normal.labels.identity(*identity);
        }
    }
}

impl Machine {
    /// Begins to follow, with a look at the lock.
    pub(super) fn follow(&mut self, now: Moment) {
        self.phase = Phase::Following(Following::starting(now.reading));
        self.retry = None;
    }

    /// Lets others go first for a moment at least, and does not even look until then, unless there is a hint.
    pub(super) fn rest(&mut self, now: Moment) {
        let way = self.knowledge.give_way;
        if way.is_none_or(|way| way.left_at_most(now.reading) < REST) {
            self.give_way(now, REST.into());
        }
        if let Phase::Following(following) = &mut self.phase {
            following.look = false;
            following.poll = Timer::new(now.reading, REST);
        }
    }

    pub(super) fn expire_following(&mut self, now: Moment) {
        if self
            .knowledge
            .give_way
            .is_some_and(|timer| timer.due(now.reading))
        {
            self.knowledge.give_way = None;
            self.look_as_follower();
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
        if self.knowledge.queued && (!self.may_try() || self.knowledge.give_way.is_some()) {
            // A place in a queue that nobody uses would block everybody behind it.
            self.send(now, Purpose::Withdraw, Operation::Withdraw);
        } else if let Some(opportunity) = self.opportunity(now.reading, wants_look) {
            self.claim(now, opportunity);
        } else if wants_look {
            self.read(now);
        } else if let Some((purpose, operation)) = self.company.due(now.reading) {
            self.company.look = false;
            self.send(now, purpose, operation);
        }
    }

    /// Reads the lock. What is told during the read may be missing from it, so it asks for another one.
    pub(super) fn read(&mut self, now: Moment) {
        match &mut self.phase {
            Phase::Ended => return,
            Phase::Following(following) => following.look = false,
            Phase::Holding(holding) => holding.look = false,
        }
        self.send(now, Purpose::Observe, Operation::Observe);
    }

    /// Withdraws once, then ends whatever the answer was.
    fn end(&mut self, now: Moment) {
        let Phase::Following(following) = &mut self.phase else {
            return;
        };
        let leaks = self.spans.planted.is(Mistake::LeaksMember);
        let needed = !leaks && (self.company.may_be_enlisted() || self.knowledge.queued);
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
        let Phase::Following(following) = &self.phase else {
            return None;
        };
        if !self.may_try() || self.knowledge.give_way.is_some() {
            return None;
        }
        match self.settings.kind {
            // Only the store knows whether a session lock is free; to ask it is to try, and tells what a read would.
            LockKind::Session => (wants_look || following.knock).then_some(Opportunity {
                basis: Basis::Missing,
                identity: None,
                probation: None,
            }),
            // What is known may be out of date, and a claim made from it would only be refused.
            LockKind::Leased if following.look => None,
            LockKind::Leased => {
                let observed = self.knowledge.observed.as_ref()?;
                self.leased_opportunity(now, &observed.lock)
            }
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
                identity: None,
                probation: None,
            }),
            LockState::Missing => Some(Opportunity {
                basis: Basis::Missing,
                identity: None,
                probation: self
                    .unexplained()
                    .filter(|_| !self.planted(Mistake::MissingIsFree)),
            }),
            LockState::Vacant { identity, mark } => {
                // A mark that names another object was copied with the record, and vouches for nothing.
                let released = mark.is_some_and(|mark| mark.identity == *identity)
                    || self.planted(Mistake::EmptiedIsFree);
                let probation = if released { None } else { self.unexplained() };
                Some(Opportunity {
                    basis: Basis::At(version?),
                    identity: Some(*identity),
                    probation,
                })
            }
            LockState::Held(held) => {
                let basis = Basis::At(version?);
                if held.holder.is(&self.settings.candidate) {
                    // A claim of our own whose answer was lost. Nothing of ours runs, so it needs no ageing; but only a newly
                    // confirmed write starts a leadership, and what the claim owed it still owes.
                    let owed_none = self.knowledge.lost_claim.is_some_and(|lost| {
                        lost.identity == held.identity && lost.nonce == held.nonce
                    });
                    return Some(Opportunity {
                        basis,
                        identity: Some(held.identity),
                        probation: if owed_none { None } else { self.unexplained() },
                    });
                }
                self.takeover(held.duration)
                    .is_some_and(|timer| {
                        let due = self.planted(Mistake::FollowerCountsLonger) && timer.due(now);
                        timer.surely_over(now) || due
                    })
                    .then_some(Opportunity {
                        basis,
                        identity: Some(held.identity),
                        probation: None,
                    })
            }
        }
    }

    /// When a record of this duration, seen unchanged since it was first seen, may be taken.
    pub(super) fn takeover(&self, duration: Option<Duration>) -> Option<Timer> {
        let sighting = self.knowledge.sighting.as_ref()?;
        let duration = duration.filter(|_| !self.planted(Mistake::OwnDuration));
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

    /// The duration that a record is to say.
    ///
    /// While a former leader is waited out it is that leader's, where it is longer: should this candidate crash meanwhile, whoever
    /// comes next has never seen the longer one, and must wait for it all the same.
    pub(super) fn recorded_duration(&self, waiting: bool) -> Duration {
        let own = self.settings.timing.lease_duration();
        match self.knowledge.longest_lease {
            Some(longest) if waiting => own.max(longest),
            _ => own,
        }
    }

    fn claim(&mut self, now: Moment, opportunity: Opportunity) {
        if let Phase::Following(following) = &mut self.phase {
            following.look = false;
            following.knock = false;
        }
        let nonce = self.nonce(now);
        let claim = Claim {
            basis: opportunity.basis,
            candidate: self.settings.candidate.clone(),
            lease_duration: self.recorded_duration(opportunity.probation.is_some()),
            nonce,
            wall: now.wall,
        };
        let purpose = Purpose::Acquire(opportunity, nonce);
        self.send(now, purpose, Operation::Acquire(claim));
    }

    /// What was to be learned was learned: wait for a hint, or for the next poll.
    pub(super) fn looked(&mut self, now: Moment) {
        let span = if self.knowledge.watching {
            self.spans.silence
        } else {
            jittered(self.spans.renew, now.jitter)
        };
        let planted = self.spans.planted;
        let span = planted.pick(Mistake::PollsWithoutPause, Nanos::ZERO, span);
        let span = planted.pick(Mistake::NeverPolls, Nanos::MAX, span);
        if let Phase::Following(following) = &mut self.phase {
            following.poll = Timer::new(now.reading, span);
        }
    }

    /// A follower is told by a hint what the lock has become.
    pub(super) fn told_of(&mut self, now: Moment, observation: Observation) {
        let nobody = observation.holder().is_none();
        if self.accept(now, observation) {
            if self.knowledge.watching {
                // The watch is not silent: no poll is needed.
                self.looked(now);
            }
            if nobody {
                self.knock();
            }
        }
    }

    /// A session lock may be had as soon as it may be tried.
    pub(super) fn knock(&mut self) {
        if let Phase::Following(following) = &mut self.phase {
            following.knock = self.settings.kind == LockKind::Session;
        }
    }
}
