use super::plan::{Direction, Fault, Foreign, NodePlan, Plan, PlannedFault, StoreKind};
use crate::random::{Purpose, Stream};

/// How fast and how slow an oscillator may be: ρ is 1 %, and 1/(1+ρ) is 9900 millionths slower.
const RATE_PPM_MOST: i64 = 10_000;
const RATE_PPM_LEAST: i64 = -9_900;
/// How much a time service slews at the most: chrony's `maxslewrate` is 83 333.
const SLEW_PPM_MOST: u32 = 83_333;
const LEASE_MS: u64 = 6_000;
const SECOND: u64 = 1_000_000_000;

/// The kinds of fault, each switched on or off for a whole run: runs with few kinds find what runs with all of them hide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Crash,
    Cut,
    EditLabel,
    Eligibility,
    Foreign,
    Hints,
    Lossy,
    Operator,
    Pause,
    Rate,
    Refuse,
    Resign,
    ShutDown,
    Slew,
    Slow,
    StepWall,
    Suspend,
}

const KINDS: [Kind; 17] = [
    Kind::Crash,
    Kind::Cut,
    Kind::EditLabel,
    Kind::Eligibility,
    Kind::Foreign,
    Kind::Hints,
    Kind::Lossy,
    Kind::Operator,
    Kind::Pause,
    Kind::Rate,
    Kind::Refuse,
    Kind::Resign,
    Kind::ShutDown,
    Kind::Slew,
    Kind::Slow,
    Kind::StepWall,
    Kind::Suspend,
];

impl Plan {
    /// The plan of `seed` for a lock of this kind.
    pub fn generate(seed: u64, store: StoreKind) -> Self {
        let mut draw = Stream::new(seed, 0, Purpose::Plan);
        let mut kinds: Vec<Kind> = KINDS.into_iter().filter(|_| draw.happens(400)).collect();
        if kinds.contains(&Kind::Suspend) {
            // Slewing and suspend within one lease add up to more than either clock shows: outside the claim.
            kinds.retain(|kind| *kind != Kind::Slew);
        }
        let count = draw.within(2..=4);
        // A deletion is waited out for the longest duration that a candidate knows of; a server's sessions all time out alike.
        let same_lease = kinds.contains(&Kind::Foreign) || store == StoreKind::Session;
        let nodes = (0..count)
            .map(|_| node(&mut draw, same_lease))
            .collect::<Vec<_>>();
        let quiet_from = draw.within(30..=80) * SECOND;
        let faults = faults(&mut draw, &kinds, nodes.len(), store, quiet_from);
        Self {
            end: quiet_from + 60 * SECOND,
            faults,
            nodes,
            quiet_from,
            server_rate_ppm: rate(&mut draw),
            store,
        }
    }
}

fn rate(draw: &mut Stream) -> i64 {
    match draw.below(4) {
        0 => RATE_PPM_MOST,
        1 => RATE_PPM_LEAST,
        2 => draw.around_zero(9_900),
        _ => draw.around_zero(100),
    }
}

fn node(draw: &mut Stream, same_lease: bool) -> NodePlan {
    let longer = if same_lease { 0 } else { draw.below(3) * 1_500 };
    NodePlan {
        lease_ms: LEASE_MS + longer,
        rate_ppm: rate(draw),
        stop_takes_ms: if draw.happens(500) {
            0
        } else {
            draw.below(1_500)
        },
        uptime_ms: draw.below(10_000_000_000),
        wall_s: 1_000_000_000 + draw.below(1_000_000_000),
        work_lasts_ms: draw.happens(200).then(|| draw.within(500..=20_000)),
    }
}

fn faults(
    draw: &mut Stream,
    kinds: &[Kind],
    nodes: usize,
    store: StoreKind,
    quiet_from: u64,
) -> Vec<PlannedFault> {
    if kinds.is_empty() {
        return Vec::new();
    }
    let count = draw.within(1..=24);
    let mut faults: Vec<PlannedFault> = (0..count)
        .map(|_| {
            let kind = kinds[draw.index(kinds.len())];
            let at = draw.below(quiet_from);
            let most = (quiet_from - at) / 1_000_000;
            PlannedFault {
                at,
                fault: fault(draw, kind, nodes, store),
                lasts_ms: lasts(draw).min(most),
            }
        })
        .collect();
    faults.sort_by_key(|fault| fault.at);
    faults
}

/// Most faults last about as long as a lease, give or take; that is where it gets close.
fn lasts(draw: &mut Stream) -> u64 {
    match draw.below(3) {
        0 => draw.within(1..=1_500),
        1 => draw.within(1_000..=8_000),
        _ => draw.within(5_000..=20_000),
    }
}

fn fault(draw: &mut Stream, kind: Kind, nodes: usize, store: StoreKind) -> Fault {
    let node = draw.index(nodes);
    match kind {
        Kind::Crash => Fault::Crash { node },
        Kind::Cut => Fault::Cut {
            direction: direction(draw),
            node,
        },
        Kind::EditLabel => Fault::Foreign(Foreign::EditLabel),
        Kind::Eligibility => Fault::Ineligible { node },
        Kind::Foreign => Fault::Foreign(foreign(draw, store)),
        Kind::Hints => Fault::NoHints,
        Kind::Lossy => Fault::Lossy {
            node,
            per_mille: draw.within(50..=600),
        },
        Kind::Operator if draw.happens(500) => Fault::OperatorPause,
        Kind::Operator => Fault::OperatorResign,
        Kind::Pause => Fault::Pause { node },
        Kind::Rate => Fault::Rate {
            node,
            ppm: rate(draw),
        },
        Kind::Refuse => Fault::Refuse,
        Kind::Resign => Fault::Resign { node },
        Kind::ShutDown => Fault::ShutDown { node },
        Kind::Slew => Fault::Slew {
            node,
            ppm: draw.around_zero(SLEW_PPM_MOST),
        },
        Kind::Slow => Fault::Slow {
            most_ms: draw.within(200..=12_000),
            node,
        },
        Kind::StepWall => Fault::StepWall {
            by_s: draw.around_zero(4_000_000),
            node,
        },
        Kind::Suspend => Fault::Suspend { node },
    }
}

fn direction(draw: &mut Stream) -> Direction {
    match draw.below(3) {
        0 => Direction::Both,
        1 => Direction::Replies,
        _ => Direction::Requests,
    }
}

/// What the claim covers: of a session lock the deletion and a torn record, of a leased one everything.
fn foreign(draw: &mut Stream, store: StoreKind) -> Foreign {
    let all = [
        Foreign::Delete,
        Foreign::Corrupt,
        Foreign::Empty,
        Foreign::Recreate,
        Foreign::Overwrite,
    ];
    match store {
        StoreKind::Leased => all[draw.index(all.len())],
        StoreKind::Process | StoreKind::Session => all[draw.index(2)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_from_its_seed_and_ends_before_the_quiet_time() {
        for seed in 0..500 {
            let plan = Plan::generate(seed, StoreKind::Leased);
            assert_eq!(plan, Plan::generate(seed, StoreKind::Leased));
            for fault in &plan.faults {
                assert!(fault.at().plus(fault.lasts()) <= plan.quiet_from());
            }
            let slews = |fault: &PlannedFault| matches!(fault.fault, Fault::Slew { .. });
            let suspends = |fault: &PlannedFault| matches!(fault.fault, Fault::Suspend { .. });
            assert!(!(plan.faults.iter().any(slews) && plan.faults.iter().any(suspends)));
        }
    }
}
