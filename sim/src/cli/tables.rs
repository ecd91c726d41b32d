//! Commands that are asked once and answer with a table.

use std::process::ExitCode;
use std::time::Duration;

use tenure_sim::model::{self, Configuration, End};
use tenure_sim::parallel::processors;
use tenure_sim::peers;

use super::failure::{FOUND, Failure};
use super::options::{CompareOptions, ModelOptions};
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

/// `tenure-sim model`
pub(super) fn model(options: &ModelOptions) -> Result<ExitCode, Failure> {
    let worlds = match &options.world {
        None => Configuration::all(),
        Some(name) => vec![Configuration::find(name).ok_or_else(|| unknown(name))?],
    };
    let jobs = options.jobs.unwrap_or_else(processors).get();
    let limit = Duration::from(options.limit);
    let mut found = false;
    for world in &worlds {
        let progress = Progress::new(0, world.name);
        let verdict = model::check(world, options.bug, jobs, limit, &mut |seen| {
            progress.set(seen.states as u64);
        });
        drop(progress);
        let end = match verdict.end {
            End::Closed => "all states seen, nothing found".to_owned(),
            End::Bounded => "nothing found as far as it went".to_owned(),
            End::Found(invariant) => format!("FOUND {invariant:?}"),
        };
        let seen = verdict.progress;
        print(format_args!(
            "{:<12} {end}: {} states, {} steps, depth {}, in {:.1?}\n{:13}{}",
            world.name, seen.states, seen.steps, seen.depth, seen.time, "", world.sentence
        ))?;
        for line in verdict.counterexample.iter().flatten() {
            print(line)?;
        }
        found |= matches!(verdict.end, End::Found(_));
    }
    Ok(if found {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    })
}

fn unknown(name: &str) -> Failure {
    let names: Vec<_> = Configuration::all().iter().map(|one| one.name).collect();
    Failure::usage(format!(
        "there is no small world {name:?}: write one of {}",
        names.join(", ")
    ))
}
