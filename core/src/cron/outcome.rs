use std::fmt;

/// How a try of a fire ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The job failed by itself.
    Failed {
        /// The job's exit code, or 1.
        code: u8,
    },
    /// The leadership ended, and the job stopped before it was done. Counts like a fire that never ended.
    Interrupted,
    /// A newer fire took its place ([`Overrun::Cancel`](super::Overrun::Cancel)).
    Replaced,
    /// The job did what it had to do.
    Succeeded,
    /// The job ran longer than its time-out and was stopped.
    TimedOut,
}

impl Outcome {
    /// Whether the job has run and failed, so that it may be tried again.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed { code } => return write!(f, "failed with code {code}"),
            Self::Interrupted => "interrupted by the end of the leadership",
            Self::Replaced => "stopped for a newer fire",
            Self::Succeeded => "succeeded",
            Self::TimedOut => "timed out",
        })
    }
}
