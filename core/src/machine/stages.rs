//! How a holder gets from one stage to the next.

use super::holding::{Holding, Lock, Stage};
use super::input::WorkEnd;
use super::timer::Timer;
use super::{Eligibility, Machine, Moment, Output, Phase};
use crate::backend::{Hold, LockKind, Note, OperatorRequest, RequestKind, Standing};
use crate::event::{Event, StopReason, WaitReason};
use crate::planted::Mistake;
use crate::{Nanos, Reading};

impl Machine {
    pub(super) fn expire_holding(&mut self, now: Moment) {
        let Phase::Holding(holding) = &self.phase else {
            return;
        };
        let passed = holding.deadline(&self.spans).remaining(now.reading) == Nanos::ZERO;
        if holding.renews() && passed && self.expires() {
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
                self.lose(now, reason, Lock::MaybeOurs);
                // It was told long ago; there is no grace left to give.
                if let Phase::Holding(holding) = &mut self.phase
                    && let Stage::Stopping { aborted, .. } = &mut holding.stage
                {
                    *aborted = true;
                }
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
        if abort && !self.planted(Mistake::NeverAborts) {
            self.outputs.push_back(Output::AbortWork);
        }
        if late {
            self.tell(Event::Overrun { token });
        }
    }

    pub(super) fn judge_jeopardy(&mut self, now: Moment) {
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

    /// Begins to hold what a claim sent at `sent` was granted.
    pub(super) fn hold(
        &mut self,
        now: Moment,
        sent: Reading,
        hold: Hold,
        note: Option<Note>,
        standing: Option<Standing>,
        wait: Nanos,
    ) {
        let stage = Stage::Probation {
            over: Timer::new(now.reading, wait),
        };
        let holding = Holding::new(now.reading, hold, note, sent, standing, stage, &self.spans);
        self.phase = Phase::Holding(Box::new(holding));
        self.retry = None;
        self.knowledge.give_way = None;
        self.knowledge.lost_claim = None;
        // What was seen before this hold says nothing about whoever comes after it.
        self.knowledge.sighting = None;
        if wait > Nanos::ZERO {
            let reason = WaitReason::UnexplainedVacancy;
            self.tell(Event::Waiting {
                at_most: Some(wait.into()),
                reason,
            });
        }
    }

    /// Starts the leadership once the wait for former leaders is over and the hold is still valid.
    pub(super) fn start_if_over(&mut self, now: Moment) {
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        let Stage::Probation { over } = holding.stage else {
            return;
        };
        if !over.surely_over(now.reading) || !holding.proved() {
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
        holding.resigned |= reason == StopReason::Resigned;
        match holding.stage {
            Stage::Probation { over } => self.give_back_unused(now, over),
            Stage::Leading => {
                let planted = self.spans.planted;
                let drain = planted.pick(Mistake::DrainsForEver, Nanos::MAX, self.spans.drain);
                let limit = Timer::new(now.reading, drain);
                holding.stage = Stage::Draining {
                    limit,
                    reason: reason.clone(),
                };
                self.tell(Event::Draining {
                    reason: reason.clone(),
                    token,
                });
                self.outputs.push_back(Output::StopWork(reason));
                if self.planted(Mistake::ReleasesFirst) {
                    self.release_first(now);
                }
            }
            Stage::Draining { .. } | Stage::Releasing { .. } | Stage::Stopping { .. } => {}
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
                if self.planted(Mistake::StoppedToldEarly) {
                    let reason = reason.clone();
                    self.tell(Event::Stopped { reason, token });
                }
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
        let led = matches!(holding.stage, Stage::Leading);
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
            _ if led && self.planted(Mistake::TokenReused) => self.lead_again(now),
            Lock::Gone => self.drop_hold(now),
            Lock::MaybeOurs => self.begin_release(now),
        }
    }

    pub(super) fn begin_release(&mut self, now: Moment) {
        if self.planted(Mistake::NeverReleases) {
            return self.drop_hold(now);
        }
        let Phase::Holding(holding) = &mut self.phase else {
            return;
        };
        if let Stage::Releasing { .. } = holding.stage {
            return;
        }
        assert!(!holding.work_runs, "released before the work has stopped");
        let planted = self.spans.planted;
        let tries = planted.pick(Mistake::ReleasesForEver, Nanos::MAX, self.spans.release);
        holding.stage = Stage::Releasing {
            give_up: Timer::new(now.reading, tries),
        };
        // A release is compare-and-swap, and says by itself what has changed: no read comes before it, which may hang.
        holding.look = false;
        self.retry = None;
    }

    /// There is nothing to give back, or it was given back.
    pub(super) fn drop_hold(&mut self, now: Moment) {
        assert!(
            self.token().is_none(),
            "a hold is forgotten while its work runs"
        );
        if matches!(&self.phase, Phase::Holding(holding) if holding.resigned) {
            self.give_way(now, self.spans.renew.into());
        }
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
