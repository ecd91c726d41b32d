use std::ops::ControlFlow;
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use tenure_sim::parallel::{in_order, processors};
use tenure_sim::planted::{self, Bug, Catch, Missed};

use super::document;
use super::failure::{FOUND, Failure, INTERRUPTED};
use super::options::HuntOptions;
use super::output::print;
use super::progress::{Progress, interruption};

/// `tenure-sim hunt`
pub(super) fn hunt(options: &HuntOptions) -> Result<ExitCode, Failure> {
    let bugs: Vec<Bug> = match options.bug {
        Some(bug) => vec![bug],
        None => Bug::ALL.to_vec(),
    };
    for path in options.check.iter().chain(&options.renew) {
        // Who mistypes its name learns of it before the hunt.
        document::read(path)?;
    }
    let interrupted = interruption();
    let progress = Progress::new(bugs.len() as u64, "mistakes");
    let mut results = Vec::new();
    let mut written = Ok(());
    // A mistake may fail an assertion of the machine. That ends its run, and is recorded there.
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    in_order(
        bugs.iter().copied(),
        processors(),
        &interrupted,
        |bug| planted::hunt(bug, options.limit, |_| {}),
        |_, result| {
            progress.add(1);
            if options.json {
                written = progress.aside(|| print(line(&result)));
            }
            results.push(result);
            match written {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        },
    );
    panic::set_hook(usual);
    drop(progress);
    written?;
    if !options.json {
        print(planted::table(&results).trim_end())?;
        summary(&results, bugs.len())?;
    }
    let was_interrupted = interrupted.load(Ordering::SeqCst);
    let is_current = match (&options.check, &options.renew) {
        _ if was_interrupted => true,
        (Some(path), _) => document::is_current(path, &results)?,
        (None, Some(path)) => document::write_hunts(path, &results)?,
        (None, None) => true,
    };
    Ok(match () {
        () if results.iter().any(Result::is_err) || !is_current => ExitCode::from(FOUND),
        () if was_interrupted => ExitCode::from(INTERRUPTED),
        () => ExitCode::SUCCESS,
    })
}

fn line(result: &Result<Catch, Missed>) -> String {
    let line = match result {
        Ok(catch) => catch.line(),
        Err(missed) => missed.line(),
    };
    serde_json::to_string(&line).expect("a line is names and numbers")
}

fn summary(results: &[Result<Catch, Missed>], of: usize) -> Result<(), Failure> {
    let caught = results.iter().filter(|result| result.is_ok()).count();
    print("")?;
    for missed in results.iter().filter_map(|result| result.as_ref().err()) {
        print(missed)?;
    }
    let silent = results
        .iter()
        .all(|result| !matches!(result, Err(Missed::ControlBreaches { .. })));
    let control = if silent {
        "the control without a mistake is silent on the same seeds"
    } else {
        "the control without a mistake is not silent"
    };
    print(format_args!("{caught} of {of} caught; {control}"))?;
    Ok(())
}
