use super::holding::{Attempt, Lock, Stage};
use super::input::{Failure, OperationId, Outcome};
use super::knowledge::LostClaim;
use super::settings::probation;
use super::timer::jittered;
use super::{Eligibility, Machine, Moment, OnMissing, Output, Pending, Phase, Purpose};
use crate::backend::{
    Acquired, Grant, LockKind, LockState, Observation, Released, RenewalReceipt, Renewed, Standing,
    Vacancy,
};
use crate::event::{Event, StopReason};
use crate::planted::Mistake;
use crate::{Effect, ErrorKind, Nanos, Nonce, Reading};

impl Machine {
    /// Takes in the answer to a call of the backend. An answer to a call that was abandoned says nothing any more.
    pub(super) fn completed(&mut self, now: Moment, id: OperationId, outcome: Outcome) {
        let Some(pending) = self.pending.take_if(|pending| pending.id == id) else {
            return;
        };
        match (&pending.purpose, outcome) {
            (_, Outcome::Failed(failure)) => self.failed(now, &pending, failure),
            (Purpose::Acquire(opportunity, _), Outcome::Acquired(acquired)) => {
                self.acquired(now, pending.sent, opportunity.probation, acquired);
            }
            (Purpose::Observe, Outcome::Observed(observation)) => self.observed(now, observation),
            (Purpose::Renew(attempt), Outcome::Renewed(renewed)) => {
                self.renewed(now, attempt, renewed)
            }
            (Purpose::Release, Outcome::Released(released)) => {
                self.released(now, pending.sent, released);
            }
            (Purpose::Enlist, Outcome::Done) => self.enlisted(),
            (Purpose::Withdraw, Outcome::Done) => {
                self.company.withdrew();
                self.knowledge.queued = false;
            }
            (Purpose::Members, Outcome::Members(members)) => self.members_read(now, members),
            (purpose, outcome) => panic!("the driver answered {purpose:?} with {outcome:?}"),
        }
    }

    /// A call failed. Nothing that it asked for is taken to have happened; nothing is taken not to have happened either.
    pub(super) fn failed(&mut self, now: Moment, pending: &Pending, failure: Failure) {
        let operation = pending.purpose.name();
        self.tell(Event::BackendFailed {
            kind: failure.kind,
            operation,
        });
        let unknown = failure.effect == Effect::Unknown;
        let wait = self.wait_after(now, pending.sent, failure.kind);
        match &pending.purpose {
            Purpose::Acquire(opportunity, nonce) => {
                self.knowledge.queued |= self.settings.kind == LockKind::Session;
                self.knowledge.lost_claim = match (opportunity.probation, opportunity.identity) {
                    (None, Some(identity)) if unknown => Some(LostClaim {
                        identity,
                        nonce: *nonce,
                    }),
                    _ => None,
                };
                self.look();
            }
            Purpose::Renew(attempt) if self.planted(Mistake::UnknownIsConfirmed) && unknown => {
                self.confirmed(now, attempt, None);
            }
            Purpose::Renew(attempt) if unknown => {
                if let Phase::Holding(holding) = &mut self.phase {
                    holding.unsettle(attempt.clone());
                }
            }
            Purpose::Release if unknown && self.settings.kind == LockKind::Leased => self.look(),
            Purpose::Members => self.members_failed(now),
            Purpose::Enlist => self.enlisting_failed(now),
            Purpose::Observe if self.planted(Mistake::FailOpen) => self.fails_open(now),
            // What is given back is given back without a read that fails.
            Purpose::Observe if self.releases() => {}
            Purpose::Observe => self.look(),
            Purpose::Release | Purpose::Renew(_) | Purpose::Withdraw => {}
        }
        let courtesy = matches!(pending.purpose, Purpose::Enlist | Purpose::Members);
        if !courtesy || matches!(self.phase, Phase::Following(_)) {
            self.back_off(now, pending.sent, wait);
        }
    }

    /// How long after the send of a failed call the next one may be sent.
    fn wait_after(&self, now: Moment, sent: Reading, kind: ErrorKind) -> Nanos {
        let ErrorKind::Throttled {
            retry_after: Some(wait),
        } = kind
        else {
            return jittered(self.spans.retry, now.jitter);
        };
        let wait = self.spans.retry.max(wait.into());
        match &self.phase {
            // A store that wants to be left alone longer than the deadline allows is asked once more while that can help.
            Phase::Holding(holding) if holding.renews() => {
                let left = holding.deadline(&self.spans).remaining(now.reading);
                let passed = now.reading.longest_since(sent);
                wait.min(passed.saturating_add(Nanos::new(left.get() / 2)))
            }
            _ => wait,
        }
    }

    fn acquired(&mut self, now: Moment, sent: Reading, wait: Option<Nanos>, acquired: Acquired) {
        match acquired {
            Acquired::Granted(grant) => self.granted(now, sent, wait, grant),
            Acquired::Busy(seen) => {
                self.knowledge.queued |= self.settings.kind == LockKind::Session;
                self.refused(now, sent, seen);
            }
        }
    }

    fn refused(&mut self, now: Moment, sent: Reading, seen: Option<Observation>) {
        let held = seen.as_ref().is_some_and(|seen| seen.holder().is_some());
        if self.settings.kind == LockKind::Leased || !held {
            self.count_conflict(now, sent);
        }
        let known = seen.is_some_and(|observation| self.accept(now, observation));
        if known {
            self.looked(now);
            if !held {
                // It was just being freed, or just being taken.
                self.knock();
            }
        } else {
            self.look();
        }
    }

    /// The first conflict is somebody else's luck and is read at once; more of them in a row wait.
    fn count_conflict(&mut self, now: Moment, sent: Reading) {
        let conflicts = match &mut self.phase {
            Phase::Ended => return,
            Phase::Following(following) => &mut following.conflicts,
            Phase::Holding(holding) => &mut holding.conflicts,
        };
        *conflicts = conflicts.saturating_add(1);
        if *conflicts > 1 {
            self.back_off(now, sent, jittered(self.spans.retry, now.jitter));
        }
    }

    fn granted(&mut self, now: Moment, sent: Reading, claimed: Option<Nanos>, grant: Grant) {
        let wait = match (grant.vacancy, self.settings.on_missing) {
            (Vacancy::AsClaimed, _) => claimed,
            (Vacancy::Unexplained { longest_lease }, OnMissing::Wait) => {
                self.knowledge.saw_duration(longest_lease);
                Some(probation(
                    &self.settings.timing,
                    self.knowledge.longest_lease,
                ))
            }
            (Vacancy::Proven, _) | (Vacancy::Unexplained { .. }, OnMissing::AcquireAtOnce) => None,
        };
        self.knowledge.saw_version(Some(grant.hold.version));
        let was_paused = self.knowledge.paused();
        self.knowledge.saw_request(grant.request);
        self.say_if_paused(was_paused);
        self.knowledge.queued |= self.settings.kind == LockKind::Session;
        let granted = grant.hold.token;
        let went_back = self.last_token.filter(|last| *last >= granted);
        self.hold(
            now,
            sent,
            grant.hold,
            grant.note,
            grant.standing,
            wait.unwrap_or(Nanos::ZERO),
        );
        if let Some(last) = went_back {
            // A store that was restored from a backup may do this; a token that is not new must not reach any work.
            self.tell(Event::TokenWentBack { granted, last });
            self.lose(now, StopReason::Resigned, Lock::MaybeOurs);
            self.give_way(now, self.spans.renew.into());
        } else if self.unwanted(grant.request) {
            self.leave(now, StopReason::Ineligible);
        } else if self.late_for_its_deadline(now) {
            // The answer took longer than the leadership would have lasted.
            self.lose(now, StopReason::DeadlinePassed, Lock::MaybeOurs);
        }
    }

    fn late_for_its_deadline(&self, now: Moment) -> bool {
        match &self.phase {
            Phase::Holding(holding) => {
                holding.deadline(&self.spans).remaining(now.reading) == Nanos::ZERO
            }
            _ => false,
        }
    }

    fn renewed(&mut self, now: Moment, attempt: &Attempt, renewed: Renewed) {
        match renewed {
            Renewed::Confirmed(RenewalReceipt {
                request,
                standing,
                version,
            }) => {
                self.confirmed(now, attempt, standing);
                if let Phase::Holding(holding) = &mut self.phase {
                    holding.hold.version = version;
                }
                self.knowledge.saw_version(Some(version));
                self.heed(now, request);
            }
            Renewed::Conflict(seen) => {
                self.count_conflict(now, attempt.sent);
                if self.planted(Mistake::ConflictIsFatal) {
                    self.eligibility = Eligibility::Ineligible;
                }
                match seen {
                    Some(observation) => self.observed_while_holding(now, observation),
                    None => self.look(),
                }
            }
        }
    }

    /// A renewal is known to have happened: by its answer, or by a read that found its nonce.
    fn confirmed(&mut self, now: Moment, attempt: &Attempt, standing: Option<Standing>) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        if let Some(note) = holding.confirm(now.reading, attempt, standing, &self.spans) {
            self.outputs.push_back(Output::NoteWritten(note));
        }
    }

    fn observed(&mut self, now: Moment, observation: Observation) {
        match self.phase {
            Phase::Ended => {}
            Phase::Following(_) => {
                if self.adopts(now, &observation) {
                    // A planted mistake.
                } else if self.accept(now, observation) {
                    self.looked(now);
                    // A read does not tell whether a session lock can be had; only a try does.
                    self.knock();
                } else if self.knowledge.is_told_newest() {
                    // What is newer is known, and what comes after it is told.
                    self.looked(now);
                } else {
                    self.look();
                    self.back_off(now, now.reading, jittered(self.spans.retry, now.jitter));
                }
            }
            Phase::Holding(_) => self.observed_while_holding(now, observation),
        }
    }

    /// What an authoritative read means for a holder.
    fn observed_while_holding(&mut self, now: Moment, observation: Observation) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let past = observation
            .version
            .is_some_and(|version| version < holding.hold.version);
        if self.settings.kind == LockKind::Leased && past {
            // Older than our own last confirmed write: it deposes nobody. Ask again, but not at once.
            holding.look = true;
            self.back_off(now, now.reading, jittered(self.spans.retry, now.jitter));
            return;
        }
        let ours = match &observation.lock {
            LockState::Held(held) => {
                let same = held.identity == holding.hold.identity;
                held.holder
                    .is(&self.settings.candidate)
                    .then_some((held.nonce, same))
            }
            _ => None,
        };
        match ours {
            Some((nonce, true)) => {
                if let Some(version) = observation.version {
                    holding.hold.version = version;
                }
                let planted = self.spans.planted;
                let any = planted.is(Mistake::AnyNumberConfirms);
                let found = holding
                    .unsettled
                    .iter()
                    .find(|attempt| attempt.nonce == nonce || any)
                    .cloned();
                let made_up = Some(Attempt::sent_now(now, nonce));
                let found = planted.pick(Mistake::ReadExtends, made_up, found);
                // Those that were not found may still happen; the version that was read makes them fail, or the next read finds them.
                holding.unsettled.clear();
                self.knowledge.saw_version(observation.version);
                if let Some(attempt) = found {
                    let note_is_there = attempt.note.is_none() || attempt.note == observation.note;
                    if note_is_there {
                        self.confirmed(now, &attempt, None);
                    }
                }
                self.heed(now, observation.request);
            }
            // A record that names us on another object was copied there: what we held is gone.
            _ => self.deposed(now, observation),
        }
    }

    /// The lock is not this candidate's any more.
    fn deposed(&mut self, now: Moment, observation: Observation) {
        let ignored = match observation.holder() {
            Some(_) => Mistake::IgnoresAnotherHolder,
            None => Mistake::IgnoresMissing,
        };
        if self.planted(ignored) {
            return;
        }
        let reason = match observation.holder() {
            Some(by) if !by.is(&self.settings.candidate) => StopReason::Usurped { by: by.clone() },
            _ => StopReason::LockVanished,
        };
        self.lose(now, reason, Lock::Gone);
        self.accept(now, observation);
    }

    /// A holder was shown the lock by a hint: it may stop by it, or look, and never goes on by it.
    pub(super) fn glimpsed(&mut self, now: Moment, observation: Observation) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let own = observation
            .holder()
            .is_some_and(|holder| holder.is(&self.settings.candidate));
        if own && self.spans.planted.is(Mistake::HintExtends) {
            return self.confirmed(now, &Attempt::sent_now(now, Nonce(0)), None);
        }
        let newer = observation
            .version
            .is_none_or(|version| version > holding.hold.version);
        if !newer {
            return;
        }
        match &observation.lock {
            LockState::Held(held) if !held.holder.is(&self.settings.candidate) => {
                self.deposed(now, observation);
            }
            LockState::Held(held) if held.identity == holding.hold.identity => {
                self.heed(now, observation.request);
            }
            _ => self.look_by_hint(),
        }
    }

    fn released(&mut self, now: Moment, sent: Reading, released: Released) {
        match released {
            Released::Vacated => {
                self.drop_hold(now);
                self.knowledge.queued = false;
                if self.settings.kind == LockKind::Session {
                    // To look is to try, and the lock was left to others.
                    self.rest(now);
                }
            }
            Released::Conflict(seen) => {
                self.count_conflict(now, sent);
                match seen {
                    Some(observation) => self.observed_while_holding(now, observation),
                    None => self.look(),
                }
            }
        }
    }
}

impl Purpose {
    fn name(&self) -> &'static str {
        match self {
            Self::Acquire(..) => "acquire",
            Self::Enlist => "enlist",
            Self::Members => "members",
            Self::Observe => "observe",
            Self::Release => "release",
            Self::Renew(_) => "renew",
            Self::Withdraw => "withdraw",
        }
    }
}

impl Stage {
    pub(super) fn is_releasing(&self) -> bool {
        matches!(self, Self::Releasing { .. })
    }
}
