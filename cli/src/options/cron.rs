use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{CandidateOptions, LockOptions, TimingOptions};

/// The name of a job that was not given one.
pub(crate) const USUAL_JOB: &str = "job";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
    tenure cron --lock file:///var/lib/tenure/nightly --schedule '0 2 * * *' --time-zone Europe/Berlin -- ./report
    tenure cron --lock kubernetes://jobs/nightly --schedule '0 2 * * *' -- ./report
    tenure cron --lock file:///var/lib/tenure/tick --schedule '*/10 * * * * *' --missed last -- ./tick")]
pub(crate) struct CronOptions {
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    #[command(flatten)]
    pub(crate) candidate: CandidateOptions,
    #[command(flatten)]
    pub(crate) timing: TimingOptions,
    /// When: minute, hour, day of the month, month, day of the week; with seconds in front where there are six
    #[arg(long, env = "TENURE_SCHEDULE", value_name = "CRON")]
    pub(crate) schedule: String,
    /// The zone that the schedule is meant in, such as Europe/Berlin
    #[arg(
        long,
        env = "TENURE_TIME_ZONE",
        value_name = "ZONE",
        default_value = "UTC"
    )]
    pub(crate) time_zone: String,
    /// What becomes of fires that nobody started in time
    #[arg(long, env = "TENURE_MISSED", value_enum, default_value_t = MissedName::Skip, value_name = "WHAT")]
    pub(crate) missed: MissedName,
    /// What becomes of a fire that was started and whose end is not known
    #[arg(long, env = "TENURE_FIRES", value_enum, default_value_t = FiresName::AtMostOnce, value_name = "HOW")]
    pub(crate) fires: FiresName,
    /// What becomes of a fire whose time comes while the one before still runs
    #[arg(long, env = "TENURE_OVERRUN", value_enum, default_value_t = OverrunName::Skip, value_name = "WHAT")]
    pub(crate) overrun: OverrunName,
    /// How long a fire may run before it is stopped and has failed [default: as long as leadership lasts]
    #[arg(long, env = "TENURE_TIMEOUT", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// How often a fire that failed is tried again, after 1 s, 2 s, 4 s and so on up to 60 s
    #[arg(long, env = "TENURE_RETRIES", value_name = "N", default_value_t = 0)]
    pub(crate) retries: u8,
    /// The name that the job has in the lock's ledger: under another name it is another job
    #[arg(long, env = "TENURE_JOB", value_name = "NAME", default_value = "job")]
    pub(crate) job: String,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum MissedName {
    /// They are skipped
    Skip,
    /// The last of them is run, late
    Last,
    /// The last 100 of them are run, one after another
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FiresName {
    /// It counts as run
    AtMostOnce,
    /// It is run again
    AtLeastOnce,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum OverrunName {
    /// The new one is skipped
    Skip,
    /// The old one is stopped for the new one
    Cancel,
}
