use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant, NodeFacts};
use crate::TrueTime;
use crate::trace::{Ask, Record, What};

/// L8: shutting down ends within a bound, also when the backend hangs.
///
/// The bound: a call under way may time out, the work may drain, then stop, the release is tried for three request timeouts, and the
/// withdrawal for one; by clocks that are slow by ρ, and timers that are slewed by a tenth on top. Once no work runs, only the calls are
/// left. A process that is frozen or starved has this long from when it runs again.
#[derive(Clone, Debug)]
pub(super) struct Shutdown {
    nodes: Vec<End>,
    next: TrueTime,
}

#[derive(Clone, Copy, Debug)]
struct End {
    /// With work that has to end first.
    takes: u64,
    /// With no work.
    calls: u64,
    due: TrueTime,
}

impl Shutdown {
    pub(super) fn new(facts: &Facts) -> Self {
        let end = |node: &NodeFacts| {
            let calls = node.request_timeout.get().saturating_mul(5);
            let calls = calls.saturating_add(node.retry.get());
            let stops = node.drain_timeout.saturating_add(node.stop_timeout).get();
            End {
                takes: node.at_most_in_true_time(calls.saturating_add(stops)),
                calls: node.at_most_in_true_time(calls),
                due: TrueTime::END,
            }
        };
        Self {
            nodes: facts.nodes.iter().map(end).collect(),
            next: TrueTime::END,
        }
    }

    pub(super) fn is_due(&self, at: TrueTime) -> bool {
        at > self.next
    }

    pub(super) fn settle(
        &mut self,
        scene: &Scene,
        assumptions: &Assumptions,
        at: TrueTime,
        findings: &mut Findings,
    ) {
        for (index, end) in self.nodes.iter_mut().enumerate() {
            if at <= end.due {
                continue;
            }
            let due = std::mem::replace(&mut end.due, TrueTime::END);
            let frozen = scene.nodes[index].frozen.is_some();
            let excused = frozen || assumptions.is_held_up(index, due);
            if !excused && assumptions.clocks_are_good() {
                findings.accuse(due, Invariant::Shutdown, || {
                    format!("n{index} was told to end long ago, and still runs")
                });
            }
        }
        self.find_next();
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Asked { .. }
                | What::Thawed
                | What::WorkEnded { .. }
                | What::ShutDown
                | What::Down { .. }
                | What::Up { .. }
        )
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let (node, end) = (&scene.nodes[index], &mut self.nodes[index]);
        let takes = if node.work.is_some() {
            end.takes
        } else {
            end.calls
        };
        let due = TrueTime::from_nanos(record.at.nanos().saturating_add(takes));
        match record.what {
            What::Asked { ask: Ask::ShutDown } => end.due = end.due.min(due),
            What::WorkEnded { .. } if end.due < TrueTime::END => end.due = end.due.min(due),
            What::Thawed if node.ending_since.is_some() => end.due = due,
            What::ShutDown | What::Down { .. } | What::Up { .. } => end.due = TrueTime::END,
            _ => {}
        }
        self.find_next();
    }

    fn find_next(&mut self) {
        let due = self.nodes.iter().map(|end| end.due).min();
        self.next = due.unwrap_or(TrueTime::END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::{Down, WorkEnd};

    #[test]
    fn an_end_within_the_drain_and_a_handful_of_calls_passes() {
        let mut history = History::of(Backend::Lease);
        history.at(500, 0, What::WorkBegan { token: 1 });
        history.at(1_000, 0, What::Asked { ask: Ask::ShutDown });
        history.at(35_000, 0, What::ShutDown);
        history.at(35_000, 0, What::Down { how: Down::Ended });
        history.world(90_000, What::End);
        assert_eq!(history.broken(), []);
    }

    #[test]
    fn once_the_work_has_ended_only_calls_are_waited_for() {
        let ends = |ms| {
            let mut history = History::of(Backend::Lease);
            history.at(500, 0, What::WorkBegan { token: 1 });
            history.at(1_000, 0, What::Asked { ask: Ask::ShutDown });
            let how = WorkEnd::Returned;
            history.at(2_000, 0, What::WorkEnded { how, token: 1 });
            history.at(ms, 0, What::ShutDown);
            history.at(ms, 0, What::Down { how: Down::Ended });
            history.world(90_000, What::End);
            history.broken().contains(&Invariant::Shutdown)
        };
        assert!(!ends(5_000) && ends(20_000));
    }

    #[test]
    fn a_candidate_that_does_not_end_is_found() {
        let mut history = History::of(Backend::Lease);
        history.at(1_000, 0, What::Asked { ask: Ask::ShutDown });
        history.world(90_000, What::End);
        assert_eq!(history.broken(), [Invariant::Shutdown]);
    }
}
