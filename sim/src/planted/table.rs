use super::{Bug, Catch, Kind, Missed};
use crate::Tier;

/// The heads of the table's columns, and how they are aligned.
const HEAD: &str = "\
| bug | what goes wrong | breaks | caught by | on | seeds | faults |
| --- | --- | --- | --- | --- | ---: | ---: |
";

/// What a hunt found out about a bug, in the columns of the table: caught by, on, seeds, faults.
pub type Measured = [String; 4];

/// The results of hunts as a table for people, in Markdown, in the order given.
pub fn table(results: &[Result<Catch, Missed>]) -> String {
    table_of(results.iter().map(measured))
}

/// The same table, of what is known from somewhere.
pub fn table_of(rows: impl IntoIterator<Item = (Bug, Measured)>) -> String {
    let rows = rows.into_iter().map(|(bug, measured)| row(bug, &measured));
    HEAD.to_owned() + &rows.collect::<String>()
}

/// What a hunt found out, and about which bug.
pub fn measured(result: &Result<Catch, Missed>) -> (Bug, Measured) {
    match result {
        Ok(catch) => (catch.bug, caught(catch)),
        Err(missed) => escaped(missed),
    }
}

fn caught(catch: &Catch) -> Measured {
    let tier = match catch.tier {
        Tier::Electors => "elector",
        Tier::Machines => "machine",
    };
    [
        catch.caught_by().name(),
        format!("{tier}, {}", catch.backend.name()),
        catch.seeds.to_string(),
        catch.faults().to_string(),
    ]
}

fn escaped(missed: &Missed) -> (Bug, Measured) {
    let line = missed.line();
    let bug = Bug::parse(line.bug).expect("it was hunted under its name");
    let outcome = match missed {
        Missed::Uncaught { .. } => "**nothing**",
        Missed::ControlBreaches { .. } => "**the control breaches too**",
    };
    let seeds = line.seeds.to_string();
    (
        bug,
        [outcome.to_owned(), String::new(), seeds, String::new()],
    )
}

fn row(bug: Bug, measured: &Measured) -> String {
    let kind = match bug.kind() {
        Kind::Liveness => " (liveness)",
        Kind::Safety => "",
    };
    let scenario = bug.scenario().map_or_else(String::new, |scenario| {
        format!(" Looked for in `{}`.", scenario.name)
    });
    let (name, sentence, breaks) = (bug.name(), bug.sentence(), bug.breaks());
    let measured = measured.join(" | ");
    format!("| `{name}`{kind} | {sentence}{scenario} | {breaks} | {measured} |\n")
}
