//! Commands that are asked once and answer with a table.

use std::process::ExitCode;

use tenure_sim::peers;

use super::failure::{FOUND, Failure};
use super::options::CompareOptions;
use super::output::print;
use super::progress::Progress;

/// `tenure-sim compare`
pub(super) fn compare(options: &CompareOptions) -> Result<ExitCode, Failure> {
    let progress = Progress::new(0, "runs");
    let table = peers::compare(options.runs, |done, of| progress.of(done, of));
    drop(progress);
    print(table.to_string().trim_end())?;
    Ok(if table.is_as_it_should_be() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}
