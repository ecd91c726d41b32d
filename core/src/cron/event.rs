use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Doubt, Finding, FireHost, Outcome, Reason};
use crate::WallTime;

/// Something that happened to the jobs of a leadership.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum CronEvent {
    /// The wall clock is not trusted: nothing fires.
    ClockDoubted {
        /// Why.
        doubt: Doubt,
    },
    /// The wall clock is trusted again.
    ClockTrusted,
    /// A run was told to stop, did not within its stop time, and was dropped.
    FireDropped {
        /// Which job.
        job: Arc<str>,
        /// What it was scheduled for.
        scheduled: WallTime,
    },
    /// A run ended.
    FireEnded {
        /// Which try it was.
        attempt: u8,
        /// Which job.
        job: Arc<str>,
        /// How it ended.
        outcome: Outcome,
        /// Not before when it is tried again, if it is.
        retry: Option<WallTime>,
        /// What it was scheduled for.
        scheduled: WallTime,
        /// What went wrong, for people; empty when nothing did.
        text: String,
        /// How long it took.
        took: Duration,
    },
    /// A run started; its start is in the ledger.
    FireStarted {
        /// Which try it is.
        attempt: u8,
        /// Which job.
        job: Arc<str>,
        /// How long after its scheduled time.
        late: Duration,
        /// Why it runs.
        reason: Reason,
        /// What it was scheduled for.
        scheduled: WallTime,
    },
    /// A fire's start was recorded, and the leadership ended before it ran.
    FireWithdrawn {
        /// Which job.
        job: Arc<str>,
        /// What it was scheduled for.
        scheduled: WallTime,
        /// Whether the record is taken back, so that the next leader finds a fire that was never started. Otherwise it finds one
        /// that was started and never ended.
        taken_back: bool,
    },
    /// Something that an operator should know about a job's fires.
    Found {
        /// What.
        finding: Finding,
        /// Which job.
        job: Arc<str>,
    },
    /// The ledger was damaged, and is begun anew: fires before are forgotten.
    LedgerDamaged,
    /// The ledger had times in the future of two clocks, and was put right: fires count from now.
    LedgerFromFuture,
    /// The lock has no ledger. Where jobs have run before, it was lost with the lock, and fires before are forgotten.
    LedgerMissing,
}

impl CronEvent {
    /// Tells the event to people: one line, in words an operator understands.
    pub(super) fn tell(&self, host: &dyn FireHost) {
        let (election, candidate) = (host.election(), host.candidate());
        let (election, candidate) = (election.as_str(), candidate.as_str());
        let token = host.token();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: "tenure", election, candidate, %token, "{self}")
            };
        }
        match self.level() {
            tracing::Level::ERROR => line!(error),
            tracing::Level::WARN => line!(warn),
            _ => line!(info),
        }
    }

    fn level(&self) -> tracing::Level {
        match self {
            Self::ClockDoubted { .. } | Self::LedgerDamaged | Self::LedgerFromFuture => {
                tracing::Level::ERROR
            }
            Self::FireDropped { .. } | Self::FireWithdrawn { .. } => tracing::Level::WARN,
            Self::FireEnded { outcome, .. } if *outcome != Outcome::Succeeded => {
                tracing::Level::WARN
            }
            Self::Found { finding, .. } if *finding != Finding::Unknown => tracing::Level::WARN,
            _ => tracing::Level::INFO,
        }
    }
}

impl fmt::Display for CronEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockDoubted { doubt } => {
                write!(f, "nothing fires: this machine's wall clock is not trusted: {doubt}")
            }
            Self::ClockTrusted => f.write_str("this machine's wall clock is trusted again"),
            Self::FireDropped { job, scheduled } => write!(
                f,
                "job {job}: the fire of {scheduled} did not stop when told to, and was dropped"
            ),
            Self::FireEnded {
                attempt,
                job,
                outcome,
                retry,
                scheduled,
                text,
                took,
            } => {
                write!(f, "job {job}: the fire of {scheduled} {outcome} after {took:?}")?;
                if *attempt > 1 {
                    write!(f, " (try {attempt})")?;
                }
                if !text.is_empty() {
                    write!(f, ": {text}")?;
                }
                retry.map_or(Ok(()), |at| write!(f, "; it is tried again at {at}"))
            }
            Self::FireStarted {
                attempt,
                job,
                late,
                reason,
                scheduled,
            } => {
                write!(f, "job {job}: the fire of {scheduled} starts, {late:?} late")?;
                match reason {
                    Reason::Due => Ok(()),
                    Reason::Missed => f.write_str(": it was missed"),
                    Reason::Retry => write!(f, ": it failed, this is try {attempt}"),
                    Reason::Unfinished => {
                        write!(f, ": its end was never recorded, this is try {attempt}")
                    }
                }
            }
            Self::FireWithdrawn {
                job,
                scheduled,
                taken_back,
            } => {
                let rest = if *taken_back {
                    "its start is taken back"
                } else {
                    "its start stays in the ledger"
                };
                write!(
                    f,
                    "job {job}: the fire of {scheduled} did not run, because the leadership ends: {rest}"
                )
            }
            Self::Found { finding, job } => write!(f, "job {job}: {finding}"),
            Self::LedgerDamaged => f.write_str(
                "the ledger in the lock is damaged and begun anew: which fires ran before is forgotten",
            ),
            Self::LedgerFromFuture => f.write_str(
                "the ledger has times from the future, written by a wrong clock: put right, fires count from now",
            ),
            Self::LedgerMissing => f.write_str(
                "the lock has no ledger: fires count from now; if jobs have run before, it was lost with the lock",
            ),
        }
    }
}
