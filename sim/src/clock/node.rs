use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::Duration;

use tenure_core::time::Sleep;
use tenure_core::{Clock, Nanos, Reading, WallTime};

use super::Counter;
use super::sleep::{SimSleep, Timeline};
use crate::TrueTime;
use crate::executor::Handle;

/// How a node's clocks start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClockStart {
    /// What the clocks that count from a boot show, in nanoseconds.
    pub uptime: Nanos,
    /// How many millionths faster than true time the machine's oscillator runs.
    pub rate_ppm: i64,
    /// What the wall clock shows.
    pub wall: WallTime,
}

/// The clocks of one node. They go on while its processes come and go.
///
/// | clock | rate | in suspend | frozen from outside |
/// | --- | --- | --- | --- |
/// | `raw` | the oscillator's | stands still | stands still |
/// | `boottime` | the oscillator's and the slew | counts on at the oscillator's | stands still |
/// | the timers' | as `boottime` | stands still, so that timers are late | stands still |
/// | wall | as `boottime`, and steps | counts on | stands still |
#[derive(Clone)]
pub struct NodeClock(Arc<Node>);

pub(super) struct Node {
    pub(super) handle: Handle,
    state: Mutex<State>,
}

pub(super) struct State {
    boottime: Counter,
    frozen: bool,
    raw: Counter,
    rate_ppm: i64,
    pub(super) sleepers: BTreeMap<u64, Waker>,
    slew_ppm: i64,
    pub(super) sleeps_made: u64,
    suspended: bool,
    timers: Counter,
    /// How far the wall clock is from the uptime, in microseconds.
    wall_offset: i64,
}

impl Node {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }
}

impl NodeClock {
    /// Clocks that start so.
    pub fn new(handle: &Handle, start: ClockStart) -> Self {
        let counter = Counter::new(start.uptime.get(), start.rate_ppm);
        let uptime_micros = i64::try_from(start.uptime.get() / 1000).expect("63 bits of uptime");
        let wall_micros = i64::try_from(start.wall.unix_micros()).unwrap_or(i64::MAX);
        Self(Arc::new(Node {
            handle: handle.clone(),
            state: Mutex::new(State {
                boottime: counter,
                frozen: false,
                raw: counter,
                rate_ppm: start.rate_ppm,
                sleepers: BTreeMap::new(),
                slew_ppm: 0,
                sleeps_made: 0,
                suspended: false,
                timers: counter,
                wall_offset: wall_micros.saturating_sub(uptime_micros),
            }),
        }))
    }

    /// The clock as an elector on this node sees it.
    pub fn clock(&self) -> Arc<SimClock> {
        Arc::new(SimClock {
            node: Arc::clone(&self.0),
            shows: Shows::Both,
        })
    }

    /// The clock as a careless elector would read it: both readings stand still in suspend.
    pub fn clock_without_boottime(&self) -> Arc<SimClock> {
        Arc::new(SimClock {
            node: Arc::clone(&self.0),
            shows: Shows::RawTwice,
        })
    }

    /// The clock as another careless elector would read it: both readings are slewed.
    pub fn clock_without_raw(&self) -> Arc<SimClock> {
        Arc::new(SimClock {
            node: Arc::clone(&self.0),
            shows: Shows::BoottimeTwice,
        })
    }

    /// A wait that a suspend does not make late: what a timer on `CLOCK_BOOTTIME` is.
    pub fn sleep_over_suspend(&self, duration: Duration) -> Sleep {
        let duration = duration.into();
        Box::pin(SimSleep::new(&self.0, Timeline::OverSuspend, duration))
    }

    /// A wait that a suspend makes late: what a timer on `CLOCK_MONOTONIC` is.
    pub fn sleep_awake(&self, duration: Duration) -> Sleep {
        let duration = duration.into();
        Box::pin(SimSleep::new(&self.0, Timeline::WhileAwake, duration))
    }

    /// What `CLOCK_MONOTONIC` shows.
    pub fn monotonic(&self) -> Nanos {
        let now = self.0.handle.now();
        Nanos::new(self.0.lock().timers.at(now))
    }

    /// From now on the oscillator runs at this rate.
    pub fn set_rate(&self, rate_ppm: i64) {
        self.change(|state, _| state.rate_ppm = rate_ppm);
    }

    /// From now on a time service slews all clocks but `raw` by this much on top of the oscillator's rate.
    pub fn set_slew(&self, slew_ppm: i64) {
        self.change(|state, _| state.slew_ppm = slew_ppm);
    }

    /// The machine is suspended. Whoever does this also pauses the node's processes.
    pub fn suspend(&self) {
        self.change(|state, _| state.suspended = true);
    }

    /// The machine goes on.
    pub fn resume(&self) {
        self.change(|state, _| state.suspended = false);
    }

    /// The machine is virtual, and is frozen from outside, or goes on. Whoever does this also pauses the node's processes.
    pub fn set_frozen(&self, frozen: bool) {
        self.change(|state, _| state.frozen = frozen);
    }

    /// Whether the machine is suspended.
    pub fn is_suspended(&self) -> bool {
        self.0.lock().suspended
    }

    /// Whether the machine is frozen from outside.
    pub fn is_frozen(&self) -> bool {
        self.0.lock().frozen
    }

    /// How many millionths faster than true time the oscillator runs, and how much a time service slews on top of it.
    pub fn rates(&self) -> (i64, i64) {
        let state = self.0.lock();
        (state.rate_ppm, state.slew_ppm)
    }

    /// Sets the wall clock forward, or back when `micros` is negative.
    pub fn step_wall(&self, micros: i64) {
        self.change(|state, _| state.wall_offset = state.wall_offset.saturating_add(micros));
    }

    fn change(&self, change: impl FnOnce(&mut State, TrueTime)) {
        let now = self.0.handle.now();
        let sleepers = {
            let mut state = self.0.lock();
            change(&mut state, now);
            state.apply(now);
            std::mem::take(&mut state.sleepers)
        };
        // Every timer was set for the old rate: each sleeper looks again and sets it anew.
        for waker in sleepers.into_values() {
            waker.wake();
        }
    }
}

impl State {
    pub(super) fn counter(&self, timeline: Timeline) -> &Counter {
        match timeline {
            Timeline::OverSuspend => &self.boottime,
            Timeline::WhileAwake => &self.timers,
        }
    }

    fn apply(&mut self, now: TrueTime) {
        let slewed = self.rate_ppm + self.slew_ppm;
        let running = !self.suspended && !self.frozen;
        self.raw.change(now, running.then_some(self.rate_ppm));
        self.timers.change(now, running.then_some(slewed));
        let boottime = if running { slewed } else { self.rate_ppm };
        self.boottime
            .change(now, (!self.frozen).then_some(boottime));
    }
}

impl fmt::Debug for NodeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeClock").finish()
    }
}

/// A node's clock as an elector sees it.
#[derive(Clone)]
pub struct SimClock {
    node: Arc<Node>,
    shows: Shows,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    Both,
    BoottimeTwice,
    RawTwice,
}

impl SimClock {
    /// The first moment of true time at which this clock says that `length` has passed since `since`, if it goes on as it does;
    /// [`TrueTime::END`] while it stands still.
    pub fn when_passed(&self, since: Reading, length: Nanos) -> TrueTime {
        let state = self.node.lock();
        let raw = state.raw.when(since.raw.saturating_add(length).get());
        let boottime = state
            .boottime
            .when(since.boottime.saturating_add(length).get());
        let (raw, other) = match self.shows {
            Shows::Both => (raw, boottime),
            Shows::BoottimeTwice => (boottime, boottime),
            Shows::RawTwice => (raw, raw),
        };
        match (raw, other) {
            (Some(raw), Some(other)) => raw.min(other),
            (one, other) => one.or(other).unwrap_or(TrueTime::END),
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Reading {
        let now = self.node.handle.now();
        let state = self.node.lock();
        let raw = Nanos::new(state.raw.at(now));
        match self.shows {
            Shows::Both => Reading {
                boottime: Nanos::new(state.boottime.at(now)),
                raw,
            },
            Shows::BoottimeTwice => Reading::both(Nanos::new(state.boottime.at(now))),
            Shows::RawTwice => Reading::both(raw),
        }
    }

    fn wall(&self) -> WallTime {
        let now = self.node.handle.now();
        let state = self.node.lock();
        let uptime_micros = i64::try_from(state.boottime.at(now) / 1000).unwrap_or(i64::MAX);
        let micros = uptime_micros.saturating_add(state.wall_offset);
        WallTime::from_unix_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let duration = duration.into();
        Box::pin(SimSleep::new(&self.node, Timeline::WhileAwake, duration))
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimClock").field(&self.now()).finish()
    }
}
