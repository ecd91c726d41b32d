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

/// A number that differs from run to run.
#[expect(
    clippy::disallowed_methods,
    reason = "a seed that nobody chose has to come from somewhere"
)]
pub(crate) fn fresh_seed() -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |time| time.as_secs() ^ u64::from(time.subsec_nanos()))
}

/// The time of day as the candidates' own log lines have it.
#[expect(
    clippy::disallowed_methods,
    reason = "what the candidates say is read beside it"
)]
pub(crate) fn time_of_day() -> String {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since_1970 = since_1970.unwrap_or_default();
    let seconds = since_1970.as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:06}Z",
        seconds % 60,
        since_1970.subsec_micros()
    )
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
