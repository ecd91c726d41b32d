//! Wall clocks decide nothing, in real runs of all tiers and locks.

use std::ops::Range;

use tenure_sim::invariants::wall_clock_irrelevance;
use tenure_sim::plan::{Backend, Fault, Plan, PlannedFault, Span, Who};
use tenure_sim::{Options, Tier};

const SEEDS: Range<u64> = 0..20;
const A_YEAR_S: i64 = 31_557_600;

/// The plan of a seed, and wall clocks that are set by a year forth and back on top.
fn plan(seed: u64, backend: Backend) -> Plan {
    let mut plan = Plan::generate(seed, backend);
    let node = Who::Node(0);
    let steps = (1..).zip([A_YEAR_S, -2 * A_YEAR_S, 3_600]);
    plan.faults.extend(steps.map(|(nth, by_s)| PlannedFault {
        at: Span::from_secs(8 * nth),
        lasts: None,
        what: Fault::StepWall { by_s, node },
    }));
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

#[test]
fn no_wall_clock_decides_who_leads_when() {
    for seed in SEEDS {
        for backend in Backend::ALL {
            for tier in [Tier::Machines, Tier::Electors] {
                let plan = plan(seed, backend);
                let run = |plan: &Plan| tenure_sim::run(plan, tier, &Options::PLAIN);
                let breach = wall_clock_irrelevance(&plan, run);
                assert_eq!(breach, None, "seed {seed}, {backend:?}, {tier:?}");
            }
        }
    }
}
