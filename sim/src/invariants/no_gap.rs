use super::Invariant;
use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use crate::TrueTime;
use crate::trace::{Record, What};

/// L2: in the quiet time no leadership ends by its deadline: renewals come in time, and there is no gap.
///
/// Judged of leaderships that the store granted in the quiet time: of one from before, too little may be left to renew it.
#[derive(Clone, Debug)]
pub(super) struct NoGap {
    /// Whose leadership began in the quiet time, and until when it lasts as things are.
    settled: Option<(usize, TrueTime)>,
}

impl NoGap {
    pub(super) fn new() -> Self {
        Self { settled: None }
    }

    pub(super) fn is_due(&self, at: TrueTime) -> bool {
        self.settled.is_some_and(|(_, until)| at >= until)
    }

    pub(super) fn settle(&mut self, assumptions: &Assumptions, findings: &mut Findings) {
        if let Some((index, until)) = self.settled.take()
            && assumptions.clocks_are_good()
        {
            findings.accuse(until, Invariant::NoGap, || {
                format!("n{index} led since everything is healed, and its deadline passed")
            });
        }
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        let (Some(quiet), Some(index)) = (scene.settled_since(), scene.index(record)) else {
            return;
        };
        let node = &scene.nodes[index];
        let granted = node.granted.filter(|(_, at)| *at > quiet);
        if let (Some(belief), Some(_)) = (node.belief, granted) {
            self.settled = Some((index, belief.until));
        } else if self.settled.is_some_and(|(settled, _)| settled == index) {
            self.settled = None;
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Leads { .. } | What::LeadsNot { .. } | What::Up { .. } | What::Down { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::{Deed, Operation};

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::NoGap)
    }

    #[test]
    fn a_leader_that_renews_in_time_passes() {
        let mut history = History::of(Backend::Lease);
        history.world(100_000, What::Quiet).elects(101_000, 0);
        history.call(104_000, 0, Operation::Renew, Deed::Renewed);
        history.leads(104_002, 0, 104_000, 109_000);
        history.world(108_000, What::End);
        assert!(!breaks(&history));
    }

    #[test]
    fn a_deadline_that_passes_in_the_quiet_time_is_found() {
        let mut history = History::of(Backend::Lease);
        history.world(100_000, What::Quiet).elects(101_000, 0);
        history.world(106_001, What::End);
        assert!(breaks(&history));
    }
}
