use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant, NodeFacts};
use crate::TrueTime;
use crate::trace::{Record, What};

/// L7: nothing panics, and nothing is stuck: a call is answered or given up within its timeout, also when the backend hangs.
///
/// Timers run on clocks that may be slewed by a tenth on top of ρ. A process that is frozen or starved gives up when it can.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    nodes: Vec<Call>,
    next: TrueTime,
}

/// The call that is under way, and when it should be over.
#[derive(Clone, Copy, Debug)]
struct Call {
    takes: u64,
    due: TrueTime,
}

/// Ten milliseconds, for whoever is a little late.
const MOMENT: u64 = 10_000_000;

impl Progress {
    pub(super) fn new(facts: &Facts) -> Self {
        let call = |node: &NodeFacts| Call {
            takes: node.at_most_in_true_time(node.request_timeout.get()) + MOMENT,
            due: TrueTime::END,
        };
        Self {
            nodes: facts.nodes.iter().map(call).collect(),
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
        for (index, call) in self.nodes.iter_mut().enumerate() {
            if at <= call.due {
                continue;
            }
            let due = std::mem::replace(&mut call.due, TrueTime::END);
            let waits = scene.nodes[index].pending.is_some();
            let frozen = scene.nodes[index].frozen.is_some();
            let excused = frozen || assumptions.is_held_up(index, due);
            if waits && !excused && assumptions.clocks_are_good() {
                findings.accuse(due, Invariant::Progress, || {
                    format!("a call of n{index} is neither answered nor given up")
                });
            }
        }
        self.find_next();
    }

    /// A call was sent, or its node runs again.
    pub(super) fn expect(&mut self, scene: &Scene, record: &Record) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let call = &mut self.nodes[index];
        let was_next = call.due == self.next;
        call.due = TrueTime::from_nanos(record.at.nanos().saturating_add(call.takes));
        // Most calls are answered soon: the end of the one that was next is looked up, not the ends of all.
        if was_next {
            self.find_next();
        } else {
            self.next = self.next.min(call.due);
        }
    }

    pub(super) fn panicked(record: &Record, findings: &mut Findings) {
        findings.accuse(record.at, Invariant::Progress, || match record.node {
            Some(node) => format!("{node} panicked"),
            None => "the run panicked".to_owned(),
        });
    }

    fn find_next(&mut self) {
        let due = self.nodes.iter().map(|call| call.due).min();
        self.next = due.unwrap_or(TrueTime::END);
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(what, What::Sent { .. } | What::Thawed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::{Deed, Frozen, Operation, RequestId};

    fn asks(history: &mut History, ms: u64) {
        let (request, operation, basis) = (RequestId(99), Operation::Observe, None);
        history.at(
            ms,
            0,
            What::Sent {
                request,
                operation,
                basis,
            },
        );
    }

    #[test]
    fn a_run_in_which_calls_end_passes() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.call(3_000, 0, Operation::Renew, Deed::Renewed);
        asks(&mut history, 4_000);
        history.at(
            5_010,
            0,
            What::Abandoned {
                request: RequestId(99),
            },
        );
        history.stops(5_500, 0).world(20_000, What::End);
        assert_eq!(history.broken(), []);
    }

    #[test]
    fn a_panic_is_found() {
        let mut history = History::of(Backend::Lease);
        history.at(1_000, 0, What::Panicked);
        assert_eq!(history.broken(), [Invariant::Progress]);
    }

    #[test]
    fn a_call_without_end_is_found_unless_its_process_is_frozen() {
        for frozen in [false, true] {
            let mut history = History::of(Backend::Lease);
            asks(&mut history, 4_000);
            if frozen {
                history.at(
                    4_500,
                    0,
                    What::Frozen {
                        by: Frozen::Stopped,
                    },
                );
            }
            history.world(20_000, What::End);
            assert_eq!(history.broken().contains(&Invariant::Progress), !frozen);
        }
    }
}
