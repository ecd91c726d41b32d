use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::fire::Cancel;
use super::job::JobFuture;
use super::plan::retry;
use super::{
    Cancellation, Entry, Fire, Job, JobFailed, LastFire, Missed, Outcome, PlannedFire, Reason,
    Skipped,
};
use crate::{FencingToken, Reading, WallTime};

/// The exit code of a job that panicked: that of a Rust program that does.
const PANICKED: u8 = 101;

/// What is going on with one job.
#[derive(Default)]
pub(super) enum Phase {
    /// Nothing runs.
    #[default]
    Idle,
    /// A start is being recorded; the fire runs when it is confirmed.
    Recording(Recording),
    /// A fire runs.
    Running(Running),
}

pub(super) struct Recording {
    /// What was known before, to go back to if the fire does not run after all.
    before: Option<LastFire>,
    pub(super) generation: u64,
    pub(super) planned: PlannedFire,
}

pub(super) struct Running {
    pub(super) fire: Fire,
    future: JobFuture,
    started: Reading,
    stop_told: Option<Reading>,
}

/// One job during one leadership.
pub(super) struct Slot<'j> {
    /// Whether what runs or waits is late: missed, or left unfinished by a leader before.
    pub(super) catches_up: bool,
    pub(super) job: &'j Job,
    pub(super) last: Option<LastFire>,
    pub(super) phase: Phase,
    pub(super) planned_before: bool,
    /// What is to run next, one after another.
    pub(super) queue: VecDeque<PlannedFire>,
    /// Every fire up to here is in the queue, started or decided.
    pub(super) settled: WallTime,
    /// When to plan again; now, when it is not known.
    pub(super) wake: Option<WallTime>,
}

/// A run that has ended.
pub(super) struct Ended {
    pub(super) fire: Fire,
    pub(super) outcome: Outcome,
    pub(super) retry: Option<WallTime>,
    pub(super) text: String,
    pub(super) took: Duration,
}

impl<'j> Slot<'j> {
    pub(super) fn new(job: &'j Job) -> Self {
        Self {
            catches_up: false,
            job,
            last: None,
            phase: Phase::Idle,
            planned_before: false,
            queue: VecDeque::new(),
            settled: WallTime::default(),
            wake: None,
        }
    }

    /// Whether late fires run or wait of which all are to be run.
    pub(super) fn catches_up_with_all(&self) -> bool {
        self.catches_up && matches!(self.job.policy.missed, Missed::All { .. })
    }

    /// What the ledger is to say. While fires wait in the queue they are not decided: another leader would have to run them.
    pub(super) fn entry(&self) -> Entry {
        let undecided = self
            .queue
            .iter()
            .find(|run| matches!(run.reason, Reason::Due | Reason::Missed));
        let settled = undecided.map_or(self.settled, |run| {
            let just_before = run.scheduled.unix_micros().saturating_sub(1);
            WallTime::from_unix_micros(just_before)
        });
        Entry {
            calendar: self.job.calendar.id(),
            job: self.job.id,
            last: self.last,
            settled,
        }
    }

    /// Takes the next fire off the queue and puts its start into `last`.
    pub(super) fn start_recording(&mut self, wall: WallTime, generation: u64) {
        let Some(planned) = self.queue.pop_front() else {
            return;
        };
        let before = self.last.replace(LastFire {
            attempts: planned.attempt,
            ended: None,
            scheduled: planned.scheduled,
            started: wall,
        });
        self.phase = Phase::Recording(Recording {
            before,
            generation,
            planned,
        });
    }

    /// Gives a fire back that has not run. Nothing when none was being recorded.
    pub(super) fn withdraw(&mut self) -> Option<PlannedFire> {
        match std::mem::take(&mut self.phase) {
            Phase::Recording(recording) => {
                self.last = recording.before;
                self.queue.push_front(recording.planned);
                Some(recording.planned)
            }
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Makes the run of a fire whose start is recorded.
    pub(super) fn begin(&mut self, planned: PlannedFire, token: FencingToken, now: Reading) {
        let fire = Fire {
            attempt: planned.attempt,
            cancel: Cancel::default(),
            job: Arc::clone(&self.job.name),
            reason: planned.reason,
            scheduled: planned.scheduled,
            token,
        };
        self.phase = Phase::Running(Running {
            future: self.job.run(fire.clone()),
            fire,
            started: now,
            stop_told: None,
        });
    }

    /// Tells what runs to stop.
    pub(super) fn cancel(&mut self, why: Cancellation, now: Reading) {
        if let Phase::Running(running) = &mut self.phase
            && running.fire.cancel.tell(why)
        {
            running.stop_told = Some(now);
        }
    }

    /// Polls what runs; what it returned, if it has ended.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Option<Result<(), JobFailed>> {
        let Phase::Running(running) = &mut self.phase else {
            return None;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| running.future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(result)) => Some(result),
            Err(_) => Some(Err(JobFailed::with_code(PANICKED, "it panicked"))),
        }
    }

    /// How long until what runs has to be looked at: its time-out, or the end of its stop time. Nothing when there is no limit.
    pub(super) fn limit(&self, now: Reading) -> Option<(Limit, Duration)> {
        let Phase::Running(running) = &self.phase else {
            return None;
        };
        let policy = &self.job.policy;
        let (limit, since, length) = match running.stop_told {
            Some(told) => (Limit::Stop, told, policy.stop_within),
            None => (Limit::Timeout, running.started, policy.timeout?),
        };
        let passed = Duration::from(now.longest_since(since));
        Some((limit, length.saturating_sub(passed)))
    }

    /// Puts the end of what ran into `last`, and its next try into the queue. Drops the run.
    pub(super) fn end(&mut self, result: Result<(), JobFailed>, now: Reading) -> Option<Ended> {
        let Phase::Running(running) = std::mem::take(&mut self.phase) else {
            return None;
        };
        let took = Duration::from(now.longest_since(running.started));
        let (outcome, text) = match result {
            Ok(()) => (Outcome::Succeeded, String::new()),
            Err(failed) => {
                let outcome = match running.fire.cancellation() {
                    Some(Cancellation::LeadershipEnded) => Outcome::Interrupted,
                    Some(Cancellation::Replaced) => Outcome::Replaced,
                    Some(Cancellation::TimedOut) => Outcome::TimedOut,
                    None => Outcome::Failed { code: failed.code },
                };
                (outcome, failed.text)
            }
        };
        let last = self.last.as_mut()?;
        last.ended = Some((outcome, took));
        let again = retry(last, &self.job.policy);
        self.queue.extend(again);
        if again.is_some() {
            self.queue.rotate_right(1);
        }
        Some(Ended {
            fire: running.fire,
            outcome,
            retry: again.map(|run| run.not_before),
            text,
            took,
        })
    }

    /// Gives up what waits in the queue for a newer fire.
    pub(super) fn clear_queue(&mut self) -> Option<Skipped> {
        let waiting = self
            .queue
            .drain(..)
            .filter(|run| matches!(run.reason, Reason::Due | Reason::Missed));
        waiting.fold(None, |skipped: Option<Skipped>, run| {
            Some(Skipped {
                count: skipped.map_or(0, |s| s.count) + 1,
                first: skipped.map_or(run.scheduled, |s| s.first),
                last: run.scheduled,
            })
        })
    }

    /// Takes what the ledger says from the future back to `wall`.
    pub(super) fn put_right(&mut self, wall: WallTime, limit: Duration) {
        let future = wall.saturating_add(limit);
        if self.settled > future {
            self.settled = wall;
            self.queue.clear();
            self.wake = None;
        }
        if let Some(last) = &mut self.last
            && last.started > future
        {
            last.started = wall;
            if matches!(self.phase, Phase::Idle) {
                self.last = None;
            }
        }
    }
}

/// What limits a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    /// It was told to stop and should have.
    Stop,
    /// It runs for too long.
    Timeout,
}
