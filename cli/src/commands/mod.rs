//! What each command does.

mod campaign;
mod completions;
mod cron;
mod guarantees;
mod init;
mod ledger;
mod request;
mod run;
mod show;
mod status;
mod watch;

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::demo;
use crate::exit::{Exit, Failure};
use crate::guard::complain;
use crate::options::{Command, Options};
use crate::output::start_log;

/// Runs the program with this process's arguments.
pub fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return ExitCode::from(explain(&error)),
    };
    let status = match execute(options) {
        Ok(status) => status,
        Err(failure) => {
            complain(&failure.to_string());
            failure.exit.status()
        }
    };
    ExitCode::from(status)
}

/// Help goes to standard output, an error to standard error, both as whole as clap makes them.
fn explain(error: &clap::Error) -> u8 {
    // Nobody may be reading.
    let _ = error.print();
    let _ = std::io::stdout().flush();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success.status(),
        _ => Exit::Usage.status(),
    }
}

fn execute(options: Options) -> Result<u8, Failure> {
    let level = options.log.log_level.as_deref();
    let level = level.unwrap_or_else(|| options.command.log_level());
    start_log(options.log.log_format, level)?;
    match options.command {
        Command::Run(options) => run::run(options),
        Command::Cron(options) => cron::cron(options),
        Command::Status(options) => status::status(&options),
        Command::Watch(options) => watch::watch(&options),
        Command::Resign(options) => request::resign(&options),
        Command::Pause(options) => request::pause(&options),
        Command::Resume(options) => request::resume(&options),
        Command::Init(options) => init::init(&options),
        Command::Guarantees(options) => guarantees::guarantees(&options),
        Command::Demo(options) => demo::run(options.plain).map(Exit::status),
        Command::DemoJob(options) => demo::job(&options.journal).map(Exit::status),
        Command::Completions(options) => completions::completions(options.shell),
    }
}

/// Runs `future` on a runtime of one thread: everything that this program does at the same time happens in one task.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no runtime: {error}")))?;
    let value = runtime.block_on(future);
    // Calls to a disk that hangs are left behind.
    runtime.shutdown_background();
    Ok(value)
}
