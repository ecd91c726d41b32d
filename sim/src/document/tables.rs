use crate::Tier;
use crate::invariants::{Assumption, Invariant};
use crate::plan::{Backend, Fault, FaultKind};
use crate::planted::Broken;
use crate::scenarios::{self, Claim, Scenario};

/// All tables that follow from the code alone, with their names.
pub(super) fn all() -> [(&'static str, String); 5] {
    [
        ("scenarios", scenarios_table()),
        ("faults", faults()),
        ("invariants", invariants()),
        ("assumptions", assumptions()),
        ("rules-and-pitfalls", rules_and_pitfalls()),
    ]
}

/// A table in Markdown.
fn table<const N: usize>(heads: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads = line(&heads.map(str::to_owned));
    let rule = line(&[""; N].map(|_| "---".to_owned()));
    let rows: String = rows.map(|row| line(&row)).collect();
    heads + &rule + &rows
}

fn code(text: impl std::fmt::Display) -> String {
    format!("`{text}`")
}

fn scenarios_table() -> String {
    let row = |scenario: &Scenario| {
        let not_claimed = match scenario.claim {
            Claim::SingleLeader => String::new(),
            Claim::Fencing(why) => format!(" Only fencing is claimed: {why}."),
        };
        [
            code(scenario.name),
            scenario.plan().backend.name().to_owned(),
            format!("{}{not_claimed}", scenario.sentence),
        ]
    };
    table(
        ["scenario", "lock", "what happens"],
        scenarios::all().map(row),
    )
}

fn faults() -> String {
    let row = |kind: FaultKind| {
        let backends: Vec<Backend> = kind.backends().collect();
        let locks = if backends.len() == Backend::EVERY.len() {
            "all".to_owned()
        } else {
            let names: Vec<&str> = backends.iter().map(|backend| backend.name()).collect();
            names.join(", ")
        };
        let tiers: Vec<&str> = kind.tiers().map(Tier::name).collect();
        [
            code(kind.written()),
            kind.sentence.to_owned(),
            locks,
            tiers.join(", "),
        ]
    };
    table(
        ["`what =`", "what happens", "locks", "tiers"],
        Fault::kinds().into_iter().map(row),
    )
}

fn invariants() -> String {
    let row = |invariant: Invariant| {
        [
            invariant.label().to_owned(),
            code(invariant.name()),
            invariant.sentence().to_owned(),
            invariant.not_claimed().to_owned(),
        ]
    };
    table(
        ["", "invariant", "what must hold", "not claimed"],
        Invariant::ALL.into_iter().map(row),
    )
}

fn assumptions() -> String {
    let row = |assumption: Assumption| {
        [
            code(assumption.name()),
            assumption.sentence().to_owned(),
            assumption.takes_out().to_owned(),
        ]
    };
    table(
        [
            "assumption",
            "what is assumed",
            "what breaking it takes out",
        ],
        Assumption::ALL.into_iter().map(row),
    )
}

fn rules_and_pitfalls() -> String {
    let row = |broken: &Broken| [broken.name.to_owned(), broken.sentence.to_owned()];
    table(["", "what it says"], Broken::ALL.iter().map(row))
}
