//! The only place here that reads a clock or waits.

use std::time::{Duration, Instant};

/// How long anything that must happen may take, on a machine that is busy with much else.
const PATIENCE: Duration = Duration::from_secs(90);

/// Looks again and again until `look` finds something.
///
/// # Panics
/// When it does not within a minute and a half; `what` says what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "real servers need real time")]
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        pause(Duration::from_millis(10));
    }
}

/// Lets `duration` pass: the length of a fault; never a wait for something to happen.
pub fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "real servers need real time")]
    std::thread::sleep(duration);
}
