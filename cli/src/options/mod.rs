//! The command line. Every option can be given by environment too.

mod candidate;
mod confidential;
mod cron;
mod granted;
mod label;
mod lock;
mod node;
mod timing;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub(crate) use candidate::CandidateOptions;
pub(crate) use cron::{CronOptions, FiresName, MissedName, OverrunName, USUAL_JOB};
pub(crate) use label::LabelText;
pub(crate) use lock::{LockOptions, PodOptions};
pub(crate) use timing::{LockKindName, TimingOptions, explain};

use crate::output::LogFormat;

/// Runs a command on exactly one of many processes
///
/// Start the same command everywhere. One of them gets the lock and runs it; when that one dies, stops or is cut off, its command is
/// dead before another one's starts.
#[derive(Parser, Debug)]
#[command(name = "tenure", version, max_term_width = 100, after_long_help = STATUSES)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) log: LogOptions,
}

const STATUSES: &str = "\
Exit status:
    0          all is well
    1          somebody else has the lock and --try or --wait said not to wait
               (--conflict-exit-code chooses another)
    64         the command line is wrong
    69         the lock cannot be used, or does not answer
    70         the command could not be guarded, or the program itself failed
    126, 127   the command cannot be run, was not found (run --once)
    128 + N    ended by signal N (15 for SIGTERM)
    other      the command's own (run --once)

Every option can be given by the environment variable that its help names.
Try `tenure demo` first: it needs nothing but a folder for temporary files.";

/// How the program tells what it does
#[derive(Args, Debug)]
pub(crate) struct LogOptions {
    /// How lines on standard error look
    #[arg(
        long,
        global = true,
        env = "TENURE_LOG_FORMAT",
        value_enum,
        default_value_t = LogFormat::Text,
        value_name = "FORMAT"
    )]
    pub(crate) log_format: LogFormat,
    /// How much is told: error, warn, info, debug or trace [default: info for candidates, error for others]
    #[arg(long, global = true, env = "TENURE_LOG_LEVEL", value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Runs a command while this candidate leads, and stops it when it does not
    ///
    /// Start the same command on every machine or in every process. The one that leads runs it.
    ///
    /// The command gets TENURE_TOKEN (a number that grows with each leadership: let what it writes to check it), TENURE_ELECTION and
    /// TENURE_CANDIDATE. SIGTERM, SIGINT and SIGHUP are passed on to it. When it ends, whatever it has started ends too. Then the
    /// lock is released, and after a pause of 1 s, doubled up to 60 s as long as it ends soon, this candidate tries again, unless
    /// --once is given.
    Run(RunOptions),
    /// Runs a command by a schedule, each fire on one candidate only
    ///
    /// Start the same command on every machine or in every process. The one that leads runs each fire.
    ///
    /// Which fires were started and how they ended is kept in the lock, by the time they were scheduled for, so that a fire is not
    /// run twice when the leader changes. The command gets TENURE_SCHEDULED (such as 2026-01-31T02:00:00Z), TENURE_SCHEDULED_UNIX
    /// (in seconds) and TENURE_ATTEMPT (1, 2, ...) beside what `tenure run` gives it. When this program is told to end, a fire that
    /// runs is let finish for as long as the drain timeout.
    Cron(CronOptions),
    /// Shows who leads, without disturbing the lock
    ///
    /// On ZooKeeper it shows the queue too: who will lead, one after the other. The right to read the nodes is enough.
    Status(ShowOptions),
    /// Shows who leads and every change, without disturbing the lock
    ///
    /// A line for each change, until it is ended. On ZooKeeper it shows the queue too: who will lead, one after the other.
    Watch(ShowOptions),
    /// Asks the leader to stop and let another one lead
    Resign(RequestOptions),
    /// Asks the leader to stop, and everybody not to lead until `tenure resume`
    Pause(RequestOptions),
    /// Ends a pause
    Resume(RequestOptions),
    /// Makes a Lease that the very first candidate leads by at once
    ///
    /// A Lease that is missing may be one that was deleted while somebody leads, so that the first candidate makes it and then waits for a
    /// whole lease duration. This makes it as if a leader had just given it back. Only you can know that nobody leads without it: stop all
    /// candidates first, or be sure that there has never been one. A lock file needs nothing of the kind.
    Init(InitOptions),
    /// Shows what follows from a timing: failover times, outages survived, and the inequality behind them
    Guarantees(GuaranteesOptions),
    /// Shows an election among five processes, with faults, in half a minute
    Demo(DemoOptions),
    /// What the demo's candidates run
    #[command(hide = true)]
    DemoJob(DemoJobOptions),
    /// Prints a script that completes this program's command lines
    Completions(CompletionsOptions),
}

impl Command {
    /// How much is told unless it is said otherwise. Who only looks at a lock need not hear what is wrong with its place.
    pub(crate) fn log_level(&self) -> &'static str {
        match self {
            Self::Run(_) | Self::Cron(_) => "info",
            _ => "error",
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
    tenure run --lock file:///var/lib/tenure/poller -- ./poller --verbose
    tenure run --lock file:///var/lib/tenure/backup --once --try -- ./backup
    tenure run --lock kubernetes://jobs/poller --members app=poller -- ./poller
    tenure run --lock zookeeper://zk1:2181,zk2:2181,zk3:2181/tenure/poller -- ./poller")]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    #[command(flatten)]
    pub(crate) candidate: CandidateOptions,
    #[command(flatten)]
    pub(crate) timing: TimingOptions,
    /// Ends when the command has ended by itself, with its exit status
    #[arg(long, env = "TENURE_ONCE")]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) patience: PatienceOptions,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// How long to wait for the lock the first time
#[derive(Args, Debug)]
pub(crate) struct PatienceOptions {
    /// Gives up at once when somebody else has the lock
    #[arg(long = "try", env = "TENURE_TRY", conflicts_with = "wait")]
    pub(crate) try_once: bool,
    /// Gives up when this candidate does not lead within this time, such as 30s
    #[arg(long, env = "TENURE_WAIT", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) wait: Option<Duration>,
    /// The exit status when it gives up
    #[arg(
        long,
        env = "TENURE_CONFLICT_EXIT_CODE",
        value_name = "N",
        default_value_t = 1
    )]
    pub(crate) conflict_exit_code: u8,
}

impl PatienceOptions {
    /// Waits for ever.
    pub(crate) const fn endless() -> Self {
        Self {
            try_once: false,
            wait: None,
            conflict_exit_code: 1,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ShowOptions {
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    /// Prints one JSON object a line
    #[arg(long, env = "TENURE_JSON")]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RequestOptions {
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    /// Prints one JSON object
    #[arg(long, env = "TENURE_JSON")]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
    tenure init --lock kubernetes://jobs/nightly")]
pub(crate) struct InitOptions {
    #[command(flatten)]
    pub(crate) lock: LockOptions,
    /// Prints one JSON object
    #[arg(long, env = "TENURE_JSON")]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct GuaranteesOptions {
    #[command(flatten)]
    pub(crate) timing: TimingOptions,
    /// The kind of lock: one that the store frees when its holder is gone (a file), or one that has to age
    #[arg(long, env = "TENURE_KIND", value_enum, default_value_t = LockKindName::Session)]
    pub(crate) kind: LockKindName,
    /// Prints one JSON object, durations in milliseconds
    #[arg(long, env = "TENURE_JSON")]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// Prints plain lines, as in a pipe
    #[arg(long, env = "TENURE_PLAIN")]
    pub(crate) plain: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DemoJobOptions {
    /// The file that fires are written to
    pub(crate) journal: std::path::PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsOptions {
    /// The shell to print a script for
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn every_option_can_be_given_by_environment() {
        for command in Options::command().get_subcommands() {
            for option in command.get_arguments().filter(|a| a.get_long().is_some()) {
                let name = option.get_long().unwrap();
                let variable = format!("TENURE_{}", name.to_uppercase().replace('-', "_"));
                assert_eq!(
                    option.get_env().and_then(|env| env.to_str()),
                    Some(variable.as_str()),
                    "--{name} of {}",
                    command.get_name()
                );
            }
        }
    }
}
