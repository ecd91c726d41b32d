use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::TrueTime;
use crate::plan::Fault;
use crate::trace::{Operation, Record, RequestId, What};

/// L6: no candidate sends more calls than it may, whatever the store answers: there is no herd and no tight loop.
///
/// In each renew interval a candidate may send a call for each third of a retry interval (what fails is tried again after a half to a
/// whole one, and the first refusal may be followed up at once), and besides four for each change of the lock or its members (a hint, a
/// read, a claim, and a read of the members), for each note that it writes, and for each start. Where a link holds back what it carries,
/// word of many changes may come at once. Nothing below the candidate repeats a call by itself.
#[derive(Clone, Debug)]
pub(super) struct Load {
    nodes: Vec<Window>,
    /// How many changes there were so far.
    changes: u32,
    /// Whether word of changes may come at any time later.
    late_word: bool,
    /// How often one call may arrive at the store.
    landings_most: u32,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    length: u64,
    most: u32,
    since: TrueTime,
    sent: u32,
    allowed: u32,
    changes_before: u32,
}

const PER_CHANGE: u32 = 4;
/// Of how many changes there may be word at once, where links hold it back.
const LATE_MOST: u32 = 64;

/// A watch that fails is opened again at most so often once it has failed for a while, and a candidate looks after its end and after its
/// opening, however long leases are.
const REOPENED_EVERY_NANOS: u64 = 25_000_000_000;
/// A call is one attempt: perhaps a read of what it is to be an edit of, and a write.
const LANDINGS_MOST: u32 = 2;

/// In a queue of nodes a call is several requests, and a claim has arrived again when it is found to stand.
const QUEUED_LANDINGS_MOST: u32 = 16;

fn repeats(fault: &Fault) -> bool {
    matches!(fault, Fault::Duplicate { .. })
}

fn holds_back(fault: &Fault) -> bool {
    matches!(fault, Fault::Slow { .. } | Fault::Delay { .. })
}

impl Load {
    pub(super) fn new(facts: &Facts) -> Self {
        let windows = facts.nodes.iter().map(|node| {
            let renew = node.renew.get();
            let calls = renew * 3 / node.retry.get().max(1) + 2 * (renew / REOPENED_EVERY_NANOS);
            let most = u32::try_from(calls).unwrap_or(u32::MAX).saturating_add(8);
            Window {
                length: node.renew.get(),
                most,
                since: TrueTime::START,
                sent: 0,
                allowed: most,
                changes_before: 0,
            }
        });
        Self {
            nodes: windows.collect(),
            changes: 0,
            late_word: facts.faults.iter().any(holds_back),
            landings_most: if facts.nodes_in_a_queue {
                QUEUED_LANDINGS_MOST
            } else if facts.faults.iter().any(repeats) {
                2 * LANDINGS_MOST
            } else {
                LANDINGS_MOST
            },
        }
    }

    /// A request has arrived at the store, perhaps one of several of its call.
    pub(super) fn landed(
        &self,
        scene: &Scene,
        record: &Record,
        id: RequestId,
        findings: &mut Findings,
    ) {
        let Some(request) = scene.request(id) else {
            return;
        };
        let (landings, most) = (request.landings, self.landings_most);
        if landings > most {
            let operation = request.operation;
            findings.accuse(record.at, Invariant::Load, || {
                format!("one {operation:?} has arrived {landings} times, of at most {most}")
            });
        }
    }

    /// Something changed that candidates may look at.
    pub(super) fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    pub(super) fn sent(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        // A session gives its signs of life beside the calls, as often as its timeout asks for.
        if let What::Sent { operation, .. } = record.what
            && operation == Operation::Beat
        {
            return;
        }
        let Some(index) = scene.index(record) else {
            return;
        };
        let changes = self.changes;
        let window = &mut self.nodes[index];
        if record.at.nanos() - window.since.nanos() >= window.length {
            // A change just before may be looked at just now.
            let before = if self.late_word {
                changes.min(LATE_MOST)
            } else {
                changes.wrapping_sub(window.changes_before).min(8)
            };
            window.since = record.at;
            window.sent = 0;
            window.allowed = window.most + PER_CHANGE * before;
            window.changes_before = changes;
        }
        window.sent += 1;
        let more = changes.wrapping_sub(window.changes_before);
        let allowed = window
            .allowed
            .saturating_add(more.saturating_mul(PER_CHANGE));
        if window.sent > allowed {
            let (sent, since) = (window.sent, window.since);
            findings.accuse(record.at, Invariant::Load, || {
                format!("n{index} has sent {sent} calls since {since}, of at most {allowed}")
            });
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Wrote { .. }
                | What::NoteWanted { .. }
                | What::Fire { .. }
                | What::Up { .. }
                | What::Down { .. }
                | What::SessionEnded { .. }
                | What::Sent {
                    operation: Operation::Enlist | Operation::Withdraw,
                    ..
                }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    fn asks(every_ms: u64) -> Vec<Invariant> {
        let mut history = History::of(Backend::Lease);
        for call in 0..500_u32 {
            let (request, operation, basis) = (RequestId(call), Operation::Observe, None);
            let at = 10_000 + u64::from(call) * every_ms;
            history.at(
                at,
                0,
                What::Sent {
                    request,
                    operation,
                    basis,
                },
            );
        }
        history.broken()
    }

    #[test]
    fn a_call_every_half_retry_interval_passes() {
        assert_eq!(asks(200), []);
    }

    #[test]
    fn a_call_that_somebody_below_repeats_is_found() {
        let mut history = History::of(Backend::Lease);
        let (request, operation, basis) = (RequestId(1), Operation::Observe, None);
        let what = What::Sent {
            request,
            operation,
            basis,
        };
        history.at(10_000, 0, what);
        let zombie = false;
        for landing in 1..=2 {
            history.at(10_000 + landing, 0, What::Landed { request, zombie });
        }
        assert_eq!(history.broken(), []);
        history.at(10_003, 0, What::Landed { request, zombie });
        assert_eq!(history.broken(), [Invariant::Load]);
    }

    #[test]
    fn a_tight_loop_is_found() {
        assert_eq!(asks(10), [Invariant::Load]);
    }
}
