use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant, NodeFacts};
use crate::TrueTime;
use crate::trace::{Record, What};

/// S6: work is told to stop no later than its leadership's deadline, and has ended no later than the grace after it, also when the
/// backend hangs.
///
/// The grace is the stop timeout without the allowance for killing: nothing has to be killed in a simulation, so that whatever runs
/// for longer was ended too late. It counts from the end of the leadership, by deadline or `LeadsNot`, whichever is first. A process
/// that is frozen or starved when it should act is not to blame: then its work is no more claimed, and that is an assumption broken.
/// Nor is a starved process beyond all claims: its guard is none of it, and ends it with its work by the end of the stop timeout.
/// A moment is allowed for timers, which are not early below a millisecond.
#[derive(Clone, Debug)]
pub(super) struct StepDownDeadline {
    duties: Vec<Duty>,
    /// The earliest of all of them.
    next: TrueTime,
}

/// What a node has to have done, and by when.
#[derive(Clone, Copy, Debug)]
struct Duty {
    /// How long after its leadership work may run, in true time.
    grace: u64,
    /// How long after that the guard has ended a process that gets no time.
    kill: u64,
    /// When its leadership is over.
    over_at: TrueTime,
    /// Until when it would have lasted.
    deadline: TrueTime,
    tell_by: TrueTime,
    end_by: TrueTime,
    kill_by: TrueTime,
}

const MOMENT: u64 = 1_000_000;
/// How late a guard's thread may be run.
const KILL_LATE: u64 = 10_000_000;

impl StepDownDeadline {
    pub(super) fn new(facts: &Facts) -> Self {
        let duty = |node: &NodeFacts| {
            let grace = node.stop_timeout.saturating_sub(node.kill_allowance).get();
            let drift = grace / 1_000_000 * u64::from(node.drift_ppm);
            Duty {
                grace: grace + drift,
                kill: node.kill_allowance.get() + drift,
                over_at: TrueTime::END,
                deadline: TrueTime::END,
                tell_by: TrueTime::END,
                end_by: TrueTime::END,
                kill_by: TrueTime::END,
            }
        };
        Self {
            duties: facts.nodes.iter().map(duty).collect(),
            next: TrueTime::END,
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Leads { .. }
                | What::LeadsNot { .. }
                | What::WorkBegan { .. }
                | What::WorkTold { .. }
                | What::WorkEnded { .. }
                | What::Thawed
                | What::Up { .. }
                | What::Down { .. }
        )
    }

    /// Whether something should have been done by now.
    pub(super) fn is_due(&self, at: TrueTime) -> bool {
        at > self.next
    }

    /// Looks at what should have been done before this record.
    pub(super) fn settle(
        &mut self,
        scene: &Scene,
        assumptions: &mut Assumptions,
        at: TrueTime,
        findings: &mut Findings,
    ) {
        for (index, duty) in self.duties.iter_mut().enumerate() {
            let (untold, runs) = (at > duty.tell_by, at > duty.end_by);
            if at > duty.kill_by {
                let by = std::mem::replace(&mut duty.kill_by, TrueTime::END);
                if scene.nodes[index].works() && assumptions.clocks_are_good() {
                    findings.accuse(by, Invariant::StepDownDeadline, || {
                        format!("n{index} gets no time, and nobody ends its work")
                    });
                }
            }
            if !untold && !runs {
                continue;
            }
            let due = duty.tell_by.min(duty.end_by);
            (duty.tell_by, duty.end_by) = (TrueTime::END, TrueTime::END);
            let held_up = scene.nodes[index].frozen.is_some() || assumptions.is_held_up(index, due);
            if held_up {
                if assumptions.is_starved(index, due) {
                    // A guard knows only the deadline, also of a leadership that has ended before it.
                    duty.kill_by = later(duty.deadline, duty.grace + duty.kill + KILL_LATE);
                }
                assumptions.excuse_work(due, index);
            } else if !assumptions.clocks_are_good() {
                continue;
            } else if untold {
                findings.accuse(due, Invariant::StepDownDeadline, || {
                    format!("n{index} does not tell its work to stop at the deadline")
                });
            } else {
                findings.accuse(due, Invariant::StepDownDeadline, || {
                    format!("work of n{index} runs on for longer than the grace")
                });
            }
        }
        self.find_next();
    }

    pub(super) fn see(&mut self, scene: &Scene, assumptions: &Assumptions, record: &Record) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let (at, node, duty) = (record.at, &scene.nodes[index], &mut self.duties[index]);
        match record.what {
            What::Leads { until, .. } => {
                (duty.over_at, duty.deadline) = (until, until);
                duty.kill_by = TrueTime::END;
            }
            What::LeadsNot { .. } => duty.over_at = duty.over_at.min(at),
            What::WorkTold { .. } => {}
            _ => duty.kill_by = TrueTime::END,
        }
        (duty.tell_by, duty.end_by) = (TrueTime::END, TrueTime::END);
        let excused = assumptions.is_held_up(index, at);
        if let Some(work) = node.work.filter(|_| !excused) {
            if work.told.is_none() {
                duty.tell_by = later(duty.over_at, MOMENT);
            }
            duty.end_by = later(duty.over_at, duty.grace + MOMENT);
        }
        self.find_next();
    }

    fn find_next(&mut self) {
        let due = |duty: &Duty| duty.tell_by.min(duty.end_by).min(duty.kill_by);
        let due = self.duties.iter().map(due);
        self.next = due.min().unwrap_or(TrueTime::END);
    }
}

fn later(at: TrueTime, nanos: u64) -> TrueTime {
    TrueTime::from_nanos(at.nanos().saturating_add(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::{Backend, Fault, PlannedFault, Span, Who};
    use crate::trace::{Down, Frozen, WorkEnd};

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::StepDownDeadline)
    }

    #[test]
    fn work_that_is_told_at_the_deadline_and_ends_within_the_grace_passes() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(6_000, 0, What::WorkTold { token });
        let how = WorkEnd::Aborted;
        history.at(6_600, 0, What::WorkEnded { how, token });
        history.world(9_000, What::End);
        assert!(!breaks(&history));
    }

    #[test]
    fn work_that_is_not_told_at_the_deadline_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).world(6_002, What::End);
        assert!(breaks(&history));
    }

    #[test]
    fn work_that_is_ended_only_with_the_stop_timeout_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(6_000, 0, What::WorkTold { token });
        let how = WorkEnd::Aborted;
        history.at(6_800, 0, What::WorkEnded { how, token });
        assert!(breaks(&history));
    }

    #[test]
    fn a_leadership_that_ends_early_gives_its_work_no_more_than_the_grace() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(2_000, 0, What::LeadsNot { token });
        history.at(2_000, 0, What::WorkTold { token });
        history.world(3_000, What::End);
        assert!(breaks(&history));
    }

    fn starved() -> History {
        let mut history = History::of(Backend::Lease);
        history.plan.faults.push(PlannedFault {
            at: Span::from_secs(2),
            lasts: None,
            what: Fault::Starve {
                node: Who::Node(0),
                most: Span::from_secs(9),
            },
        });
        history.elects(1_000, 0);
        history.world(2_000, What::FaultBegan { fault: 0 });
        history
    }

    #[test]
    fn a_starved_process_is_not_to_blame_if_its_guard_ends_it() {
        let mut history = starved();
        history.world(6_010, What::Quiet);
        let how = Down::Crashed;
        history.at(6_750, 0, What::Down { how });
        history.world(9_000, What::End);
        assert!(!breaks(&history));
    }

    #[test]
    fn a_starved_process_that_nobody_ends_is_found() {
        let mut history = starved();
        history.world(6_010, What::Quiet).world(9_000, What::End);
        assert!(breaks(&history));
    }

    #[test]
    fn a_frozen_process_is_not_to_blame() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.at(
            5_000,
            0,
            What::Frozen {
                by: Frozen::Stopped,
            },
        );
        history.at(9_000, 0, What::Thawed);
        history.world(9_500, What::End);
        assert!(!breaks(&history));
    }
}
