use super::Invariant;
use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use crate::plan::Backend;
use crate::trace::{Deed, Record, What};

/// S5: while a node leads, the store grants the lock that it holds to nobody else, nor lets the next in a queue have it.
///
/// Earlier than S1: a claim that is granted too early is a breach also when its leadership begins late enough. A lock that a stranger
/// has taken from its holder is not held by it any more: it is claimed at once, and led only after the wait. To take a lock file takes
/// several steps, and a stranger may remove it between them.
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
        let sent = scene.nodes[index].last_belief.map(|belief| belief.sent);
        let removed = scene.facts.backend == Backend::File
            && scene.disturbed_at.is_some()
            && sent <= scene.disturbed_at;
        let claims = assumptions.claims(scene, index, record.at);
        if !assumptions.is_unclaimed() && claims && !removed {
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
    use crate::plan::Foreign;
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
    fn a_lock_file_may_be_removed_while_it_is_taken_but_a_record_is_written_at_once() {
        for backend in [Backend::File, Backend::Lease] {
            let mut history = History::of(backend);
            history.write(1_001, None, Deed::Foreign(Foreign::Delete));
            history.call(1_000, 0, Operation::Acquire, Deed::Acquired);
            history.leads(1_003, 0, 1_000, 6_000);
            history.call(1_100, 1, Operation::Acquire, Deed::Acquired);
            assert_eq!(breaks(&history), backend == Backend::Lease);
        }
    }

    #[test]
    fn a_takeover_under_a_leader_is_found_before_it_leads() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.call(4_000, 1, Operation::Acquire, Deed::Acquired);
        assert_eq!(history.broken(), [Invariant::HolderContinuity]);
    }
}
