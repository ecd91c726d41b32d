//! What the program writes: lines for programs on standard output, and what happens on standard error.

use std::fmt;
use std::io::{self, Write};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::exit::Failure;

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line
    Json,
    /// Lines for people
    Text,
}

/// Sends log lines to standard error.
pub(crate) fn start_log(format: LogFormat, level: &str) -> Result<(), Failure> {
    // The client of ZooKeeper tells of each connection that it tries; what comes of it is told by ours.
    let directives = format!("zookeeper_client=error,{level}");
    let filter = EnvFilter::try_new(directives).map_err(|_| {
        Failure::usage(format!(
            "--log-level {level:?} is not a level: use error, warn, info, debug or trace"
        ))
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(io::stderr);
    // Only the first one of a process counts, and there is no other.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text => log
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .try_init(),
    };
    Ok(())
}

/// Writes a line to standard output.
pub(crate) fn print(line: impl fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
