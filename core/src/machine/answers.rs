use super::holding::{Attempt, Lock, Stage};
use super::input::{Failure, OperationId, Outcome};
use super::settings::probation;
use super::timer::jittered;
use super::{Machine, Moment, OnMissing, Output, Pending, Phase, Purpose};
use crate::backend::{
    Acquired, Grant, LockKind, LockState, Observation, Released, RenewalReceipt, Renewed, Vacancy,
};
use crate::event::{Event, StopReason};
use crate::{Effect, ErrorKind, Nanos, Reading};

impl Machine {
    /// Takes in the answer to a call of the backend. An answer to a call that was abandoned says nothing any more.
    pub(super) fn completed(&mut self, now: Moment, id: OperationId, outcome: Outcome) {
        let Some(pending) = self.pending.take_if(|pending| pending.id == id) else {
            return;
        };
        match (&pending.purpose, outcome) {
            (_, Outcome::Failed(failure)) => self.failed(now, &pending, failure),
            (Purpose::Acquire { probation }, Outcome::Acquired(acquired)) => {
                self.acquired(now, pending.sent, *probation, acquired);
            }
            (Purpose::Observe, Outcome::Observed(observation)) => self.observed(now, observation),
            (Purpose::Renew(attempt), Outcome::Renewed(renewed)) => {
                self.renewed(now, attempt, renewed)
            }
            (Purpose::Release, Outcome::Released(released)) => self.released(now, released),
            (Purpose::Enlist, Outcome::Done) => {
                self.knowledge.enlisted = true;
                self.knowledge.members_look = self.settings.follows_members();
            }
            (Purpose::Withdraw, Outcome::Done) => {
                self.knowledge.enlisted = false;
                self.knowledge.queued = false;
            }
            (Purpose::Members, Outcome::Members(members)) => {
                self.knowledge.members_look = false;
                if self.knowledge.members != members {
                    self.knowledge.members.clone_from(&members);
                    self.tell(Event::MembersChanged { members });
                }
            }
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
        let wait = match failure.kind {
            ErrorKind::Throttled {
                retry_after: Some(wait),
            } => self.spans.retry.max(wait.into()),
            _ => jittered(self.spans.retry, now.jitter),
        };
        match &pending.purpose {
            Purpose::Acquire { .. } => {
                self.knowledge.queued |= self.settings.kind == LockKind::Session;
                self.look();
            }
            Purpose::Renew(attempt) if unknown => {
                if let Phase::Holding(holding) = &mut self.phase {
                    holding.unsettle(attempt.clone());
                }
            }
            Purpose::Release if unknown && self.settings.kind == LockKind::Leased => self.look(),
            Purpose::Members => self.knowledge.members_look = false,
            Purpose::Withdraw => self.knowledge.enlisted = false,
            Purpose::Enlist => {
                // Being shown as a member is a courtesy; the election goes on without it.
                self.knowledge.enlisted = true;
            }
            Purpose::Observe | Purpose::Release | Purpose::Renew(_) => {}
        }
        self.back_off(pending.sent, wait);
    }

    fn acquired(&mut self, now: Moment, sent: Reading, wait: Option<Nanos>, acquired: Acquired) {
        match acquired {
            Acquired::Granted(grant) => self.granted(now, sent, wait, grant),
            Acquired::Busy(seen) => {
                self.knowledge.queued |= self.settings.kind == LockKind::Session;
                match seen {
                    Some(observation) => {
                        if self.accept(now, observation) {
                            self.looked(now);
                        }
                    }
                    None if self.settings.kind == LockKind::Leased => self.look(),
                    None => self.looked(now),
                }
                if self.settings.kind == LockKind::Leased {
                    self.count_conflict(now, sent);
                }
            }
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
            self.back_off(sent, jittered(self.spans.retry, now.jitter));
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
        self.knowledge.saw_request(grant.request);
        self.knowledge.queued |= self.settings.kind == LockKind::Session;
        let granted = grant.hold.token;
        let went_back = self.last_token.filter(|last| *last >= granted);
        self.hold(
            now,
            sent,
            grant.hold,
            grant.note,
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
            Renewed::Confirmed(RenewalReceipt { request, version }) => {
                self.confirmed(now, attempt);
                if let Phase::Holding(holding) = &mut self.phase {
                    holding.hold.version = version;
                }
                self.knowledge.saw_version(Some(version));
                self.heed(now, request);
            }
            Renewed::Conflict(seen) => {
                self.count_conflict(now, attempt.sent);
                match seen {
                    Some(observation) => self.observed_while_holding(now, observation),
                    None => self.look(),
                }
            }
        }
    }

    /// A renewal is known to have happened: by its answer, or by a read that found its nonce.
    fn confirmed(&mut self, now: Moment, attempt: &Attempt) {
        let proof = self.settings.proof;
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        if let Some(note) = holding.confirm(now.reading, attempt, proof) {
            self.outputs.push_back(Output::NoteWritten(note));
        }
    }

    fn observed(&mut self, now: Moment, observation: Observation) {
        match self.phase {
            Phase::Ended => {}
            Phase::Following(_) => {
                if self.accept(now, observation) {
                    self.looked(now);
                    if self.settings.kind == LockKind::Session && self.may_try() {
                        // A read does not tell whether the lock can be had; only a try does.
                        self.look();
                    }
                } else {
                    self.back_off(now.reading, jittered(self.spans.retry, now.jitter));
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
            self.back_off(now.reading, jittered(self.spans.retry, now.jitter));
            return;
        }
        holding.look = false;
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
                let found = holding
                    .unsettled
                    .iter()
                    .find(|attempt| attempt.nonce == nonce)
                    .cloned();
                // Those that were not found may still happen; the version that was read makes them fail, or the next read finds them.
                holding.unsettled.clear();
                self.knowledge.saw_version(observation.version);
                if let Some(attempt) = found {
                    let note_is_there = attempt.note.is_none() || attempt.note == observation.note;
                    if note_is_there {
                        self.confirmed(now, &attempt);
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
        let reason = match observation.holder() {
            Some(by) => StopReason::Usurped { by: by.clone() },
            None => StopReason::LockVanished,
        };
        self.lose(now, reason, Lock::Gone);
        self.accept(now, observation);
    }

    /// A holder was shown the lock by a hint: it may stop by it, or look, and never goes on by it.
    pub(super) fn glimpsed(&mut self, now: Moment, observation: Observation) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let newer = observation
            .version
            .is_none_or(|version| version > holding.hold.version);
        if !newer {
            return;
        }
        match observation.holder() {
            Some(holder) if holder.is(&self.settings.candidate) => {
                self.heed(now, observation.request)
            }
            Some(_) => self.deposed(now, observation),
            None => holding.look = true,
        }
    }

    fn released(&mut self, now: Moment, released: Released) {
        match released {
            Released::Vacated => self.drop_hold(now),
            Released::Conflict(Some(observation)) => self.observed_while_holding(now, observation),
            Released::Conflict(None) => self.look(),
        }
    }
}

impl Purpose {
    fn name(&self) -> &'static str {
        match self {
            Self::Acquire { .. } => "acquire",
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
