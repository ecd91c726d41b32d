use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::trace::{Operation, Record, Told, What};

/// L8 as well: who ends in good order leaves nothing behind. It has tried to give back the lock that it led with and that names it
/// still, and to end its membership.
///
/// Whether that arrives is not in its hands. A lock on which it has not led may have to age, and is not asked about.
#[derive(Clone, Debug)]
pub(super) struct LeaveTaking {
    nodes: Vec<Leaving>,
}

/// What a candidate owes.
#[derive(Clone, Copy, Default, Debug)]
struct Leaving {
    /// It may be a member.
    enlisted: bool,
    /// The token that it has led with, and has not tried to give back since.
    led: Option<u64>,
}

impl LeaveTaking {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            nodes: vec![Leaving::default(); facts.nodes.len()],
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Sent { .. }
                | What::Leads { .. }
                | What::Told { .. }
                | What::ShutDown
                | What::Up { .. }
                | What::Down { .. }
        )
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let leaving = &mut self.nodes[index];
        match record.what {
            What::Up { .. } | What::Down { .. } => *leaving = Leaving::default(),
            What::Leads { token, .. } => leaving.led = Some(token),
            // It has given up, after it could not even read what there is to give back.
            What::Told {
                event: Told::ReleaseFailed,
                ..
            } => leaving.led = None,
            What::Sent { operation, .. } => match operation {
                Operation::Enlist => leaving.enlisted = true,
                Operation::Release => leaving.led = None,
                Operation::Withdraw => leaving.enlisted = false,
                _ => {}
            },
            What::ShutDown => {
                let owes = std::mem::take(leaving);
                let life = scene.nodes[index].life;
                if owes.enlisted {
                    findings.accuse(record.at, Invariant::Shutdown, || {
                        format!("n{index} has ended, and has not tried to end its membership")
                    });
                }
                // What was granted since and never led on is another matter.
                let granted = scene.nodes[index].granted.map(|(token, _)| token);
                let led_on = owes.led.is_some() && owes.led == granted;
                // A record that a stranger has put back names whom it likes.
                let granted_at = scene.nodes[index].granted.map(|(_, at)| at);
                let led_on = led_on && scene.disturbed_at < granted_at;
                if led_on && life.is_some() && scene.lock.holder == life {
                    findings.accuse(record.at, Invariant::Shutdown, || {
                        format!("n{index} has ended, and has not tried to give the lock back")
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::{Deed, RequestId};

    fn sends(history: &mut History, ms: u64, operation: Operation) {
        let what = What::Sent {
            request: RequestId(1_000),
            operation,
            basis: None,
        };
        history.at(ms, 0, what);
    }

    #[test]
    fn who_gives_back_and_withdraws_passes() {
        let mut history = History::of(Backend::Lease);
        sends(&mut history, 500, Operation::Enlist);
        history.elects(1_000, 0).stops(2_000, 0);
        history.call(2_100, 0, Operation::Release, Deed::Released);
        sends(&mut history, 2_200, Operation::Withdraw);
        history.at(2_300, 0, What::ShutDown);
        assert!(!history.broken().contains(&Invariant::Shutdown));
    }

    #[test]
    fn who_stays_a_member_and_who_keeps_the_lock_are_found() {
        let mut history = History::of(Backend::Lease);
        sends(&mut history, 500, Operation::Enlist);
        history.at(2_300, 0, What::ShutDown);
        assert!(history.broken().contains(&Invariant::Shutdown));
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(2_000, 0);
        history.at(2_300, 0, What::ShutDown);
        assert!(history.broken().contains(&Invariant::Shutdown));
    }
}
