use std::fmt::Write;

use super::{Bug, Catch, Kind, Missed};
use crate::Tier;
use crate::invariants::Invariant;

/// The results of hunts as a table for people, in Markdown, in the order given.
pub fn table(results: &[Result<Catch, Missed>]) -> String {
    let mut table = String::from(
        "| bug | what goes wrong | breaks | caught by | on | seeds | faults |\n\
         | --- | --- | --- | --- | --- | ---: | ---: |\n",
    );
    for result in results {
        let row = match result {
            Ok(catch) => caught(catch),
            Err(missed) => escaped(missed),
        };
        table.push_str(&row);
    }
    table
}

fn caught(catch: &Catch) -> String {
    let tier = match catch.tier {
        Tier::Electors => "elector",
        Tier::Machines => "machine",
    };
    let on = format!("{tier}, {}", catch.backend.name());
    let caught_by = name(catch.caught_by());
    let (seeds, faults) = (catch.seeds, catch.faults());
    row(
        catch.bug,
        &caught_by,
        &on,
        &seeds.to_string(),
        &faults.to_string(),
    )
}

fn escaped(missed: &Missed) -> String {
    let line = missed.line();
    let bug = Bug::parse(line.bug).expect("it was hunted under its name");
    let outcome = match missed {
        Missed::Uncaught { .. } => "**nothing**",
        Missed::ControlBreaches { .. } => "**the control breaches too**",
    };
    row(bug, outcome, "", &line.seeds.to_string(), "")
}

fn row(bug: Bug, caught_by: &str, on: &str, seeds: &str, faults: &str) -> String {
    let mut row = String::new();
    let kind = match bug.kind() {
        Kind::Liveness => " (liveness)",
        Kind::Safety => "",
    };
    let (name, sentence, breaks) = (bug.name(), bug.sentence(), bug.breaks());
    writeln!(
        row,
        "| `{name}`{kind} | {sentence} | {breaks} | {caught_by} | {on} | {seeds} | {faults} |"
    )
    .expect("writing to a string does not fail");
    row
}

/// An invariant's name, as plans and traces have it.
fn name(invariant: Invariant) -> String {
    match serde_json::to_value(invariant) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{invariant:?}"),
    }
}
