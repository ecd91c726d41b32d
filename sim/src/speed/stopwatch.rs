use std::time::{Duration, Instant};

/// How long the program takes for something, by the clock of the machine that it runs on.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "measures the program itself; nothing that is simulated sees it"
    )]
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How many times per second, in words.
pub fn per_second(count: u64, took: Duration) -> String {
    let nanos = took.as_nanos().max(1);
    let rate = u128::from(count) * 1_000_000_000 / nanos;
    match rate {
        0..1_000 => format!("{rate}/s"),
        1_000..1_000_000 => format!("{} k/s", rate / 1_000),
        _ => format!("{}.{:02} M/s", rate / 1_000_000, rate % 1_000_000 / 10_000),
    }
}
