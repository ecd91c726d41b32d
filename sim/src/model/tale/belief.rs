//! What candidates believe, and until when.

use super::Tale;
use crate::TrueTime;
use crate::model::true_times::SECOND;
use crate::model::world::Node;
use crate::trace::What;

impl Tale<'_> {
    pub(super) fn work_began(&mut self, index: usize, token: u64, node: &Node) {
        self.nodes[index].token = token;
        // Work begins with a leadership: what was believed before has ended in this very step.
        if let Some((token, _)) = self.nodes[index].belief.take() {
            self.record(Some(index), What::LeadsNot { token });
        }
        self.believe(index, node);
        self.record(Some(index), What::WorkBegan { token });
    }

    /// Tells what a candidate believes, where that is something else than before.
    pub(super) fn believe(&mut self, index: usize, node: &Node) {
        let teller = &self.nodes[index];
        let deadline = node.machine.deadline();
        let leads = deadline.filter(|_| node.machine.leads(node.now));
        let belief = leads.map(|deadline| {
            let ago = node.now.longest_since(deadline.since).get() / SECOND;
            (deadline, teller.ticks.saturating_sub(ago))
        });
        let told = belief.map(|(_, since)| (teller.token, since));
        if teller.belief == told {
            return;
        }
        let what = match belief {
            None => teller.belief.map(|(token, _)| What::LeadsNot { token }),
            Some((deadline, since)) => {
                let lasts = deadline.length.get().div_ceil(SECOND);
                Some(What::Leads {
                    token: teller.token,
                    sent: self.sent_at(index, since),
                    until: self.times.ticked(index, since + lasts),
                })
            }
        };
        self.nodes[index].belief = told;
        if let Some(what) = what {
            self.record(Some(index), what);
        }
    }

    /// When that was sent which a leadership counts from, by how often the clock had ticked.
    pub(super) fn sent_at(&self, node: usize, ticks: u64) -> TrueTime {
        let writes = self.nodes[node].writes.iter().rev();
        let then = writes.filter(|write| write.ticks == ticks);
        let done = then.clone().find(|write| write.wrote);
        let write = done.or_else(|| then.clone().next());
        write.map_or_else(|| self.times.ticked(node, ticks), |write| write.at)
    }
}
