use tenure_core::{Nanos, Reading, WallTime};

use crate::TrueTime;
use crate::clock::Counter;
use crate::plan::NodePlan;
use crate::planted::Distortion;

/// What keeps a machine's clocks from counting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Halt {
    /// Its virtual machine is frozen: none counts.
    Frozen,
    /// It is suspended: only the clock that counts suspended time does.
    Suspended,
}

/// The clocks of one node, as plain data. They mean what the clocks of [`NodeClock`](crate::clock::NodeClock) mean.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    boottime: Counter,
    distortion: Option<Distortion>,
    halt: Option<Halt>,
    /// The index of the node.
    node: usize,
    rate_ppm: i64,
    raw: Counter,
    slew_ppm: i64,
    /// What timers that suspend makes late count by.
    timers: Counter,
    /// How far the wall clock is from the uptime, in microseconds.
    wall_offset: i64,
}

impl Clocks {
    /// The clocks of the node with this index, which starts so.
    pub(crate) fn new(plan: &NodePlan, node: usize, distortion: Option<Distortion>) -> Self {
        let uptime = plan.uptime.nanos();
        let rate = true_rate(distortion, node, plan.rate_ppm);
        let counter = Counter::new(uptime, rate);
        let wall = WallTime::from_unix_seconds(plan.wall_s).unix_micros();
        let wall = i64::try_from(wall).unwrap_or(i64::MAX);
        let up = i64::try_from(uptime / 1_000).expect("2^64 ns are fewer than 2^63 µs");
        Self {
            boottime: counter,
            distortion,
            halt: None,
            node,
            rate_ppm: plan.rate_ppm,
            raw: counter,
            slew_ppm: 0,
            timers: counter,
            wall_offset: wall.saturating_sub(up),
        }
    }

    /// What an election reads.
    pub(crate) fn reading(&self, now: TrueTime) -> Reading {
        let reading = Reading {
            boottime: Nanos::new(self.boottime.at(now)),
            raw: Nanos::new(self.raw.at(now)),
        };
        match self.distortion {
            Some(distortion) => distortion.misread_clocks(reading),
            None => reading,
        }
    }

    /// What the wall clock shows when an election reads this.
    pub(crate) fn wall(&self, reading: Reading) -> WallTime {
        let up = i64::try_from(reading.boottime.get() / 1_000).unwrap_or(i64::MAX);
        let micros = up.saturating_add(self.wall_offset);
        WallTime::from_unix_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// What timers that suspend makes late count by shows now.
    pub(crate) fn timers(&self, now: TrueTime) -> u64 {
        self.timers.at(now)
    }

    /// When it will show `target`; never while it stands still.
    pub(crate) fn when_timers(&self, target: u64) -> Option<TrueTime> {
        self.timers.when(target)
    }

    /// What timers that count suspended time count by shows now.
    pub(crate) fn boottime(&self, now: TrueTime) -> u64 {
        self.boottime.at(now)
    }

    /// When it will show `target`; never while it stands still.
    pub(crate) fn when_boottime(&self, target: u64) -> Option<TrueTime> {
        self.boottime.when(target)
    }

    /// When `length` after `since` will have passed by the clock that shows more, if they go on as they do.
    pub(crate) fn when_passed(&self, since: Reading, length: Nanos) -> TrueTime {
        let end = since.plus(length);
        let (boottime, raw) = match self.distortion {
            Some(Distortion::MonotonicOnly) => (&self.raw, &self.raw),
            Some(Distortion::NoRawClock) => (&self.boottime, &self.boottime),
            _ => (&self.boottime, &self.raw),
        };
        let boottime = boottime.when(end.boottime.get());
        let raw = raw.when(end.raw.get());
        let end = boottime.unwrap_or(TrueTime::END);
        end.min(raw.unwrap_or(TrueTime::END))
    }

    /// How much faster than true time the oscillator runs, and how much a time service slews on top, in millionths.
    pub(crate) fn rates(&self) -> (i64, i64) {
        (self.rate_ppm, self.slew_ppm)
    }

    /// From `now` on they run so. Says whether that is a change.
    pub(crate) fn set(
        &mut self,
        now: TrueTime,
        (rate_ppm, slew_ppm): (i64, i64),
        halt: Option<Halt>,
    ) -> bool {
        if (rate_ppm, slew_ppm, halt) == (self.rate_ppm, self.slew_ppm, self.halt) {
            return false;
        }
        (self.rate_ppm, self.slew_ppm, self.halt) = (rate_ppm, slew_ppm, halt);
        let rate_ppm = true_rate(self.distortion, self.node, rate_ppm);
        let slewed = rate_ppm + slew_ppm;
        let running = halt.is_none();
        self.raw.change(now, running.then_some(rate_ppm));
        self.timers.change(now, running.then_some(slewed));
        let boottime = match halt {
            None => Some(slewed),
            Some(Halt::Suspended) => Some(rate_ppm),
            Some(Halt::Frozen) => None,
        };
        self.boottime.change(now, boottime);
        true
    }

    /// Sets the wall clock forward, or back.
    pub(crate) fn step_wall(&mut self, by_s: i64) {
        let micros = by_s.saturating_mul(1_000_000);
        self.wall_offset = self.wall_offset.saturating_add(micros);
    }
}

/// At which rate an oscillator really runs that everybody takes to run at `rate_ppm`.
fn true_rate(distortion: Option<Distortion>, node: usize, rate_ppm: i64) -> i64 {
    distortion.map_or(rate_ppm, |lie| lie.true_rate_ppm(node, rate_ppm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;

    fn at(seconds: u64) -> TrueTime {
        Span::from_secs(seconds).from_start()
    }

    fn shown(clocks: &Clocks, now: TrueTime) -> [u64; 3] {
        let Reading { boottime, raw } = clocks.reading(now);
        [boottime.get(), raw.get(), clocks.timers(now)].map(|nanos| nanos / 1_000_000_000)
    }

    fn clocks() -> Clocks {
        let plan = NodePlan {
            uptime: Span::ZERO,
            ..NodePlan::default()
        };
        Clocks::new(&plan, 0, None)
    }

    #[test]
    fn suspend_stops_all_but_one_and_a_freeze_all() {
        let mut clocks = clocks();
        clocks.set(at(10), (0, 0), Some(Halt::Suspended));
        assert_eq!(shown(&clocks, at(20)), [20, 10, 10]);
        assert_eq!(clocks.when_timers(11_000_000_000), None);
        clocks.set(at(20), (0, 0), Some(Halt::Frozen));
        clocks.set(at(30), (0, 0), None);
        assert_eq!(shown(&clocks, at(40)), [30, 20, 20]);
    }

    #[test]
    fn a_deadline_passes_by_the_clock_that_shows_more() {
        let mut clocks = clocks();
        clocks.set(at(0), (0, -100_000), None);
        let since = clocks.reading(at(0));
        let length = Nanos::from_millis(9_000);
        assert_eq!(clocks.when_passed(since, length), at(9));
        clocks.set(at(0), (0, 100_000), None);
        let when = clocks.when_passed(since, length);
        assert!(when < at(9) && when > at(8));
    }
}
