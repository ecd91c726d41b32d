use std::collections::BTreeSet;

use super::*;
use crate::figures::Observer;
use crate::plan::{Backend, Format, PlannedFault};
use crate::trace::Keep;
use crate::{Options, Tier};

#[test]
fn every_scenario_is_a_plan_that_can_be_and_is_told_in_a_sentence() {
    let mut names = BTreeSet::new();
    for scenario in all() {
        let plan = scenario.plan();
        assert_eq!(plan.check(), Ok(()), "{}", scenario.name);
        let text = plan.write(Format::Toml);
        let again = Plan::parse(&text, Format::Toml, scenario.name);
        assert_eq!(again, Ok(plan), "{text}");
        assert!(scenario.sentence.ends_with('.'), "{}", scenario.sentence);
        assert!(
            names.insert(scenario.name),
            "{} is there twice",
            scenario.name
        );
    }
    assert!(names.len() >= 25);
}

#[test]
fn a_name_that_is_mistyped_finds_what_was_meant() {
    assert_eq!(
        nearest("pod-delete").map(|found| found.name),
        Some("pod-deleted")
    );
    assert_eq!(
        nearest("leader-partitionned").map(|found| found.name),
        Some("leader-partitioned")
    );
    assert!(nearest("something else").is_none());
}

/// A day takes long where nothing is optimised, and shows no more than minutes do.
const LONG: &str = "quiet-day";

fn keeps_what_is_claimed(scenario: &Scenario, plan: &Plan, tier: Tier) {
    let options = Options {
        keep: Keep::All,
        ..Options::PLAIN
    };
    let outcome = crate::run(plan, tier, &options);
    let what = format!(
        "{} {} {tier:?} {}",
        scenario.name,
        plan.backend.name(),
        plan.seed
    );
    assert_eq!(outcome.jury.breach(), None, "{what}");
    let mut observer = Observer::new(plan);
    outcome
        .records
        .iter()
        .for_each(|record| observer.see(record));
    let figures = observer.finish();
    assert!(figures.first.count() == 1, "{what}");
    if scenario.claim == Claim::SingleLeader {
        assert_eq!(figures.overlap_ns, 0, "{what}");
    }
}

#[test]
fn every_scenario_keeps_what_is_claimed_of_it_and_has_somebody_work() {
    for scenario in all().filter(|scenario| scenario.name != LONG) {
        for (tier, seeds) in [(Tier::Machines, 0..3), (Tier::Electors, 0..1)] {
            for seed in seeds {
                let mut plan = scenario.plan();
                plan.seed = seed;
                keeps_what_is_claimed(scenario, &plan, tier);
            }
        }
    }
}

#[test]
fn every_scenario_of_faults_that_kubernetes_has_keeps_its_claim_there_too() {
    let mut ran = 0;
    for scenario in all().filter(|scenario| scenario.name != LONG) {
        let mut plan = scenario.plan();
        let own = plan.backend;
        plan.backend = Backend::Kubernetes;
        plan.server.late_proof = false;
        let fits = |fault: &PlannedFault| fault.what.fits(Backend::Kubernetes);
        if !plan.faults.iter().all(fits) {
            assert_ne!(own, Backend::Lease, "{}", scenario.name);
            continue;
        }
        assert_eq!(plan.check(), Ok(()), "{}", scenario.name);
        for death_proof in [false, true] {
            plan.server.death_proof = death_proof;
            keeps_what_is_claimed(scenario, &plan, Tier::Electors);
        }
        ran += 1;
    }
    assert!(ran >= 55, "{ran}");
}
