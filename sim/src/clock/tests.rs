use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::{Clock, Nanos, WallTime};

use super::{ClockStart, NodeClock};
use crate::TrueTime;
use crate::executor::{Executor, Limits, NodeId, Order, Process};

struct Bench {
    clock: NodeClock,
    executor: Executor,
    woken: Arc<Mutex<Vec<TrueTime>>>,
}

impl Bench {
    fn new(rate_ppm: i64) -> Self {
        let executor = Executor::new(0, Order::Seeded, Limits::STANDARD);
        let start = ClockStart {
            uptime: Nanos::from_millis(5000),
            rate_ppm,
            wall: WallTime::from_unix_seconds(1_000_000_000),
        };
        Self {
            clock: NodeClock::new(executor.handle(), start),
            executor,
            woken: Arc::default(),
        }
    }

    fn sleep(&self, duration: Duration) {
        let (clock, handle) = (self.clock.clock(), self.executor.handle().clone());
        let woken = Arc::clone(&self.woken);
        self.executor.spawn(&Process::on(NodeId(0)), async move {
            clock.sleep(duration).await;
            woken.lock().unwrap().push(handle.now());
        });
    }

    fn run_until(&mut self, millis: u64) {
        self.executor
            .run_until(TrueTime::START.plus(Duration::from_millis(millis)));
    }

    fn woken_at_millis(&self) -> Vec<u64> {
        let woken = self.woken.lock().unwrap();
        woken.iter().map(|at| at.nanos() / 1_000_000).collect()
    }
}

#[test]
fn a_sleep_ends_when_the_nodes_own_clock_says_so() {
    let mut slow = Bench::new(-500_000);
    slow.sleep(Duration::from_secs(1));
    slow.run_until(10_000);
    assert_eq!(slow.woken_at_millis(), [2000]);
}

#[test]
fn a_change_of_rate_moves_sleeps_that_are_under_way() {
    let mut bench = Bench::new(0);
    bench.sleep(Duration::from_secs(10));
    bench.run_until(4000);
    bench.clock.set_rate(1_000_000);
    bench.run_until(60_000);
    assert_eq!(bench.woken_at_millis(), [7000]);
}

#[test]
fn in_suspend_timers_and_raw_stand_still_and_boottime_counts_on() {
    let mut bench = Bench::new(0);
    let before = bench.clock.clock().now();
    bench.sleep(Duration::from_secs(10));
    bench.run_until(4000);
    bench.clock.suspend();
    bench.run_until(24_000);
    bench.clock.resume();
    let now = bench.clock.clock().now();
    assert_eq!(now.raw_since(before), Nanos::from_millis(4000));
    assert_eq!(now.boottime_since(before), Nanos::from_millis(24_000));
    bench.run_until(60_000);
    assert_eq!(bench.woken_at_millis(), [30_000]);
}

#[test]
fn a_slew_moves_all_clocks_but_raw() {
    let mut bench = Bench::new(0);
    let before = bench.clock.clock().now();
    bench.clock.set_slew(-50_000);
    bench.sleep(Duration::from_millis(9500));
    bench.run_until(10_000);
    let now = bench.clock.clock().now();
    assert_eq!(now.raw_since(before), Nanos::from_millis(10_000));
    assert_eq!(now.boottime_since(before), Nanos::from_millis(9500));
    assert_eq!(bench.woken_at_millis(), [10_000]);
}

#[test]
fn a_step_of_the_wall_clock_moves_nothing_else() {
    let mut bench = Bench::new(0);
    let clock = bench.clock.clock();
    bench.run_until(1000);
    let before = clock.now();
    bench.clock.step_wall(-3_600_000_000);
    assert_eq!(clock.now(), before);
    assert_eq!(clock.wall(), WallTime::from_unix_seconds(999_996_401));
}
