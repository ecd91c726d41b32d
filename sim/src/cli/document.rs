//! The document of the simulator, whose tables are made by it.

use std::path::Path;
use std::process::ExitCode;

use tenure_sim::document;
use tenure_sim::planted::{Catch, Missed};

use super::failure::Failure;
use super::options::TablesOptions;
use super::output::{print, write_file};

/// `tenure-sim tables`
pub(super) fn renew(options: &TablesOptions) -> Result<ExitCode, Failure> {
    let path = &options.document;
    let text = document::renewed(&read(path)?);
    write_file(path, &text.map_err(|error| fails(path, &error))?)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the document says what these hunts have found; tells what differs.
pub(super) fn is_current(path: &Path, results: &[Result<Catch, Missed>]) -> Result<bool, Failure> {
    let text = read(path)?;
    let found = with_hunts(path, &text, results)?;
    if found == text {
        return Ok(true);
    }
    let shown = path.display();
    print(format_args!(
        "{shown} says otherwise; `tenure-sim hunt --all --renew {shown}` renews it:"
    ))?;
    for line in found.lines().filter(|line| !text.contains(*line)) {
        print(line)?;
    }
    Ok(false)
}

/// Writes to the document what these hunts have found.
pub(super) fn write_hunts(path: &Path, results: &[Result<Catch, Missed>]) -> Result<bool, Failure> {
    let text = read(path)?;
    write_file(path, &with_hunts(path, &text, results)?)?;
    Ok(true)
}

fn with_hunts(
    path: &Path,
    text: &str,
    results: &[Result<Catch, Missed>],
) -> Result<String, Failure> {
    document::with_hunts(text, results).map_err(|error| fails(path, &error))
}

/// The text of a document.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| fails(path, &error))
}

fn fails(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format_args!("{}: {error}", path.display()))
}
