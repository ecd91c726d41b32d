use super::{Breach, Invariant};
use crate::TrueTime;
use crate::plan::{Fault, Plan};
use crate::run::Outcome;

/// S11: wall clocks decide nothing. The same plan, with all wall clocks right and never set, gives the same leaderships at the same
/// moments.
///
/// Compared are the moments of all that is told about who leads and whose work runs, and where; not the tokens, since a lock file that
/// was never held starts counting at the wall clock. Cron jobs are left out on both sides: their fires are due by the wall clock.
pub fn wall_clock_irrelevance(plan: &Plan, run: impl Fn(&Plan) -> Outcome) -> Option<Breach> {
    let mut stepped = plan.clone();
    stepped.cron = None;
    let mut plain = stepped.clone();
    for node in &mut plain.nodes {
        node.wall_s = 1_700_000_000;
    }
    for fault in &mut plain.faults {
        // It stays where it is, so that nothing else moves.
        if let Fault::StepWall { by_s, .. } = &mut fault.what {
            *by_s = 0;
        }
    }
    let (one, other) = (run(&stepped), run(&plain));
    if one.jury.leaderships() == other.jury.leaderships() {
        return None;
    }
    let (one, other) = (one.jury.leaderships(), other.jury.leaderships());
    Some(Breach {
        at: TrueTime::START,
        invariant: Invariant::WallClockIrrelevance,
        what: format!("leaderships differ when wall clocks do: {one} and {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::TraceHash;

    fn outcome(history: &History) -> Outcome {
        Outcome {
            events: 0,
            hash: TraceHash::EMPTY,
            jury: history.judged(),
            records: Vec::new(),
        }
    }

    fn elected_at(ms: u64) -> Outcome {
        let mut history = History::of(Backend::Lease);
        history.elects(ms, 0);
        outcome(&history)
    }

    #[test]
    fn the_same_leaderships_whatever_the_wall_clocks_show_pass() {
        let plan = Plan::generate(1, Backend::Lease);
        assert_eq!(wall_clock_irrelevance(&plan, |_| elected_at(1_000)), None);
    }

    #[test]
    fn leaderships_that_move_with_the_wall_clock_are_found() {
        let plan = Plan::generate(1, Backend::Lease);
        let run = |plan: &Plan| elected_at(plan.nodes[0].wall_s % 1_000);
        let breach = wall_clock_irrelevance(&plan, run).unwrap();
        assert_eq!(breach.invariant, Invariant::WallClockIrrelevance);
    }
}
