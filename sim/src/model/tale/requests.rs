//! Requests on their way, and what they change.

use tenure_core::backend::{Acquired, Released, Renewed};
use tenure_core::machine::Outcome;

use super::{Sent, Tale};
use crate::model::world::{Basis, Call, Deed as Wrote};
use crate::plan::Foreign;
use crate::trace::{Answer, Deed, Life, Operation, RequestId, What};

impl Tale<'_> {
    pub(super) fn sent(&mut self, node: usize, call: Option<Call>) {
        self.requests += 1;
        let id = RequestId(self.requests);
        let (operation, basis) = match call {
            Some(Call::Write(write)) => {
                let operation = match write.deed {
                    Wrote::Acquire(_) => Operation::Acquire,
                    Wrote::Renew(_) => Operation::Renew,
                    Wrote::Release => Operation::Release,
                };
                let basis = match write.basis {
                    Basis::Missing => None,
                    Basis::Newest => Some(self.versions),
                    // Which one it is, nobody knows any more; no later write makes it the newest again.
                    Basis::Outdated => Some(self.versions.saturating_sub(1)),
                };
                (operation, basis)
            }
            _ => (Operation::Observe, None),
        };
        let teller = &mut self.nodes[node];
        let sent = Sent {
            id,
            at: self.now,
            life: teller.life,
            ticks: teller.ticks,
            wrote: false,
        };
        teller.call = Some(sent);
        if operation != Operation::Observe {
            teller.writes.push(sent);
        }
        let request = id;
        let what = What::Sent {
            request,
            operation,
            basis,
        };
        self.record(Some(node), what);
    }

    pub(super) fn landed(&mut self, node: usize, sent: Sent, zombie: bool) {
        self.landed = Some((node, sent));
        let request = sent.id;
        self.record(Some(node), What::Landed { request, zombie });
    }

    /// What has reached the store last changes its record. Says whose it is.
    pub(super) fn has_written(&mut self) -> Option<Life> {
        let (node, Sent { id, life, .. }) = self.landed?;
        let writes = self.nodes[node].writes.iter_mut();
        for write in writes.filter(|write| write.id == id) {
            write.wrote = true;
        }
        Some(Life(life))
    }

    pub(super) fn wrote(&mut self, deed: Deed, holder: Option<Life>, existed: bool) {
        let basis = existed.then_some(self.versions);
        self.versions += 1;
        let exists = deed != Deed::Foreign(Foreign::Delete);
        let what = What::Wrote {
            deed,
            basis,
            version: exists.then_some(self.versions),
            holder,
            token: exists.then_some(self.tokens),
        };
        self.record(None, what);
    }
}

pub(super) fn answer(outcome: &Outcome) -> Answer {
    match outcome {
        Outcome::Acquired(Acquired::Busy(_))
        | Outcome::Renewed(Renewed::Conflict(_))
        | Outcome::Released(Released::Conflict(_)) => Answer::Conflict,
        Outcome::Failed(_) => Answer::Failed,
        _ => Answer::Done,
    }
}
