use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant, NodeFacts};
use crate::TrueTime;
use crate::trace::{Ask, Record, What};

/// L8: shutting down ends within a bound, also when the backend hangs.
///
/// The bound: a call under way may time out, the work may drain, then stop, the release is tried for three request timeouts, and the
/// withdrawal for one; by clocks that are slow by ρ, and timers that are slewed by a tenth on top. A process that is frozen or starved
/// has this long from when it runs again.
#[derive(Clone, Debug)]
pub(super) struct Shutdown {
    nodes: Vec<End>,
    next: TrueTime,
}

#[derive(Clone, Copy, Debug)]
struct End {
    takes: u64,
    due: TrueTime,
}

impl Shutdown {
    pub(super) fn new(facts: &Facts) -> Self {
        let end = |node: &NodeFacts| {
            let calls = node.request_timeout.get().saturating_mul(5);
            let stops = node.drain_timeout.saturating_add(node.stop_timeout).get();
            let takes = calls.saturating_add(stops).saturating_add(node.retry.get());
            let slewed = takes.saturating_add(takes / 9);
            let late = slewed / 1_000_000 * u64::from(node.drift_ppm);
            End {
                takes: slewed.saturating_add(late),
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
                | What::ShutDown
                | What::Down { .. }
                | What::Up { .. }
        )
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let end = &mut self.nodes[index];
        let due = TrueTime::from_nanos(record.at.nanos().saturating_add(end.takes));
        match record.what {
            What::Asked { ask: Ask::ShutDown } => end.due = end.due.min(due),
            What::Thawed if scene.nodes[index].ending_since.is_some() => end.due = due,
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
    use crate::trace::Down;

    #[test]
    fn an_end_within_the_drain_and_a_handful_of_calls_passes() {
        let mut history = History::of(Backend::Lease);
        history.at(1_000, 0, What::Asked { ask: Ask::ShutDown });
        history.at(35_000, 0, What::ShutDown);
        history.at(35_000, 0, What::Down { how: Down::Ended });
        history.world(90_000, What::End);
        assert_eq!(history.broken(), []);
    }

    #[test]
    fn a_candidate_that_does_not_end_is_found() {
        let mut history = History::of(Backend::Lease);
        history.at(1_000, 0, What::Asked { ask: Ask::ShutDown });
        history.world(90_000, What::End);
        assert_eq!(history.broken(), [Invariant::Shutdown]);
    }
}
