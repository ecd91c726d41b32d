//! What docs/simulation.md says is so.

use std::fs;
use std::path::{Path, PathBuf};

use tenure_sim::document::{hunted, renewed};
use tenure_sim::plan::{Format, Plan};
use tenure_sim::planted::{Bug, SEEDS_MOST};
use tenure_sim::{Options, Tier};

/// How many faults the smallest plan of a mistake may need.
const FAULTS_MOST: usize = 7;

fn document() -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "docs", "simulation.md"]
        .iter()
        .collect();
    let path: &Path = &path;
    fs::read_to_string(path).expect("the document is there")
}

#[test]
fn its_tables_are_current() {
    let text = document();
    let current = renewed(&text).unwrap();
    let new: Vec<&str> = current
        .lines()
        .filter(|line| !text.lines().any(|old| old == *line))
        .collect();
    assert!(
        text == current,
        "renew the tables with `cargo run -p tenure-sim -- tables docs/simulation.md`:\n{}",
        new.join("\n")
    );
}

#[test]
fn every_planted_mistake_was_caught_by_what_should_catch_it() {
    let rows = hunted(&document());
    let bugs: Vec<Bug> = rows.iter().map(|(bug, _)| *bug).collect();
    assert_eq!(bugs, Bug::ALL);
    for (bug, [caught_by, on, seeds, faults]) in rows {
        let renew = format!(
            "{bug}: hunt again with `cargo run --release -p tenure-sim -- hunt --all --renew docs/simulation.md`"
        );
        let mut expected = bug.expected().iter().map(|invariant| invariant.name());
        assert!(expected.any(|name| name == caught_by), "{renew}");
        let (tier, lock) = on.split_once(", ").expect(&renew);
        let mut tiers = bug.tiers().iter().map(|tier| tier.name());
        assert!(
            tiers.any(|name| name.strip_suffix('s') == Some(tier)),
            "{renew}"
        );
        assert!(
            bug.backends().iter().any(|backend| backend.name() == lock),
            "{renew}"
        );
        let seeds: u64 = seeds.parse().expect(&renew);
        let faults: usize = faults.parse().expect(&renew);
        assert!((1..=SEEDS_MOST).contains(&seeds), "{renew}");
        assert!(faults <= FAULTS_MOST, "{renew}");
    }
}

#[test]
fn the_plan_that_it_shows_is_one_that_runs() {
    let text = document();
    let plans: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(plan, _)| plan)
        .collect();
    assert!(!plans.is_empty());
    for plan in plans {
        let plan = Plan::parse(plan, Format::Toml, "docs/simulation.md").unwrap();
        let outcome = tenure_sim::run(&plan, Tier::Electors, &Options::PLAIN);
        assert_eq!(outcome.jury.breach(), None);
    }
}
