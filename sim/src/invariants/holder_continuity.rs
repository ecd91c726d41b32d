use super::Invariant;
use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use crate::trace::{Deed, Record, What};

/// S5: while a node leads, the store grants the lock that it holds to nobody else, nor lets the next in a queue have it.
///
/// Earlier than S1: a claim that is granted too early is a breach also when its leadership begins late enough. A lock that a stranger
/// has taken from its holder is not held by it any more: it is claimed at once, and led only after the wait.
#[derive(Debug)]
pub(super) enum HolderContinuity {}

impl HolderContinuity {
    pub(super) fn see(
        scene: &Scene,
        assumptions: &Assumptions,
        record: &Record,
        findings: &mut Findings,
    ) {
        let What::Wrote {
            deed: Deed::Acquired | Deed::Expired,
            holder: Some(taker),
            ..
        } = record.what
        else {
            return;
        };
        let Some(held_by) = scene.lock_before.holder.filter(|life| *life != taker) else {
            return;
        };
        let Some(index) = scene.node_of(held_by) else {
            return;
        };
        if !assumptions.is_unclaimed() && assumptions.claims(scene, index, record.at) {
            findings.accuse(record.at, Invariant::HolderContinuity, || {
                format!(
                    "the lock was granted to life {} while n{index} leads",
                    taker.0
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::{Backend, Foreign};
    use crate::trace::Operation;

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::HolderContinuity)
    }

    #[test]
    fn a_takeover_after_the_end_and_a_claim_of_what_a_stranger_took_pass() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(6_000, 0);
        history.elects(8_000, 1);
        history.write(9_000, None, Deed::Foreign(Foreign::Delete));
        history.call(9_100, 2, Operation::Acquire, Deed::Acquired);
        assert!(!breaks(&history));
    }

    #[test]
    fn a_takeover_under_a_leader_is_found_before_it_leads() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.call(4_000, 1, Operation::Acquire, Deed::Acquired);
        assert_eq!(history.broken(), [Invariant::HolderContinuity]);
    }
}
