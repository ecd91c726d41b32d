use super::Invariant;
use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::{Request, Scene};
use crate::TrueTime;
use crate::plan::Backend;
use crate::trace::{Operation, Record, What};

/// S4: a leadership begins only after the store has granted its token to this very candidate, and its deadline is counted from the
/// send of a write of this candidate that took effect, and is at most D after it.
///
/// D is counted by the node's own clock, so that true time may be D · (1 + ρ). A write has taken effect when it changed the lock
/// (leased), or reached the server (session). Of a lock file, whose writes are the kernel's, only the length is judged, and that the
/// store has granted the token where it says whom it grants.
#[derive(Clone, Default, Debug)]
pub(super) struct AckedStart {
    grants_are_told: bool,
}

impl AckedStart {
    pub(super) fn see(
        &mut self,
        scene: &Scene,
        assumptions: &Assumptions,
        record: &Record,
        findings: &mut Findings,
    ) {
        if let What::Wrote { .. } = record.what {
            self.grants_are_told = true;
        }
        let (What::Leads { token, sent, until }, Some(index)) = (record.what, scene.index(record))
        else {
            return;
        };
        let node = &scene.nodes[index];
        if scene.begins
            && self.grants_are_told
            && node.granted.map(|(granted, _)| granted) != Some(token)
        {
            findings.accuse(record.at, Invariant::AckedStart, || {
                let granted = node.granted;
                format!(
                    "n{index} begins to lead with token {token}; the store granted it {granted:?}"
                )
            });
        }
        let validity = scene.facts.nodes[index].validity.get();
        let drift = u64::from(scene.facts.nodes[index].drift_ppm);
        let longest = validity.saturating_add(validity / 1_000_000 * drift + 1_000_000);
        let lasts = until.nanos().saturating_sub(sent.nanos());
        // A clock that stands still makes no end.
        let stands_still = until == TrueTime::END || assumptions.is_held_up(index, record.at);
        // What was over before it is told says only that it is over.
        let lasts = if until <= record.at { 0 } else { lasts };
        if assumptions.clocks_are_good() && !stands_still && lasts > longest {
            findings.accuse(record.at, Invariant::AckedStart, || {
                format!(
                    "n{index} leads until {until}, {lasts} ns after its send, of at most {longest}"
                )
            });
        }
        if scene.facts.backend != Backend::File && node.frozen.is_none() {
            self.judge_send(scene, record, findings);
        }
    }

    fn judge_send(&self, scene: &Scene, record: &Record, findings: &mut Findings) {
        let (What::Leads { token, sent, .. }, Some(id)) = (record.what, record.node) else {
            return;
        };
        let node = &scene.nodes[usize::from(id.0)];
        let leased = scene.facts.backend == Backend::Lease;
        let took_effect = |request: &Request| {
            let own = request.node == id && request.life == node.life;
            let proves = matches!(
                request.operation,
                Operation::Acquire | Operation::Beat | Operation::Renew
            );
            own && proves && (request.wrote || (!leased && request.landed))
        };
        // So many others may have been sent since that nobody remembers what became of it.
        let excused = |id| scene.request(id).is_none_or(took_effect);
        if !node.sent_at(sent).any(excused) && !node.forgets(sent) {
            findings.accuse(record.at, Invariant::AckedStart, || {
                format!(
                    "{id} counts token {token} from {sent}, when it sent nothing that took effect"
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::trace::{Deed, RequestId};

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::AckedStart)
    }

    #[test]
    fn a_leadership_that_counts_from_its_own_writes_passes() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.call(3_000, 0, Operation::Renew, Deed::Renewed);
        history.leads(3_002, 0, 3_000, 8_000);
        assert!(!breaks(&history), "{:?}", history.judged().breaches());
    }

    #[test]
    fn a_start_without_a_grant_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(2_000, 0);
        history.leads(3_000, 1, 2_900, 7_900);
        assert!(breaks(&history));
    }

    #[test]
    fn a_deadline_counted_from_the_answer_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.call(3_000, 0, Operation::Renew, Deed::Renewed);
        history.leads(3_002, 0, 3_002, 8_002);
        assert!(breaks(&history));
    }

    #[test]
    fn a_deadline_counted_from_a_renewal_that_never_arrived_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let request = RequestId(99);
        let operation = Operation::Renew;
        let basis = Some(1);
        history.at(
            3_000,
            0,
            What::Sent {
                request,
                operation,
                basis,
            },
        );
        history.at(3_900, 0, What::Abandoned { request });
        history.leads(3_900, 0, 3_000, 8_000);
        assert!(breaks(&history));
    }

    #[test]
    fn a_deadline_that_is_too_far_from_its_send_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.leads(1_003, 0, 1_000, 7_000);
        assert!(breaks(&history));
    }
}
