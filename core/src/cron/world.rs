//! A world for tests: virtual time, a note that survives leaders, and hosts that can be told to stop or be dropped.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;
use crate::backend::Note;
use crate::time::Sleep;
use crate::{CandidateName, Clock, ElectionName, FencingToken, Nanos, Reading, WallTime};

#[derive(Debug, Default)]
struct Time {
    micros: u64,
    /// Wall clock minus virtual time, which begins in 2001.
    offset_micros: i64,
    sleepers: BTreeSet<u64>,
}

/// A clock that stands until [`World::step`] moves it to the next sleeper.
#[derive(Clone, Debug, Default)]
pub(super) struct ManualClock(Arc<Mutex<Time>>);

const BEGIN: u64 = 1_000_000_800; // a whole hour

impl Clock for ManualClock {
    fn now(&self) -> Reading {
        Reading::both(Nanos::new(self.0.lock().unwrap().micros * 1000))
    }

    fn wall(&self) -> WallTime {
        let time = self.0.lock().unwrap();
        let micros = BEGIN * 1_000_000 + time.micros;
        WallTime::from_unix_micros(micros.saturating_add_signed(time.offset_micros))
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let until = self.0.lock().unwrap().micros + u64::try_from(duration.as_micros()).unwrap();
        let clock = self.clone();
        Box::pin(poll_fn(move |_| {
            let mut time = clock.0.lock().unwrap();
            if time.micros >= until {
                return Poll::Ready(());
            }
            time.sleepers.insert(until);
            Poll::Pending
        }))
    }
}

#[derive(Debug, Default)]
struct Shared {
    first_note: Option<Note>,
    may_start: bool,
    note: Option<Note>,
    stop: Option<Stop>,
    witnesses: Vec<Witness>,
    write_fails: bool,
    write_takes: Duration,
    writes: usize,
}

/// Virtual time, a store with one note, and what happened.
#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) clock: ManualClock,
    shared: Arc<Mutex<Shared>>,
    pub(super) events: Arc<Mutex<Vec<CronEvent>>>,
    token: u64,
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl World {
    pub(super) fn new() -> Self {
        let world = Self::default();
        world.shared.lock().unwrap().may_start = true;
        world
    }

    /// A wall time: this many seconds after the world began.
    pub(super) fn at(seconds: u64) -> WallTime {
        WallTime::from_unix_seconds(BEGIN + seconds)
    }

    pub(super) fn set_wall_ahead(&self, seconds: i64) {
        self.clock.0.lock().unwrap().offset_micros = seconds * 1_000_000;
    }

    pub(super) fn set_stop(&self, stop: Option<Stop>) {
        self.shared.lock().unwrap().stop = stop;
    }

    pub(super) fn set_may_start(&self, may_start: bool) {
        self.shared.lock().unwrap().may_start = may_start;
    }

    pub(super) fn set_write_takes(&self, duration: Duration) {
        self.shared.lock().unwrap().write_takes = duration;
    }

    pub(super) fn set_write_fails(&self, fails: bool) {
        self.shared.lock().unwrap().write_fails = fails;
    }

    pub(super) fn set_note(&self, note: Option<Note>) {
        self.shared.lock().unwrap().note = note;
    }

    pub(super) fn note(&self) -> Option<Note> {
        self.shared.lock().unwrap().note.clone()
    }

    pub(super) fn writes(&self) -> usize {
        self.shared.lock().unwrap().writes
    }

    /// The first fire that the first ledger ever written leaves to be done.
    pub(super) fn first_due(&self, period: u64) -> u64 {
        let note = self.shared.lock().unwrap().first_note.clone().unwrap();
        let settled = Ledger::decode(&note).unwrap().entries()[0].settled;
        let first = Every::new(seconds(period)).next_after(settled).unwrap();
        first.unix_seconds() - BEGIN
    }

    pub(super) fn ledger(&self) -> Ledger {
        Ledger::decode(&self.note().unwrap()).unwrap()
    }

    /// The store's clock is right, and this machine hears it.
    pub(super) fn hear_store(&self) {
        let reading = self.clock.now();
        let micros = BEGIN * 1_000_000 + self.clock.0.lock().unwrap().micros;
        self.shared.lock().unwrap().witnesses = vec![Witness {
            source: WitnessSource::Store,
            not_before: reading,
            not_after: reading,
            wall: WallTime::from_unix_micros(micros),
        }];
    }

    /// The jobs, with this world's event log.
    pub(super) fn jobs(&self, jobs: impl IntoIterator<Item = Job>) -> Jobs {
        let events = Arc::clone(&self.events);
        let mut registered =
            Jobs::new().on_event(move |event| events.lock().unwrap().push(event.clone()));
        for job in jobs {
            registered.register(job).unwrap();
        }
        registered
    }

    pub(super) fn told(&self) -> Vec<CronEvent> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    /// Another leadership of these jobs, beginning now.
    pub(super) fn lead(&mut self, jobs: &Jobs) -> Led {
        self.token += 1;
        Led {
            future: Box::pin(jobs.clone().run(self.clone())),
            world: self.clone(),
        }
    }

    fn store(&self, note: Note) -> Result<(), &'static str> {
        let mut shared = self.shared.lock().unwrap();
        if shared.write_fails {
            return Err("the store said no");
        }
        shared.first_note.get_or_insert_with(|| note.clone());
        shared.note = Some(note);
        shared.writes += 1;
        Ok(())
    }

    /// Time goes on while nobody leads.
    pub(super) fn pass(&self, duration: Duration) {
        let mut time = self.clock.0.lock().unwrap();
        time.micros += u64::try_from(duration.as_micros()).unwrap();
        time.sleepers.clear();
    }

    /// The virtual time after `duration`, for [`Self::step`].
    pub(super) fn after(&self, duration: Duration) -> u64 {
        self.clock.0.lock().unwrap().micros + u64::try_from(duration.as_micros()).unwrap()
    }

    /// Moves the clock to the next sleeper, at most to `end`. Whether it moved.
    pub(super) fn step(&self, end: u64) -> bool {
        let mut time = self.clock.0.lock().unwrap();
        let now = time.micros;
        time.sleepers.retain(|until| *until > now);
        let next = time.sleepers.first().copied().unwrap_or(end).min(end);
        time.micros = next;
        next > now
    }
}

/// A leadership that is polled by hand. Dropping it is a crash.
pub(super) struct Led {
    future: Pin<Box<dyn Future<Output = Result<(), JobsError>>>>,
    world: World,
}

impl Led {
    /// Goes on for `duration`, or until it ends.
    pub(super) fn go(&mut self, duration: Duration) -> Poll<Result<(), JobsError>> {
        let end = self.world.after(duration);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..1_000_000 {
            if let Poll::Ready(result) = self.future.as_mut().poll(&mut context) {
                return Poll::Ready(result);
            }
            if !self.world.step(end) {
                return Poll::Pending;
            }
        }
        panic!("the leadership spins")
    }
}

impl FireHost for World {
    fn candidate(&self) -> CandidateName {
        CandidateName::new("candidate").unwrap()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    fn election(&self) -> ElectionName {
        ElectionName::new("election").unwrap()
    }

    fn may_start(&self) -> bool {
        let shared = self.shared.lock().unwrap();
        shared.may_start && shared.stop.is_none()
    }

    fn note(&self) -> Option<Note> {
        Self::note(self)
    }

    fn stop_requested(&self) -> Option<Stop> {
        self.shared.lock().unwrap().stop
    }

    fn stop_changed(&self) -> HostFuture<'_, ()> {
        let before = self.stop_requested();
        Box::pin(poll_fn(move |_| {
            if self.stop_requested() > before {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }))
    }

    fn token(&self) -> FencingToken {
        FencingToken::new(self.token).unwrap()
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.shared.lock().unwrap().witnesses.clone()
    }

    fn write_note(
        &self,
        note: Note,
    ) -> HostFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move {
            let takes = self.shared.lock().unwrap().write_takes;
            self.clock.sleep(takes / 2).await;
            self.store(note)?;
            self.clock.sleep(takes / 2).await;
            Ok(())
        })
    }
}

/// A job that takes `takes`, heeds a stop, and logs the scheduled second, the try, and how it ended.
pub(super) fn job(
    world: &World,
    name: &str,
    period: u64,
    policy: Policy,
    takes: Duration,
) -> (Job, Log) {
    let log = Log::default();
    let (clock, runs) = (world.clock.clone(), log.clone());
    let action = move |fire: Fire| {
        let (clock, runs) = (clock.clone(), runs.clone());
        async move {
            let scheduled = fire.scheduled().unix_seconds() - BEGIN;
            let index = runs.begin(scheduled, fire.attempt());
            let mut sleep = clock.sleep(takes);
            let mut cancelled = pin!(fire.cancelled());
            let stopped = poll_fn(|context| {
                if cancelled.as_mut().poll(context).is_ready() {
                    return Poll::Ready(true);
                }
                sleep.as_mut().poll(context).map(|()| false)
            });
            let stopped = stopped.await;
            runs.end(index, stopped);
            if stopped {
                return Err(JobFailed::new("stopped"));
            }
            Ok(())
        }
    };
    (
        Job::new(name, Every::new(seconds(period)), policy, action),
        log,
    )
}

/// One try: scheduled second, number, and how it ended.
pub(super) type Run = (u64, u8, &'static str);

#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Run>>>);

impl Log {
    fn begin(&self, scheduled: u64, attempt: u8) -> usize {
        let mut runs = self.0.lock().unwrap();
        runs.push((scheduled, attempt, "running"));
        runs.len() - 1
    }

    fn end(&self, index: usize, stopped: bool) {
        self.0.lock().unwrap()[index].2 = if stopped { "stopped" } else { "done" };
    }

    pub(super) fn runs(&self) -> Vec<Run> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn push(&self, run: Run) {
        self.0.lock().unwrap().push(run);
    }
}
