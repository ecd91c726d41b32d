use super::Invariant;
use super::bounds::Bounds;
use super::findings::Findings;
use super::scene::Scene;
use crate::TrueTime;
use crate::plan::Backend;
use crate::trace::{Deed, Record, What};

/// L3: in the quiet time, when the lock has been given back, another candidate leads within a poll and three calls.
///
/// A poll is one and a half renew intervals, for who is told nothing; a session's claim has to be proven on top. It is not judged where
/// no other candidate may try at once (it lets others go first after its own work ended, or is asked not to), nor after a stranger took
/// the lock from its holder, which makes every vacancy one that nobody explains: for two waits, and where a store has to vouch for the
/// end of former holders, until somebody has held the lock for two and a half leases.
#[derive(Clone, Debug)]
pub(super) struct Handover {
    bounds: Bounds,
    released_at: TrueTime,
    due: TrueTime,
}

impl Handover {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            bounds: *bounds,
            released_at: TrueTime::START,
            due: TrueTime::END,
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Wrote { .. }
                | What::Leads { .. }
                | What::Asked { .. }
                | What::Up { .. }
                | What::Down { .. }
                | What::End
        )
    }

    pub(super) fn is_due(&self, at: TrueTime) -> bool {
        at > self.due
    }

    pub(super) fn settle(&mut self, findings: &mut Findings) {
        let since = self.released_at;
        findings.accuse(self.due, Invariant::Handover, || {
            format!("the lock was given back at {since}, and nobody leads yet")
        });
        self.due = TrueTime::END;
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        match record.what {
            What::Wrote {
                deed: Deed::Released,
                holder: None,
                ..
            } => self.released(scene, record),
            What::Leads { .. } if scene.begins => self.due = TrueTime::END,
            // Who was counted on may not try any more, and another grant is another wait.
            What::Asked { .. } | What::Down { .. } | What::Up { .. } | What::End => {
                self.due = TrueTime::END;
            }
            What::Wrote {
                deed: Deed::Foreign(_) | Deed::Requested,
                ..
            } => self.due = TrueTime::END,
            // The claim of somebody who has died since has to be waited out like a leader that died.
            What::Wrote {
                holder: Some(life), ..
            } if scene.node_of(life).is_none() => self.due = TrueTime::END,
            // So does that of a session that its candidate has given up.
            What::Wrote {
                deed: Deed::Acquired,
                ..
            } if scene.facts.backend == Backend::Session && scene.is_by_zombie(record) => {
                self.due = TrueTime::END;
            }
            _ => {}
        }
    }

    fn released(&mut self, scene: &Scene, record: &Record) {
        let at = record.at;
        if scene.quiet_since.is_none_or(|quiet| at <= quiet) || self.is_doubted(scene, at) {
            return;
        }
        let by = scene
            .cause(record)
            .map(|request| usize::from(request.node.0));
        let may_try = |(index, node): (usize, &super::scene::Node)| {
            let waits = node.gave_way_at.is_some_and(|gave_way| {
                at.nanos() <= gave_way.nanos().saturating_add(self.bounds.give_way)
            });
            Some(index) != by && node.is_able() && !waits
        };
        if scene.nodes.iter().enumerate().any(may_try) {
            self.released_at = at;
            let due = at.nanos().saturating_add(self.bounds.handover);
            self.due = TrueTime::from_nanos(due);
        }
    }

    fn is_doubted(&self, scene: &Scene, at: TrueTime) -> bool {
        scene.doubt.is_there()
            || scene.disturbed_at.is_some_and(|disturbed| {
                let over = disturbed.nanos().saturating_add(4 * self.bounds.probation);
                at.nanos() <= over
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Foreign;
    use crate::trace::{Down, Life, Operation, RequestId};

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::Handover)
    }

    fn released() -> History {
        let mut history = History::of(Backend::Lease);
        history.elects(99_000, 0).world(100_000, What::Quiet);
        history.stops(101_000, 0);
        history.call(101_000, 0, Operation::Release, Deed::Released);
        history
    }

    #[test]
    fn another_leader_soon_after_a_release_passes() {
        let mut history = released();
        history.elects(102_000, 1).world(120_000, What::End);
        assert!(!breaks(&history));
    }

    /// Somebody deletes the lock file; whoever leads next renews at this time, and gives it back at 130 s.
    fn deleted_and_renewed(renewed_ms: u64) -> History {
        let mut history = History::of(Backend::File);
        history.elects(1_000, 0).world(100_000, What::Quiet);
        history.write(101_000, None, Deed::Foreign(Foreign::Delete));
        history.stops(101_500, 0).elects(102_000, 1);
        history.call(renewed_ms, 1, Operation::Renew, Deed::Renewed);
        history.stops(130_000, 1);
        history.call(130_000, 1, Operation::Release, Deed::Released);
        history.elects(145_000, 0);
        history
    }

    #[test]
    fn a_store_vouches_again_once_somebody_has_held_the_lock_for_long() {
        assert!(!breaks(&deleted_and_renewed(110_000)));
        assert!(breaks(&deleted_and_renewed(120_000)));
    }

    #[test]
    fn a_claim_of_the_dead_is_waited_out() {
        let mut history = released();
        history.at(101_002, 1, What::Down { how: Down::Crashed });
        history.passes(101_003, Deed::Acquired, Life(2));
        history.elects(120_000, 2);
        assert!(!breaks(&history));
    }

    /// A session's lock is given back and passes to a claim of another that lives, who leads after a minute.
    fn passes_to_a_claim(zombie: bool) -> History {
        let mut history = History::of(Backend::Session);
        history.elects(98_000, 1).stops(98_500, 1);
        history.call(98_500, 1, Operation::Release, Deed::Released);
        history.elects(99_000, 0).world(100_000, What::Quiet);
        history.stops(101_000, 0);
        history.call(101_000, 0, Operation::Release, Deed::Released);
        let request = RequestId(99);
        history.at(101_002, 1, What::Landed { request, zombie });
        history.passes(101_002, Deed::Acquired, Life(2));
        history.elects(160_000, 1);
        history
    }

    #[test]
    fn the_claim_of_a_session_that_was_given_up_is_waited_out() {
        assert!(!breaks(&passes_to_a_claim(true)));
        assert!(breaks(&passes_to_a_claim(false)));
    }

    #[test]
    fn a_lock_that_was_given_back_and_nobody_takes_is_found() {
        let mut history = released();
        history.elects(112_000, 1);
        assert!(breaks(&history));
    }
}
