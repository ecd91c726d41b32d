//! The program's side of a guarded job.

mod guarded;
mod reaper;

use std::fmt;

pub use guarded::{Guard, GuardSpec, Job, JobSpec};
pub use reaper::look_after_children;

use crate::guard::protocol::{Cause, End};

/// How a job ended. Nothing of it is left then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobEnd {
    /// How the job itself ended; nothing when that is not known.
    pub end: Option<End>,
    /// Why nothing of it is left; nothing when the guard died and what it left was killed.
    pub cause: Option<Cause>,
}

impl JobEnd {
    /// The exit status that tells this end to a shell: the job's own, or 128 and the signal that ended it.
    pub fn status(self) -> u8 {
        let status = match self.end {
            Some(End::Exited(status)) => status,
            Some(End::Signaled(signal)) => 128 + signal,
            None => 128 + 9,
        };
        u8::try_from(status).unwrap_or(u8::MAX)
    }

    /// Whether the job ended by itself and says that it has done its work.
    pub fn is_success(self) -> bool {
        self.end == Some(End::Exited(0)) && self.cause == Some(Cause::Ended)
    }
}

impl fmt::Display for JobEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(End::Exited(status)) => write!(f, "exited with status {status}")?,
            Some(End::Signaled(signal)) => write!(f, "was ended by signal {signal}")?,
            None => f.write_str("ended in a way that nobody saw")?,
        }
        match self.cause {
            Some(Cause::Ended) => Ok(()),
            Some(Cause::Ordered) => f.write_str(" and was killed with all its descendants"),
            Some(Cause::Expired) => f.write_str(" and was killed because its deadline had passed"),
            None => f.write_str(" and was killed because its guard had died"),
        }
    }
}

/// A guard or a job that could not be started. Nothing of it runs.
#[derive(Debug)]
pub struct JobError(String);

impl JobError {
    /// The guard has died, and whatever it guarded was killed.
    pub(crate) fn guard_died() -> Self {
        Self("the guard has died".to_owned())
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no job can be run: {}", self.0)
    }
}

impl std::error::Error for JobError {}

impl From<std::io::Error> for JobError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_the_jobs_own_or_says_which_signal_ended_it() {
        for (end, status) in [
            (Some(End::Exited(0)), 0),
            (Some(End::Exited(3)), 3),
            (Some(End::Signaled(15)), 143),
            (None, 137),
        ] {
            let end = JobEnd {
                end,
                cause: Some(Cause::Ended),
            };
            assert_eq!(end.status(), status);
        }
    }
}
