//! `tenure-sim smoke`: runs the smoke test for a range of seeds, and prints what was seen and a digest of all that happened.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::arguments::{Arguments, USAGE};
use tenure_sim::smoke::{Run, Stats, StoreKind};
use tenure_sim::trace::TraceHash;

/// The exit status for a command line that cannot be understood.
const EXIT_USAGE: u8 = 2;

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            // Nothing can be done about a standard error that is closed.
            drop(writeln!(io::stderr(), "tenure-sim: {problem}\n{USAGE}"));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match smoke(&arguments, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Runs all seeds. Says whether nothing was found.
fn smoke(arguments: &Arguments, out: &mut impl Write) -> io::Result<bool> {
    let mut digest = TraceHash::EMPTY;
    let mut stats = Stats::default();
    let mut found = 0_u64;
    for seed in arguments.seeds.clone() {
        for store in arguments.backend.stores() {
            let run = run(arguments, seed, *store);
            let outcome = run.run();
            digest.write_u64(outcome.hash.value());
            stats += outcome.stats;
            if let Some((at, violation)) = outcome.violation {
                found += 1;
                writeln!(out, "seed {seed} store {store:?} at {at}: {violation}")?;
                explain(arguments, &run, out)?;
            }
        }
    }
    writeln!(out, "{stats:?}")?;
    writeln!(out, "found {found}")?;
    writeln!(out, "digest {digest}")?;
    Ok(found == 0)
}

fn run(arguments: &Arguments, seed: u64, store: StoreKind) -> Run {
    let run = Run::of(seed, store);
    match arguments.sabotage {
        Some(sabotage) => run.with(sabotage),
        None => run,
    }
}

/// The same run once more, now with what happened in words.
fn explain(arguments: &Arguments, run: &Run, out: &mut impl Write) -> io::Result<()> {
    if arguments.trace == 0 {
        return Ok(());
    }
    for line in run.clone().keeping(arguments.trace).run().lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
