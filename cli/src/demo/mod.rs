//! `tenure demo`: five candidates as real processes, a job every second, three faults, and a judgement of what the job left behind.

mod cast;
mod journal;
mod picture;
mod story;
mod verdict;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process;
use std::time::Duration;

use tenure::host::SystemClock;
use tenure::time::Clock as _;

use crate::exit::{Exit, Failure};
use cast::Stage;
use journal::{Entry, Kind};
use picture::View;
use story::Story;

/// How many candidates there are.
const CANDIDATES: usize = 5;
/// How many leaders are taken away: one is killed, one is stopped, one is asked to leave.
const FAULTS: usize = 3;
/// How long the demo's job takes.
const JOB: Duration = Duration::from_millis(150);

/// Runs the demo. The exit status is zero only if every fire was run exactly once.
pub(crate) fn run(plain: bool) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stage = Stage {
        directory: make_directory()?,
    };
    let names: Vec<String> = (1..=CANDIDATES)
        .map(|number| format!("pod-{number}"))
        .collect();
    let live = !plain && io::stdout().is_terminal();
    let view = if live {
        View::live(&names)
    } else {
        View::Plain
    };
    let outcome = runtime.block_on(async { Story::begin(&stage, &names, view)?.play().await });
    let verdict = match outcome {
        Ok(verdict) => verdict,
        Err(failure) => {
            remove(&stage.directory);
            return Err(failure);
        }
    };
    crate::output::print(format_args!("\n{verdict}"))?;
    if verdict.is_good() {
        remove(&stage.directory);
        return Ok(Exit::Success);
    }
    Err(Failure::failed(format!(
        "the demo went wrong: what each process said is in {}",
        stage.directory.display()
    )))
}

/// What a candidate of the demo runs at each fire: says that it starts, takes its time, says that it ends.
pub(crate) fn job(journal: &Path) -> Result<Exit, Failure> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (Some(scheduled), Some(token)) = (number("TENURE_SCHEDULED_UNIX"), number("TENURE_TOKEN"))
    else {
        return Err(Failure::usage(
            "demo-job is what `tenure demo` has its candidates run: try that",
        ));
    };
    let clock = SystemClock::new();
    let write = |kind| {
        let entry = Entry {
            kind,
            candidate: std::env::var("TENURE_CANDIDATE").unwrap_or_default(),
            process: process::id(),
            scheduled,
            token,
            written: clock.wall().unix_micros(),
        };
        entry.append_to(journal)
    };
    write(Kind::Start)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(async { clock.sleep(JOB).await });
    write(Kind::End)?;
    Ok(Exit::Success)
}

fn make_directory() -> Result<std::path::PathBuf, Failure> {
    let directory = std::env::temp_dir().join(format!("tenure-demo-{}", process::id()));
    std::fs::create_dir(&directory).map_err(|error| {
        let directory = directory.display();
        Failure::failed(format!(
            "{directory} cannot be made: {error}: set TMPDIR to a folder that can be written"
        ))
    })?;
    Ok(directory)
}

/// What is left behind in a folder for temporary files does no harm.
fn remove(directory: &Path) {
    let _ = std::fs::remove_dir_all(directory);
}
