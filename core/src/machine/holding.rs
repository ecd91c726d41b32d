use std::collections::VecDeque;

use super::input::Operation;
use super::settings::Spans;
use super::timer::Timer;
use super::{Deadline, Machine, Moment, Output, Phase, Purpose};
use crate::backend::{
    Acknowledged, Hold, LockKind, Note, Release, Renewal, Signs, Standing, is_later, later,
};
use crate::event::StopReason;
use crate::planted::Mistake;
use crate::{Nanos, Nonce, Reading};

/// A candidate that holds the lock, from the grant until the lock is given back or lost.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Holding {
    /// Conflicts in a row: the third one waits.
    pub(super) conflicts: u8,
    pub(super) disconnected: bool,
    pub(super) hold: Hold,
    pub(super) jeopardy: bool,
    /// When the last confirmed renewal was sent that was given at its time: the next one is due a renew interval after it.
    pub(super) last_confirmed: Reading,
    /// An authoritative read is wanted before anything else.
    pub(super) look: bool,
    /// What the note in the lock is known to be.
    pub(super) note: Option<Note>,
    pub(super) note_wanted: Option<Note>,
    /// Whether others are to go first once the lock is given back.
    pub(super) resigned: bool,
    /// Which of its writes are proven.
    signs: Signs,
    pub(super) stage: Stage,
    /// Renewals of unknown outcome.
    pub(super) unsettled: VecDeque<Attempt>,
    /// Whether anything of the work may be running.
    pub(super) work_runs: bool,
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

/// The most renewals of unknown outcome that are remembered. One that is forgotten can no longer extend the leadership, no more.
const UNSETTLED_MAX: usize = 8;

impl Holding {
    /// What a claim sent at `sent` was granted at `now`.
    pub(super) fn new(
        now: Reading,
        hold: Hold,
        note: Option<Note>,
        sent: Reading,
        standing: Option<Standing>,
        stage: Stage,
        spans: &Spans,
    ) -> Self {
        let sent = spans.planted.pick(Mistake::DeadlineFromAnswer, now, sent);
        let signs = match standing {
            Some(standing) => Signs::told(spans.gap, standing),
            None => Signs::new(spans.gap, sent, now),
        };
        Self {
            conflicts: 0,
            disconnected: false,
            hold,
            jeopardy: false,
            last_confirmed: signs.last.sent,
            look: false,
            note,
            note_wanted: None,
            resigned: false,
            signs,
            stage,
            unsettled: VecDeque::new(),
            work_runs: false,
        }
    }

    pub(super) fn deadline(&self, spans: &Spans) -> Deadline {
        Deadline {
            length: spans.validity,
            since: self.signs.proven,
        }
    }

    /// Whether any write is proven. A claim that another write has to prove starts nothing before that.
    pub(super) fn proved(&self) -> bool {
        self.signs.proved
    }

    /// Whether the candidate is a leader as long as its deadline has not passed.
    pub(super) fn leads(&self) -> bool {
        matches!(self.stage, Stage::Leading | Stage::Draining { .. })
    }

    /// Whether anything of the work may be running.
    pub(super) fn has_work(&self) -> bool {
        self.work_runs
    }

    pub(super) fn renews(&self) -> bool {
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

    /// How long until the next renewal is due: at once for a note, or at its time.
    pub(super) fn renewal_in(&self, now: Reading, spans: &Spans) -> Nanos {
        if self.note_wanted.is_some() {
            return Nanos::ZERO;
        }
        self.turn_in(now, spans)
    }

    /// How long until a renewal is due whatever there is to write: soon for a proof, an interval after the last one otherwise; but not
    /// before it proves the last one, where that was answered late: one that comes too early proves nothing, and the one after it may
    /// come too late.
    fn turn_in(&self, now: Reading, spans: &Spans) -> Nanos {
        let regular = Timer::new(self.last_confirmed, spans.renew).left_at_most(now);
        let proof_in = |acknowledged: &Acknowledged| {
            let gap = spans.gap?;
            Some(Timer::new(acknowledged.at, gap).left_at_least(now))
        };
        if self.proved() {
            let proves_last = self.signs.waiting.back().and_then(proof_in);
            regular.max(proves_last.unwrap_or_default())
        } else {
            let proves_claim = self.signs.waiting.front().and_then(proof_in);
            regular.min(proves_claim.unwrap_or(regular))
        }
    }

    /// Whether a renewal takes the turn of a regular one. One for the sake of a note that proves nothing by itself does not: the next one
    /// would come too late to prove the last regular one.
    fn is_in_turn(&self, attempt: &Attempt, spans: &Spans) -> bool {
        spans.gap.is_none()
            || attempt.note.is_none()
            || self.turn_in(attempt.sent, spans) == Nanos::ZERO
    }

    /// Whether a call that is no renewal would be answered, or given up, before the next renewal is due.
    fn has_time(&self, now: Reading, spans: &Spans) -> bool {
        let needed = spans.request_timeout.min(Nanos::new(spans.renew.get() / 2));
        self.renewal_in(now, spans) >= needed
    }

    pub(super) fn jeopardy_due(&self, spans: &Spans) -> Timer {
        Timer::new(self.signs.proven, spans.jeopardy)
    }

    /// How long until work that was told to stop at once is aborted: the grace, but no later than the deadline allows.
    pub(super) fn abort_in(&self, now: Reading, since: Reading, spans: &Spans) -> Nanos {
        let told = Timer::new(since, spans.grace).left_at_most(now);
        let end = spans.validity.saturating_add(spans.grace);
        told.min(Timer::new(self.signs.proven, end).left_at_most(now))
    }

    /// Takes in a renewal that is known to have happened. Returns the note that it wrote, if that was the wanted one.
    pub(super) fn confirm(
        &mut self,
        now: Reading,
        attempt: &Attempt,
        standing: Option<Standing>,
        spans: &Spans,
    ) -> Option<Note> {
        self.disconnected = false;
        self.conflicts = 0;
        let in_turn = self.is_in_turn(attempt, spans);
        if spans.planted.is(Mistake::DeadlineFromAnswer) {
            self.signs.prove(now);
        } else if let Some(standing) = standing {
            let before = self.signs.proven;
            self.signs = Signs::told(spans.gap, standing);
            self.signs.prove(before);
        } else if in_turn {
            self.signs.acknowledged(attempt.sent, now);
        } else {
            self.signs.acknowledged_out_of_turn(attempt.sent);
        }
        if let Some(standing) = standing {
            self.last_confirmed = later(self.last_confirmed, standing.sent);
        } else if in_turn {
            self.last_confirmed = later(self.last_confirmed, attempt.sent);
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

    pub(super) fn unsettle(&mut self, attempt: Attempt) {
        if self.unsettled.len() == UNSETTLED_MAX {
            self.unsettled.pop_front();
        }
        self.unsettled.push_back(attempt);
    }

    pub(super) fn check(&self, now: Reading, spans: &Spans) {
        let left = self.deadline(spans).remaining(now);
        if self.renews() && spans.planted.is_sound() {
            assert!(
                left > Nanos::ZERO,
                "a leader's deadline has passed unnoticed"
            );
        }
        assert!(
            self.unsettled.len() <= UNSETTLED_MAX,
            "too many unsettled writes"
        );
        self.signs.check();
        assert!(
            self.note_wanted.is_none() || self.leads(),
            "a note is wanted by no leader"
        );
    }
}

#[cfg(feature = "testing")]
impl Holding {
    pub(super) fn normalise(&mut self, normal: &mut super::normal::Normal<'_>, spans: &Spans) {
        self.conflicts = self.conflicts.min(2);
        self.jeopardy = false;
        self.hold = normal.hold(self.hold);
        if self.renews() {
            self.last_confirmed = normal.reading(self.last_confirmed, spans.renew);
        } else {
            // Nothing is renewed any more: a renewal that is found ends a row of conflicts, and no more.
            self.last_confirmed = normal.origin();
            self.unsettled
                .retain(|attempt| normal.labels.may_show(attempt.nonce));
        }
        if self.stage.is_releasing() {
            // No deadline is left that could move.
            for attempt in &mut self.unsettled {
                attempt.sent = normal.now();
            }
        }
        let end = spans.validity.saturating_add(spans.stop);
        self.signs.proven = if self.stage.is_releasing() {
            normal.origin()
        } else {
            normal.reading(self.signs.proven, end)
        };
        self.signs.forget_last(normal.origin());
        for attempt in &mut self.unsettled {
            attempt.normalise(normal, end);
        }
        for acknowledged in &mut self.signs.waiting {
            acknowledged.at = normal.reading(acknowledged.at, end);
            acknowledged.sent = normal.reading(acknowledged.sent, end);
        }
        match &mut self.stage {
            Stage::Draining { limit, reason } => {
                *limit = normal.timer(*limit);
                *reason = StopReason::Resigned;
            }
            Stage::Leading => {}
            Stage::Probation { over } => *over = normal.timer(*over),
            Stage::Releasing { give_up } => *give_up = normal.timer(*give_up),
            Stage::Stopping { reason, since, .. } => {
                *since = normal.reading(*since, spans.stop);
                *reason = StopReason::Resigned;
            }
        }
    }
}

#[cfg(feature = "testing")]
impl Attempt {
    pub(super) fn normalise(&mut self, normal: &mut super::normal::Normal<'_>, cap: Nanos) {
        self.nonce = normal.labels.nonce(self.nonce);
        self.sent = normal.reading(self.sent, cap);
    }
}

impl Machine {
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
                self.read(now);
            } else if holding.renewal_in(now.reading, &self.spans) == Nanos::ZERO {
                self.renew(now);
            } else if holding.has_time(now.reading, &self.spans)
                && let Some((purpose, operation)) = self.company.due(now.reading)
            {
                self.company.look = false;
                self.send(now, purpose, operation);
            }
        } else if let Stage::Releasing { .. } = holding.stage {
            if holding.look {
                self.read(now);
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
            lease_duration: self
                .recorded_duration(matches!(holding.stage, Stage::Probation { .. })),
            nonce,
            note: attempt.note.clone(),
            wall: now.wall,
        };
        if let (Some(note), true) = (&attempt.note, self.planted(Mistake::NoteToldEarly)) {
            self.outputs.push_back(Output::NoteWritten(note.clone()));
        }
        self.send(now, Purpose::Renew(attempt), Operation::Renew(renewal));
    }
}
