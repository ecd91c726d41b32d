use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use super::{Invariant, Overlaps, overlaps::Meter};
use crate::TrueTime;
use crate::trace::{Record, What};

/// S1: at every moment of true time at most one node says "I lead" by its own clock, or has work running.
///
/// A node says so from `Leads` until the moment that this told, until `LeadsNot`, or until its process is gone. Work runs from
/// `WorkBegan` to `WorkEnded`, but not while its process is frozen or gone. Nothing of this changes but at a record, or at a moment that
/// a record told before, so that looking at records looks at every moment.
///
/// Not claimed, but measured, is what [`Assumptions`] takes out: work from a thaw after its deadline on, what a virtual machine
/// believes from before its freeze, and everything once a clock ran wild, a missing lock was taken at once, or a session was taken away.
#[derive(Clone, Debug)]
pub(super) struct SingleLeader {
    meter: Meter,
}

impl SingleLeader {
    pub(super) fn new() -> Self {
        Self {
            meter: Meter::new(),
        }
    }

    pub(super) fn overlaps(&self) -> Overlaps {
        self.meter.found()
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Leads { .. }
                | What::LeadsNot { .. }
                | What::WorkBegan { .. }
                | What::WorkEnded { .. }
                | What::Frozen { .. }
                | What::Thawed
                | What::Up { .. }
                | What::Down { .. }
                | What::End
        )
    }

    pub(super) fn see(
        &mut self,
        scene: &Scene,
        assumptions: &Assumptions,
        record: &Record,
        findings: &mut Findings,
    ) {
        self.meter.see(scene, record.at);
        if assumptions.is_unclaimed() {
            return;
        }
        let Some(index) = scene.index(record) else {
            return;
        };
        let at = record.at;
        if !assumptions.claims(scene, index, at) {
            return;
        }
        let others = 0..scene.nodes.len();
        let other = others
            .filter(|other| *other != index)
            .find(|other| assumptions.claims(scene, *other, at));
        if let Some(other) = other {
            findings.accuse(at, Invariant::SingleLeader, || {
                let first = describe(scene, index, at);
                let second = describe(scene, other, at);
                format!("two lead: {first}; {second}")
            });
        }
    }
}

/// How a node leads, for people.
fn describe(scene: &Scene, index: usize, at: TrueTime) -> String {
    let node = &scene.nodes[index];
    let believes = node.belief.filter(|belief| at < belief.until);
    match (believes, node.work) {
        (Some(belief), _) if belief.until == TrueTime::END => {
            format!("n{index} says that it leads, with token {}", belief.token)
        }
        (Some(belief), _) => format!(
            "n{index} by its own clock, with token {}, until {}",
            belief.token, belief.until
        ),
        (None, Some(work)) => format!("n{index} has work running, with token {}", work.token),
        (None, None) => format!("n{index}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::invariants::history::History;
    use crate::invariants::{Assumption, Jury};
    use crate::plan::Backend;
    use crate::trace::{Deed, Frozen, WorkEnd};

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::SingleLeader)
    }

    #[test]
    fn one_after_the_other_is_one_leader() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(4_000, 0);
        history.call(4_000, 0, crate::trace::Operation::Release, Deed::Released);
        history.elects(4_003, 1);
        assert_eq!(history.broken(), []);
        assert_eq!(history.judged().overlaps(), Overlaps::default());
    }

    #[test]
    fn a_second_belief_within_the_first_one_is_found_and_measured() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).elects(5_000, 1).stops(7_000, 1);
        assert!(breaks(&history));
        // The first one's work ran all the time.
        assert_eq!(
            history.judged().overlaps().total,
            Duration::from_millis(1_998)
        );
    }

    #[test]
    fn work_that_runs_on_counts_until_it_has_ended() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(2_000, 0, What::LeadsNot { token });
        history.elects(2_100, 1);
        assert!(breaks(&history));
    }

    #[test]
    fn a_dead_process_and_a_frozen_ones_work_lead_no_more() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.at(
            2_000,
            0,
            What::Down {
                how: crate::trace::Down::Crashed,
            },
        );
        history.elects(8_000, 1);
        history.at(
            8_500,
            1,
            What::Frozen {
                by: Frozen::Stopped,
            },
        );
        history.elects(16_000, 2);
        assert!(!breaks(&history));
    }

    #[test]
    fn work_that_was_frozen_past_its_deadline_is_measured_and_not_claimed() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(
            2_000,
            0,
            What::Frozen {
                by: Frozen::Stopped,
            },
        );
        history.elects(12_000, 1);
        history.at(13_000, 0, What::Thawed);
        let how = WorkEnd::Returned;
        history.at(13_250, 0, What::WorkEnded { how, token });
        let jury: Jury = history.judged();
        assert!(!breaks(&history), "{:?}", jury.breaches());
        assert_eq!(jury.overlaps().total, Duration::from_millis(250));
        assert_eq!(jury.overlaps().count, 1);
        assert!(jury.assumptions().broken(Assumption::WorkRuns).is_some());
    }

    #[test]
    fn what_a_frozen_process_believes_is_claimed_all_the_same() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.at(
            2_000,
            0,
            What::Frozen {
                by: Frozen::Stopped,
            },
        );
        history.elects(5_000, 1);
        assert!(breaks(&history));
    }

    #[test]
    fn nothing_is_claimed_once_a_clock_ran_wild_and_what_overlaps_is_measured() {
        let mut history = History::of(Backend::Lease);
        let (rate_ppm, slew_ppm) = (-150_000, 0);
        history.at(0, 0, What::Clock { rate_ppm, slew_ppm });
        history.elects(1_000, 0).elects(5_000, 1).stops(7_000, 1);
        assert!(!breaks(&history));
        assert_eq!(
            history.judged().overlaps().total,
            Duration::from_millis(1_998)
        );
    }
}
