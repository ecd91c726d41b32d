use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::host::HostFuture;
use super::plan::{overtaken, plan};
use super::slot::{Limit, Phase, Slot};
use super::{
    Cancellation, ClockGuard, CronEvent, Entry, FailedFire, Finding, FireHost, JobFailed, JobId,
    Jobs, JobsError, Ledger, LedgerError, PlannedFire, Reason, Stop, Verdict,
};
use crate::time::Sleep;
use crate::{Clock, Reading, WallTime};

/// The longest sleep: how late a jump of the wall clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// How soon to look again at what waits for something that nobody tells of.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How soon to look again at a wall clock that is not trusted.
const DOUBT_AGAIN: Duration = Duration::from_secs(5);
/// The shortest sleep, so that a clock that is read a little early does not spin.
const SLEEP_MIN: Duration = Duration::from_millis(1);

type Write<'h> = HostFuture<'h, Result<(), Box<dyn Error + Send + Sync>>>;

/// What the clocks show.
#[derive(Clone, Copy)]
struct Now {
    reading: Reading,
    wall: WallTime,
}

/// The jobs of one leadership: slots that advance, and one ledger that is written one version at a time.
pub(super) struct Session<'h> {
    clock: Arc<dyn Clock>,
    failed: Option<Box<dyn Error + Send + Sync>>,
    /// Grows with each change of the ledger.
    generation: u64,
    guard: ClockGuard,
    host: &'h dyn FireHost,
    jobs: &'h Jobs,
    ledger: Ledger,
    slots: Vec<Slot<'h>>,
    stop: Option<Stop>,
    stop_changed: HostFuture<'h, ()>,
    trusted: Option<bool>,
    write: Option<(u64, Write<'h>)>,
    /// The newest generation that is known to be in the lock.
    written: u64,
}

impl<'h> Session<'h> {
    pub(super) fn new(jobs: &'h Jobs, host: &'h dyn FireHost) -> Result<Self, JobsError> {
        let ledger = match host.note().map(|note| Ledger::decode(&note)) {
            Some(Ok(ledger)) => ledger,
            None => {
                jobs.tell(host, &CronEvent::LedgerMissing);
                Ledger::default()
            }
            Some(Err(LedgerError::Damaged)) => {
                jobs.tell(host, &CronEvent::LedgerDamaged);
                Ledger::default()
            }
            Some(Err(error)) => return Err(JobsError::Ledger(error)),
        };
        Ok(Self {
            clock: host.clock(),
            failed: None,
            generation: 0,
            guard: ClockGuard::new(jobs.clock_limit),
            host,
            jobs,
            slots: jobs.jobs.iter().map(Slot::new).collect(),
            ledger,
            stop: None,
            stop_changed: host.stop_changed(),
            trusted: None,
            write: None,
            written: 0,
        })
    }

    pub(super) async fn run(mut self) -> Result<(), JobsError> {
        loop {
            let now = self.now();
            self.advance(now);
            if self.is_over() {
                return self.result();
            }
            let mut sleep = self.clock.sleep(self.sleep_length(now));
            poll_fn(|context| self.poll(context, &mut sleep)).await;
        }
    }

    /// A ledger that could not be written because the leadership ended is no failure.
    fn result(self) -> Result<(), JobsError> {
        match self.failed {
            Some(error) if self.host.stop_requested() != Some(Stop::AtOnce) => {
                Err(JobsError::NotRecorded(error))
            }
            _ => Ok(()),
        }
    }

    fn now(&self) -> Now {
        Now {
            reading: self.clock.now(),
            wall: self.clock.wall(),
        }
    }

    /// Whether everything was done that can be done.
    fn is_over(&self) -> bool {
        let idle = self
            .slots
            .iter()
            .all(|slot| matches!(slot.phase, Phase::Idle));
        let recorded = self.write.is_none() && self.written == self.generation;
        match self.urgency() {
            None => false,
            Some(Stop::Drain) => idle && recorded,
            Some(Stop::AtOnce) => idle,
        }
    }

    /// What has to be stopped, by the host or because the ledger cannot be written.
    fn urgency(&self) -> Option<Stop> {
        if self.failed.is_some() {
            Some(Stop::AtOnce)
        } else {
            self.stop
        }
    }

    /// Decides everything that can be decided now.
    fn advance(&mut self, now: Now) {
        self.heed_stop(now);
        let trusted = self.urgency().is_none() && self.judge(now);
        for index in 0..self.slots.len() {
            self.limit_run(index, now);
            if trusted {
                self.overtake(index, now);
                self.start_next(index, now);
            }
            self.begin_recorded(index, now);
        }
        self.start_write();
    }

    fn heed_stop(&mut self, now: Now) {
        let requested = self.host.stop_requested();
        if requested > self.stop {
            self.stop = requested;
            self.stop_changed = self.host.stop_changed();
        }
        if self.urgency() == Some(Stop::AtOnce) {
            self.write = None;
            for slot in &mut self.slots {
                slot.cancel(Cancellation::LeadershipEnded, now.reading);
            }
        }
    }

    /// Whether the wall clock may be believed now. The first answer puts the ledger into the slots.
    fn judge(&mut self, now: Now) -> bool {
        let witnesses = self.host.witnesses();
        let newest = self.ledger.newest();
        let verdict = self.guard.judge(now.wall, now.reading, newest, &witnesses);
        let trusted = !matches!(verdict, Verdict::Doubtful(_));
        match verdict {
            Verdict::Doubtful(doubt) if self.trusted != Some(false) => {
                self.jobs
                    .tell(self.host, &CronEvent::ClockDoubted { doubt });
            }
            Verdict::Trusted if self.trusted == Some(false) => {
                self.jobs.tell(self.host, &CronEvent::ClockTrusted)
            }
            Verdict::LedgerFromFuture => self.put_ledger_right(now.wall),
            Verdict::Doubtful(_) | Verdict::Trusted => {}
        }
        self.trusted = Some(trusted);
        trusted
    }

    fn put_ledger_right(&mut self, wall: WallTime) {
        self.jobs.tell(self.host, &CronEvent::LedgerFromFuture);
        let limit = self.jobs.clock_limit;
        for entry in self.ledger.entries().to_vec() {
            let wrong = Entry {
                settled: wall,
                last: None,
                ..entry
            };
            if entry.newest() > wall.saturating_add(limit) {
                self.ledger.put(wrong, &[]);
            }
        }
        self.generation += 1;
        for index in 0..self.slots.len() {
            self.slots[index].put_right(wall, limit);
            if self.slots[index].planned_before {
                self.record(index);
            }
        }
    }

    /// Ends a run that is over its limits.
    fn limit_run(&mut self, index: usize, now: Now) {
        let slot = &mut self.slots[index];
        match slot.limit(now.reading) {
            Some((Limit::Timeout, Duration::ZERO)) => {
                slot.cancel(Cancellation::TimedOut, now.reading);
            }
            Some((Limit::Stop, Duration::ZERO)) => {
                let text = JobFailed::new("it did not stop when told to");
                self.end_run(index, Err(text), now, true);
            }
            _ => {}
        }
    }

    /// Decides about fires that come while an earlier one runs, or waits to be tried again.
    fn overtake(&mut self, index: usize, now: Now) {
        let slot = &mut self.slots[index];
        let waits = slot
            .queue
            .front()
            .is_some_and(|run| run.reason == Reason::Retry);
        let busy = match slot.phase {
            Phase::Idle => waits,
            Phase::Recording(_) => false,
            Phase::Running(_) => true,
        };
        let policy = &slot.job.policy;
        if slot.catches_up_with_all() {
            // It is not the earlier run's length that is in the way: these are caught up with too, in their turn.
            return;
        }
        let calendar = &*slot.job.calendar;
        let Some(over) = busy
            .then(|| overtaken(slot.settled, calendar, policy, now.wall))
            .flatten()
        else {
            return;
        };
        slot.settled = over.settled;
        let given_up = over.by.and_then(|by| {
            let given_up = slot.clear_queue();
            slot.queue.push_back(by);
            slot.cancel(Cancellation::Replaced, now.reading);
            given_up
        });
        let skipped = [given_up, over.skipped];
        for skipped in skipped.into_iter().flatten() {
            self.tell_found(index, Finding::OverrunSkipped(skipped));
        }
    }

    /// Plans, and starts to record the start of the next fire.
    fn start_next(&mut self, index: usize, now: Now) {
        if !matches!(self.slots[index].phase, Phase::Idle) {
            return;
        }
        if self.slots[index].queue.is_empty() {
            self.plan(index, now);
        }
        let slot = &mut self.slots[index];
        let due = slot
            .queue
            .front()
            .is_some_and(|run| run.not_before <= now.wall);
        if due && self.host.may_start() {
            slot.start_recording(now.wall, self.generation + 1);
            self.record(index);
        }
    }

    fn plan(&mut self, index: usize, now: Now) {
        let slot = &mut self.slots[index];
        if slot.wake.is_some_and(|wake| now.wall < wake) {
            return;
        }
        let known = self.ledger.entry(slot.job.id);
        let entry = if slot.planned_before {
            Some(slot.entry())
        } else {
            known.copied()
        };
        let plan = plan(
            entry.as_ref(),
            &*slot.job.calendar,
            &slot.job.policy,
            now.wall,
        );
        let first = !std::mem::replace(&mut slot.planned_before, true);
        slot.last = if plan.restarts {
            None
        } else {
            entry.and_then(|entry| entry.last)
        };
        let late = |run: &PlannedFire| matches!(run.reason, Reason::Missed | Reason::Unfinished);
        if !plan.runs.is_empty() {
            slot.catches_up = plan.runs.iter().any(late);
        }
        slot.queue.extend(plan.runs);
        slot.settled = plan.settled;
        slot.wake = plan.wake;
        if plan.restarts {
            self.record(index);
        }
        for finding in plan.findings {
            if first || !matches!(finding, Finding::CountedAsRun { .. }) {
                self.tell_found(index, finding);
            }
        }
    }

    /// Runs a fire whose start is known to be in the lock, or takes the start back.
    fn begin_recorded(&mut self, index: usize, now: Now) {
        let Phase::Recording(recording) = &self.slots[index].phase else {
            return;
        };
        let confirmed = recording.generation <= self.written;
        let in_flight = self
            .write
            .as_ref()
            .is_some_and(|(sent, _)| *sent >= recording.generation);
        let planned = recording.planned;
        if self.urgency().is_some() {
            if confirmed || !in_flight {
                self.withdraw(index, confirmed);
            }
        } else if confirmed && self.host.may_start() {
            self.slots[index].begin(planned, self.host.token(), now.reading);
            self.jobs.tell(
                self.host,
                &CronEvent::FireStarted {
                    attempt: planned.attempt,
                    job: Arc::clone(&self.slots[index].job.name),
                    late: now.wall.saturating_since(planned.scheduled),
                    reason: planned.reason,
                    scheduled: planned.scheduled,
                },
            );
        }
    }

    fn withdraw(&mut self, index: usize, was_recorded: bool) {
        let Some(planned) = self.slots[index].withdraw() else {
            return;
        };
        self.record(index);
        if was_recorded {
            self.jobs.tell(
                self.host,
                &CronEvent::FireWithdrawn {
                    job: Arc::clone(&self.slots[index].job.name),
                    scheduled: planned.scheduled,
                    taken_back: self.urgency() == Some(Stop::Drain),
                },
            );
        }
    }

    /// Puts what the slot says into the ledger that is written next.
    fn record(&mut self, index: usize) {
        let kept: Vec<JobId> = self.slots.iter().map(|slot| slot.job.id).collect();
        self.ledger.put(self.slots[index].entry(), &kept);
        self.generation += 1;
    }

    fn start_write(&mut self) {
        let wanted = self.generation > self.written && self.write.is_none();
        if wanted && self.urgency() != Some(Stop::AtOnce) {
            let note = self.ledger.encode();
            self.write = Some((self.generation, self.host.write_note(note)));
        }
    }

    /// Ready when something has happened that [`Self::advance`] should look at. Everything is polled, always in this order.
    fn poll(&mut self, context: &mut Context<'_>, sleep: &mut Sleep) -> Poll<()> {
        let mut happened = sleep.as_mut().poll(context).is_ready();
        happened |= self.poll_stop(context);
        happened |= self.poll_write(context);
        for index in 0..self.slots.len() {
            if let Some(result) = self.slots[index].poll(context) {
                self.end_run(index, result, self.now(), false);
                happened = true;
            }
        }
        if happened {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn poll_stop(&mut self, context: &mut Context<'_>) -> bool {
        let more = self.stop != Some(Stop::AtOnce);
        let ready = more && self.stop_changed.as_mut().poll(context).is_ready();
        if ready {
            self.stop_changed = self.host.stop_changed();
        }
        ready
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> bool {
        let Some((generation, write)) = &mut self.write else {
            return false;
        };
        let Poll::Ready(result) = write.as_mut().poll(context) else {
            return false;
        };
        match result {
            Ok(()) => self.written = *generation,
            Err(error) => self.failed = Some(error),
        }
        self.write = None;
        true
    }

    fn end_run(&mut self, index: usize, result: Result<(), JobFailed>, now: Now, dropped: bool) {
        let slot = &mut self.slots[index];
        let Some(ended) = slot.end(result, now.reading) else {
            return;
        };
        let (job, scheduled) = (slot.job, ended.fire.scheduled);
        self.record(index);
        if dropped {
            let job = Arc::clone(&job.name);
            self.jobs
                .tell(self.host, &CronEvent::FireDropped { job, scheduled });
        }
        self.jobs.tell(
            self.host,
            &CronEvent::FireEnded {
                attempt: ended.fire.attempt,
                job: Arc::clone(&job.name),
                outcome: ended.outcome,
                retry: ended.retry,
                scheduled,
                text: ended.text.clone(),
                took: ended.took,
            },
        );
        if ended.outcome.is_failure() {
            job.tell_failure(&FailedFire {
                fire: ended.fire,
                outcome: ended.outcome,
                text: ended.text,
                tried_again: ended.retry.is_some(),
            });
        }
    }

    fn tell_found(&self, index: usize, finding: Finding) {
        let job = Arc::clone(&self.slots[index].job.name);
        self.jobs
            .tell(self.host, &CronEvent::Found { finding, job });
    }

    /// How long there is nothing to do, as far as is known.
    fn sleep_length(&self, now: Now) -> Duration {
        let shortest = self
            .slots
            .iter()
            .map(|slot| self.slot_sleep(slot, now))
            .min();
        shortest.unwrap_or(SLEEP_MAX).clamp(SLEEP_MIN, SLEEP_MAX)
    }

    fn slot_sleep(&self, slot: &Slot<'_>, now: Now) -> Duration {
        let limit = || slot.limit(now.reading).map_or(SLEEP_MAX, |(_, left)| left);
        if self.urgency().is_some() {
            return limit().min(LOOK_AGAIN);
        }
        if self.trusted == Some(false) {
            return limit().min(DOUBT_AGAIN);
        }
        let at = |time: WallTime| time.saturating_since(now.wall);
        let next = || {
            if slot.catches_up_with_all() {
                // What comes now waits for its turn.
                return SLEEP_MAX;
            }
            slot.job
                .calendar
                .next_after(slot.settled)
                .map_or(SLEEP_MAX, at)
        };
        match &slot.phase {
            Phase::Recording(_) => LOOK_AGAIN,
            Phase::Running(_) => limit().min(next()),
            Phase::Idle => match slot.queue.front() {
                Some(run) if run.not_before <= now.wall => LOOK_AGAIN,
                Some(run) => at(run.not_before).min(next()),
                None => slot.wake.map_or(SLEEP_MAX, at),
            },
        }
    }
}
