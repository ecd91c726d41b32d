//! The only place where the tests of real processes read a clock or wait.

use std::time::{Duration, Instant, SystemTime};

/// How long anything that must happen may take here, on a machine that is busy with much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until `look` finds something. Nothing in time is `None`.
pub(crate) fn poll<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let waited = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if waited.is_over(PATIENCE) {
            return None;
        }
        pause(Duration::from_millis(5));
    }
}

/// Lets `duration` pass: the length of a fault, or a job's rhythm; never a wait for something to happen.
#[expect(clippy::disallowed_methods, reason = "real processes need real time")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// The wall clock, in milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "what the candidates and their schedules say is read beside it"
)]
pub(crate) fn wall_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since_1970.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// A number that differs from run to run.
pub(crate) fn fresh_seed() -> u64 {
    wall_ms().unsigned_abs()
}

/// The time of day as the candidates' own log lines have it.
pub(crate) fn time_of_day() -> String {
    let (seconds, ms) = (wall_ms() / 1_000 % 86_400, wall_ms() % 1_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{ms:03}Z", seconds % 60)
}

/// How long something takes.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "real processes need real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn is_over(&self, limit: Duration) -> bool {
        self.elapsed() > limit
    }
}
