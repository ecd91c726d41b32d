use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::time::Sleep;
use crate::{Clock, Nanos, Reading, WallTime};

/// A clock that stands still until a test moves it. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct TestClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    reading: Reading,
    sleepers: Vec<(Nanos, Waker)>,
    wall: WallTime,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TestClock {
    /// A clock some hours after its start, in November 2023.
    pub fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                reading: Reading::both(Nanos::from_millis(10_000_000)),
                sleepers: Vec::new(),
                wall: WallTime::from_unix_seconds(1_700_000_000),
            })),
        }
    }

    /// Lets time pass, and wakes those whose time has come, the earliest first.
    pub fn advance(&self, duration: Duration) {
        let due = {
            let mut state = self.lock();
            state.reading = state.reading.plus(duration.into());
            state.wall = state.wall.saturating_add(duration);
            let now = state.reading.boottime;
            state.sleepers.sort_by_key(|(until, _)| *until);
            let later = state.sleepers.partition_point(|(until, _)| *until <= now);
            let mut due = std::mem::take(&mut state.sleepers);
            state.sleepers = due.split_off(later);
            due
        };
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// How long until the next sleeper is to be woken; nothing when nobody sleeps.
    pub fn until_next(&self) -> Option<Duration> {
        let state = self.lock();
        let next = state.sleepers.iter().map(|(until, _)| *until).min()?;
        Some(next.saturating_sub(state.reading.boottime).into())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Reading {
        self.lock().reading
    }

    fn wall(&self) -> WallTime {
        self.lock().wall
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clone();
        let until = clock
            .now()
            .boottime
            .saturating_add(Nanos::from(duration).max(Nanos::new(1)));
        Box::pin(std::future::poll_fn(move |context| {
            let mut state = clock.lock();
            if state.reading.boottime >= until {
                return Poll::Ready(());
            }
            let waker = context.waker();
            let known = |(at, known): &(Nanos, Waker)| *at == until && known.will_wake(waker);
            if !state.sleepers.iter().any(known) {
                state.sleepers.push((until, waker.clone()));
            }
            Poll::Pending
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::testing::Executor;

    #[test]
    fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = TestClock::new();
        let mut executor = Executor::new();
        let sleep = clock.sleep(Duration::from_secs(2));
        executor.spawn(sleep);
        assert_eq!(executor.run_until_stalled(), 1);
        assert_eq!(clock.until_next(), Some(Duration::from_secs(2)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(executor.run_until_stalled(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(executor.run_until_stalled(), 0);
        assert_eq!(clock.until_next(), None);
    }

    #[test]
    fn time_passes_on_all_clocks_alike() {
        let clock = TestClock::new();
        let (now, wall) = (clock.now(), clock.wall());
        clock.advance(Duration::from_millis(5));
        assert_eq!(clock.now(), now.plus(Nanos::from_millis(5)));
        assert_eq!(
            clock.wall().saturating_since(wall),
            Duration::from_millis(5)
        );
        let mut short = pin!(clock.sleep(Duration::ZERO));
        assert!(crate::testing::poll_once(short.as_mut()).is_pending());
    }
}
