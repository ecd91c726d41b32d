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
    let ours = |row: &peers::Row| {
        let own = row.cells.iter().filter(|(peer, _)| peer.is_none());
        own.map(|(_, cell)| cell.with_two).sum::<u64>()
    };
    let with_two: u64 = table.rows.iter().map(ours).sum();
    let agree = table.agreements.iter().all(peers::Agreement::agrees);
    Ok(if with_two == 0 && agree {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}
