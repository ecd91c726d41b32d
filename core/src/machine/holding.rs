use std::collections::VecDeque;

use super::input::{Operation, WorkEnd};
use super::settings::Spans;
use super::timer::Timer;
use super::{Deadline, Eligibility, Machine, Moment, Output, Phase, Purpose};
use crate::backend::{Hold, LockKind, Note, OperatorRequest, Proof, Release, Renewal, RequestKind};
use crate::event::{Event, StopReason, WaitReason};
use crate::{Nanos, Nonce, Reading};

/// A candidate that holds the lock, from the grant until the lock is given back or lost.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Holding {
    /// Conflicts in a row: the third one waits.
    pub(super) conflicts: u8,
    pub(super) disconnected: bool,
    pub(super) hold: Hold,
    pub(super) jeopardy: bool,
    /// When the last confirmed renewal was sent: the next one is due a renew interval after it.
    pub(super) last_confirmed: Reading,
    /// An authoritative read is wanted before anything else.
    pub(super) look: bool,
    /// What the note in the lock is known to be.
    pub(super) note: Option<Note>,
    note_wanted: Option<Note>,
    /// When the newest write that is proven was sent: the deadline counts from here.
    proven: Reading,
    pub(super) stage: Stage,
    /// Acknowledged renewals that a later one has yet to prove.
    unproven: VecDeque<Acknowledged>,
    /// Renewals of unknown outcome.
    pub(super) unsettled: VecDeque<Attempt>,
    /// Whether anything of the work may be running.
    work_runs: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Stage {
    /// Leads; the work was told to finish.
    Draining { limit: Timer, reason: StopReason },
    /// Leads.
    Leading,
    /// Waits until no former leader can believe any more. Nothing runs.
    Probation { over: Timer },
    /// The work has stopped; the lock is being given back.
    Releasing { give_up: Timer },
    /// Leads no longer; the work was told to stop at once.
    Stopping {
        aborted: bool,
        lock: Lock,
        overrun: bool,
        reason: StopReason,
        since: Reading,
    },
}

/// What is known about the lock when a leadership is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Lock {
    /// Somebody else has it, or it is gone: there is nothing to give back.
    Gone,
    /// It may still name this candidate.
    MaybeOurs,
}

/// A renewal that was sent.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Attempt {
    pub(super) nonce: Nonce,
    pub(super) note: Option<Note>,
    pub(super) sent: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Acknowledged {
    at: Reading,
    sent: Reading,
}

/// The most renewals of unknown outcome that are remembered. One that is forgotten can no longer extend the leadership, no more.
const UNSETTLED_MAX: usize = 8;
/// The most acknowledged renewals that wait for their proof.
const UNPROVEN_MAX: usize = 8;

impl Holding {
    pub(super) fn new(hold: Hold, note: Option<Note>, sent: Reading, stage: Stage) -> Self {
        Self {
            conflicts: 0,
            disconnected: false,
            hold,
            jeopardy: false,
            last_confirmed: sent,
            look: false,
            note,
            note_wanted: None,
            proven: sent,
            stage,
            unproven: VecDeque::new(),
            unsettled: VecDeque::new(),
            work_runs: false,
        }
    }

    pub(super) fn deadline(&self, spans: &Spans) -> Deadline {
        Deadline {
            length: spans.validity,
            since: self.proven,
        }
    }

    /// Whether the candidate is a leader as long as its deadline has not passed.
    pub(super) fn leads(&self) -> bool {
        matches!(self.stage, Stage::Leading | Stage::Draining { .. })
    }

    /// Whether anything of the work may be running.
    pub(super) fn has_work(&self) -> bool {
        self.work_runs
    }

    fn renews(&self) -> bool {
        self.leads() || matches!(self.stage, Stage::Probation { .. })
    }

    pub(super) fn want_note(&mut self, note: Note) {
        if self.leads() {
            self.note_wanted = Some(note);
        }
    }

    pub(super) fn wanted_note(&self) -> Option<&Note> {
        self.note_wanted.as_ref()
    }

    pub(super) fn renewal_due(&self, spans: &Spans) -> Timer {
        let span = if self.note_wanted.is_some() {
            Nanos::ZERO
        } else {
            spans.renew
        };
        Timer::new(self.last_confirmed, span)
    }

    pub(super) fn jeopardy_due(&self, spans: &Spans) -> Timer {
        Timer::new(self.proven, spans.jeopardy)
    }

    /// How long until work that was told to stop at once is aborted: the grace, but no later than the deadline allows.
    pub(super) fn abort_in(&self, now: Reading, since: Reading, spans: &Spans) -> Nanos {
        let told = Timer::new(since, spans.grace).left_at_most(now);
        let end = spans.validity.saturating_add(spans.grace);
        told.min(Timer::new(self.proven, end).left_at_most(now))
    }

    /// Takes in a renewal that is known to have happened. Returns the note that it wrote, if that was the wanted one.
    pub(super) fn confirm(
        &mut self,
        now: Reading,
        attempt: &Attempt,
        proof: Proof,
    ) -> Option<Note> {
        self.disconnected = false;
        self.conflicts = 0;
        self.last_confirmed = later(self.last_confirmed, attempt.sent);
        match proof {
            Proof::Itself => self.proven = later(self.proven, attempt.sent),
            Proof::Later { gap } => self.prove(now, attempt.sent, gap.into()),
        }
        // A settled write settles those before it: each was refused or replaced.
        self.unsettled
            .retain(|unsettled| is_later(unsettled.sent, attempt.sent));
        let note = attempt.note.clone()?;
        self.note = Some(note.clone());
        if self.note_wanted.as_ref() == Some(&note) {
            self.note_wanted = None;
            return Some(note);
        }
        None
    }

    /// What was acknowledged long enough before this renewal was sent is proven by it.
    fn prove(&mut self, now: Reading, sent: Reading, gap: Nanos) {
        while let Some(first) = self.unproven.front() {
            if sent.shortest_since(first.at) < gap {
                break;
            }
            self.proven = later(self.proven, first.sent);
            self.unproven.pop_front();
        }
        if self.unproven.len() == UNPROVEN_MAX {
            // The oldest will be proven first, so it is the newest that makes room.
            self.unproven.pop_back();
        }
        self.unproven.push_back(Acknowledged { at: now, sent });
    }

    pub(super) fn unsettle(&mut self, attempt: Attempt) {
        if self.unsettled.len() == UNSETTLED_MAX {
            self.unsettled.pop_front();
        }
        self.unsettled.push_back(attempt);
    }

    pub(super) fn check(&self, now: Reading, spans: &Spans) {
        let left = self.deadline(spans).remaining(now);
        if self.renews() {
            assert!(
                left > Nanos::ZERO,
                "a leader's deadline has passed unnoticed"
            );
        }
        assert!(
            self.unsettled.len() <= UNSETTLED_MAX,
            "too many unsettled writes"
        );
        assert!(
            self.unproven.len() <= UNPROVEN_MAX,
            "too many unproven renewals"
        );
        assert!(
            self.note_wanted.is_none() || self.leads(),
            "a note is wanted by no leader"
        );
    }
}

/// Whether `a` was read after `b`.
fn is_later(a: Reading, b: Reading) -> bool {
    a.raw > b.raw || a.boottime > b.boottime
}

fn later(a: Reading, b: Reading) -> Reading {
    if is_later(b, a) { b } else { a }
}

impl Machine {
    pub(super) fn expire_holding(&mut self, now: Moment) {
        let Phase::Holding(holding) = &self.phase else {
            return;
        };
        let passed = holding.deadline(&self.spans).remaining(now.reading) == Nanos::ZERO;
        if holding.renews() && passed {
            self.lose(now, StopReason::DeadlinePassed, Lock::MaybeOurs);
        }
        self.expire_stage(now);
        self.judge_jeopardy(now);
    }

    fn expire_stage(&mut self, now: Moment) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let token = holding.hold.token;
        match &mut holding.stage {
            Stage::Draining { limit, reason } if limit.due(now.reading) => {
                let reason = reason.clone();
                holding.stage = Stage::Stopping {
                    aborted: true,
                    lock: Lock::MaybeOurs,
                    overrun: false,
                    reason: reason.clone(),
                    since: now.reading,
                };
                holding.note_wanted = None;
                self.tell(Event::Stopping {
                    reason: reason.clone(),
                    token,
                });
                self.outputs.push_back(Output::StopWork(reason));
                self.outputs.push_back(Output::AbortWork);
            }
            Stage::Releasing { give_up } if give_up.due(now.reading) => {
                self.tell(Event::ReleaseFailed { token });
                self.drop_hold(now);
            }
            Stage::Stopping { .. } => self.expire_stopping(now),
            _ => {}
        }
    }

    fn expire_stopping(&mut self, now: Moment) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let Stage::Stopping {
            aborted,
            overrun,
            since,
            ..
        } = holding.stage
        else {
            return;
        };
        let abort = !aborted && holding.abort_in(now.reading, since, &self.spans) == Nanos::ZERO;
        let late = !overrun && Timer::new(since, self.spans.stop).due(now.reading);
        let token = holding.hold.token;
        if let Stage::Stopping {
            aborted, overrun, ..
        } = &mut holding.stage
        {
            *aborted |= abort;
            *overrun |= late;
        }
        if abort {
            self.outputs.push_back(Output::AbortWork);
        }
        if late {
            self.tell(Event::Overrun { token });
        }
    }

    fn judge_jeopardy(&mut self, now: Moment) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let late = holding.disconnected || holding.jeopardy_due(&self.spans).due(now.reading);
        let jeopardy = holding.leads() && late;
        if jeopardy == holding.jeopardy {
            return;
        }
        holding.jeopardy = jeopardy;
        let token = holding.hold.token;
        if jeopardy {
            self.tell(Event::JeopardyBegan { token });
        } else if matches!(&self.phase, Phase::Holding(holding) if holding.leads()) {
            self.tell(Event::JeopardyEnded { token });
        }
    }

    pub(super) fn advance_holding(&mut self, now: Moment) {
        self.judge_jeopardy(now);
        self.start_if_over(now);
        if self.pending.is_some() || self.retry.is_some() {
            return;
        }
        let Phase::Holding(holding) = &self.phase else {
            return;
        };
        let settle = self.settings.kind == LockKind::Leased && !holding.unsettled.is_empty();
        if holding.renews() {
            if holding.look || settle {
                self.send(now, Purpose::Observe, Operation::Observe);
            } else if holding.renewal_due(&self.spans).due(now.reading) {
                self.renew(now);
            } else if self.knowledge.members_look {
                self.send(now, Purpose::Members, Operation::Members);
            }
        } else if let Stage::Releasing { .. } = holding.stage {
            if holding.look {
                self.send(now, Purpose::Observe, Operation::Observe);
            } else {
                let release = Release {
                    candidate: self.settings.candidate.clone(),
                    hold: holding.hold,
                    wall: now.wall,
                };
                self.send(now, Purpose::Release, Operation::Release(release));
            }
        }
    }

    fn renew(&mut self, now: Moment) {
        let nonce = self.nonce(now);
        let Phase::Holding(holding) = &self.phase else {
            return;
        };
        let attempt = Attempt {
            nonce,
            note: holding.note_wanted.clone(),
            sent: now.reading,
        };
        let renewal = Renewal {
            candidate: self.settings.candidate.clone(),
            hold: holding.hold,
            lease_duration: self.settings.timing.lease_duration(),
            nonce,
            note: attempt.note.clone(),
            wall: now.wall,
        };
        self.send(now, Purpose::Renew(attempt), Operation::Renew(renewal));
    }

    /// Begins to hold what a claim sent at `sent` was granted.
    pub(super) fn hold(
        &mut self,
        now: Moment,
        sent: Reading,
        hold: Hold,
        note: Option<Note>,
        wait: Nanos,
    ) {
        let stage = Stage::Probation {
            over: Timer::new(now.reading, wait),
        };
        self.phase = Phase::Holding(Box::new(Holding::new(hold, note, sent, stage)));
        self.retry = None;
        self.knowledge.give_way = None;
        if wait > Nanos::ZERO {
            let reason = WaitReason::UnexplainedVacancy;
            self.tell(Event::Waiting {
                at_most: Some(wait.into()),
                reason,
            });
        }
    }

    /// Starts the leadership once the wait for former leaders is over and the hold is still valid.
    fn start_if_over(&mut self, now: Moment) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let Stage::Probation { over } = holding.stage else {
            return;
        };
        if !over.surely_over(now.reading) {
            return;
        }
        let token = holding.hold.token;
        let left = holding.deadline(&self.spans).remaining(now.reading);
        assert!(left > Nanos::ZERO, "a leadership starts after its deadline");
        assert!(
            self.last_token.is_none_or(|last| last < token),
            "a token is used twice"
        );
        holding.stage = Stage::Leading;
        holding.work_runs = true;
        let note = holding.note.clone();
        self.last_token = Some(token);
        self.set_leader(Some((&self.settings.candidate).into()));
        self.tell(Event::Started { token });
        self.outputs.push_back(Output::StartWork { note, token });
    }

    /// Does what an operator asks through the lock.
    pub(super) fn heed(&mut self, now: Moment, request: Option<OperatorRequest>) {
        let Phase::Holding(holding) = &self.phase else {
            return;
        };
        let token = holding.hold.token;
        self.knowledge.saw_request(request);
        match request {
            Some(request) if request.kind == RequestKind::Pause => {
                self.leave(now, StopReason::Paused)
            }
            Some(request)
                if request.kind == RequestKind::Resign && request.token == Some(token) =>
            {
                self.leave(now, StopReason::Resigned);
            }
            _ => {}
        }
    }

    /// A planned stop: the work may finish what it does, and renewals go on meanwhile.
    pub(super) fn leave(&mut self, now: Moment, reason: StopReason) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let token = holding.hold.token;
        let span = self.spans.renew.into();
        match holding.stage {
            Stage::Probation { over } => self.give_back_unused(now, over),
            Stage::Leading => {
                let limit = Timer::new(now.reading, self.spans.drain);
                holding.stage = Stage::Draining {
                    limit,
                    reason: reason.clone(),
                };
                self.tell(Event::Draining {
                    reason: reason.clone(),
                    token,
                });
                self.outputs.push_back(Output::StopWork(reason.clone()));
            }
            Stage::Draining { .. } | Stage::Releasing { .. } | Stage::Stopping { .. } => {}
        }
        if reason == StopReason::Resigned {
            self.give_way(now, span);
        }
    }

    /// The leadership is over: the work has to stop at once.
    pub(super) fn lose(&mut self, now: Moment, reason: StopReason, gone: Lock) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let token = holding.hold.token;
        match &mut holding.stage {
            Stage::Draining { .. } | Stage::Leading => {
                holding.stage = Stage::Stopping {
                    aborted: false,
                    lock: gone,
                    overrun: false,
                    reason: reason.clone(),
                    since: now.reading,
                };
                holding.note_wanted = None;
                self.tell(Event::Stopping {
                    reason: reason.clone(),
                    token,
                });
                self.outputs.push_back(Output::StopWork(reason));
            }
            Stage::Stopping { lock, .. } => {
                if gone == Lock::Gone {
                    *lock = Lock::Gone;
                }
            }
            Stage::Probation { over } if gone == Lock::MaybeOurs => {
                let over = *over;
                self.give_back_unused(now, over);
            }
            Stage::Probation { .. } | Stage::Releasing { .. } => match gone {
                Lock::Gone => self.drop_hold(now),
                Lock::MaybeOurs => self.begin_release(now),
            },
        }
    }

    /// Gives back what was never led on. A release mark vouches that nobody believes any more, which nobody knows while former leaders
    /// are still waited for: then the record has to age. A session's store remembers by itself that it cannot vouch.
    fn give_back_unused(&mut self, now: Moment, over: Timer) {
        if self.settings.kind == LockKind::Session || over.surely_over(now.reading) {
            self.begin_release(now);
        } else {
            self.drop_hold(now);
        }
    }

    pub(super) fn work_ended(&mut self, now: Moment, end: WorkEnd) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let token = holding.hold.token;
        let (reason, lock) = match (&holding.stage, end) {
            (Stage::Leading, WorkEnd::Panicked) => (StopReason::WorkPanicked, Lock::MaybeOurs),
            (Stage::Leading, WorkEnd::Returned) => (StopReason::WorkEnded, Lock::MaybeOurs),
            (Stage::Draining { reason, .. }, _) => (reason.clone(), Lock::MaybeOurs),
            (Stage::Stopping { lock, reason, .. }, _) => (reason.clone(), *lock),
            (Stage::Probation { .. } | Stage::Releasing { .. }, _) => return,
        };
        holding.note_wanted = None;
        holding.work_runs = false;
        self.tell(Event::Stopped { reason, token });
        match lock {
            Lock::Gone => self.drop_hold(now),
            Lock::MaybeOurs => self.begin_release(now),
        }
    }

    fn begin_release(&mut self, now: Moment) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        if let Stage::Releasing { .. } = holding.stage {
            return;
        }
        assert!(!holding.work_runs, "released before the work has stopped");
        holding.stage = Stage::Releasing {
            give_up: Timer::new(now.reading, self.spans.release),
        };
        self.retry = None;
    }

    /// There is nothing to give back, or it was given back.
    pub(super) fn drop_hold(&mut self, now: Moment) {
        assert!(
            self.token().is_none(),
            "a hold is forgotten while its work runs"
        );
        // A session's place may have outlived the hold.
        self.knowledge.queued = self.settings.kind == LockKind::Session;
        if self
            .knowledge
            .leader
            .as_ref()
            .is_some_and(|leader| leader.is(&self.settings.candidate))
        {
            self.set_leader(None);
        }
        self.follow(now);
    }

    /// Whether a grant is to be given back unused.
    pub(super) fn unwanted(&self, request: Option<OperatorRequest>) -> bool {
        let paused = request.is_some_and(|request| request.kind == RequestKind::Pause);
        self.ending || self.eligibility == Eligibility::Ineligible || paused
    }
}
