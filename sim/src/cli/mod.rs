//! What each command does.

mod bench;
mod campaign;
mod document;
mod failure;
mod hunt;
mod model;
mod one;
mod options;
mod output;
mod progress;
mod run;
mod scenarios;
mod subject;
mod tables;
mod values;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use failure::Failure;
use options::{Command, Options};

/// Runs the program with this process's arguments.
pub(crate) fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return explain(&error),
    };
    execute(options.command).unwrap_or_else(|failure| failure.tell())
}

fn execute(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Scenarios(options) => scenarios::list(&options),
        Command::Plan(options) => scenarios::plan(&options),
        Command::Run(options) => run::run(&options),
        Command::Campaign(options) => campaign::campaign(&options),
        Command::Replay(options) => one::replay(&options),
        Command::Shrink(options) => one::shrink(&options),
        Command::Hunt(options) => hunt::hunt(&options),
        Command::Model(options) => model::model(&options),
        Command::Compare(options) => tables::compare(&options),
        Command::Bench(options) => bench::bench(&options),
        Command::Report(options) => one::report(&options),
        Command::Tables(options) => document::renew(&options),
    }
}

/// Help goes to standard output as it is; what is wrong with a command line becomes one line.
fn explain(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody may be reading.
            let _ = error.print();
            let _ = std::io::stdout().flush();
            let status = error.exit_code();
            ExitCode::from(u8::try_from(status).unwrap_or(1))
        }
        _ => Failure::usage(one_line(&error.to_string())).tell(),
    }
}

/// The lines of an error of the command line parser in one, without the usage, which `--help` shows.
fn one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut parts = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        // Whoever mistypes an option does not want it taken for a value.
        if !line.is_empty() && !line.starts_with("tip: to pass") {
            parts.push(line);
        }
    }
    format!("{} (see --help)", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTS: [&str; 2] = [
        include_str!("../../../docs/simulation.md"),
        include_str!("../../README.md"),
    ];

    /// The command lines of this program that documents show, without their remarks.
    fn commands() -> impl Iterator<Item = &'static str> {
        let lines = DOCUMENTS.into_iter().flat_map(str::lines);
        let shown = lines.flat_map(|line| match line.split_once("tenure-sim -- ") {
            Some((_, command)) => vec![command],
            None if line.starts_with("tenure-sim ") => vec![line],
            // In the midst of a sentence a command may go without what it needs.
            None => line
                .split('`')
                .filter(|code| code.starts_with("tenure-sim "))
                .filter(|code| code.split_whitespace().count() > 2)
                .collect(),
        });
        shown.map(|command| {
            let command = command.split(" #").next().unwrap_or(command);
            command.trim_start_matches("tenure-sim ").trim()
        })
    }

    #[test]
    fn every_command_that_a_document_shows_is_one() {
        let mut count = 0;
        for command in commands().filter(|command| !command.starts_with('…')) {
            let words = std::iter::once("tenure-sim").chain(command.split_whitespace());
            let read = Options::try_parse_from(words);
            assert!(read.is_ok(), "{command}: {read:?}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}
