//! Which actions are faults, in the vocabulary of all tiers.

use super::Tale;
use crate::model::action::{Action, Answer};
use crate::model::true_times::SECOND;
use crate::model::world::World;
use crate::plan::{Direction, Fault, Foreign, PlannedFault, Span, Who};
use crate::trace::What;

impl Tale<'_> {
    /// Begins the fault that an action is, if it is one. It ends with the action.
    pub(super) fn fault(&mut self, world: &World, action: Action) -> Option<u32> {
        let who = |node: usize| Who::Node(u16::try_from(node).expect("few candidates"));
        let what = match action {
            Action::Crash(node) => Fault::Crash { node: who(node) },
            Action::Delete => Fault::Foreign(Foreign::Delete),
            Action::Empty => Fault::Foreign(Foreign::Empty),
            Action::RequestLands(node, Answer::Lost) => {
                self.lose(node, who(node));
                return None;
            }
            Action::Resign(node) => Fault::Resign { node: who(node) },
            Action::TickUnnoticed(node) => Fault::Starve {
                node: who(node),
                most: Span::from_nanos(SECOND * (1 + u64::from(world.nodes[node].unnoticed))),
            },
            _ => return None,
        };
        Some(self.begin_fault(what))
    }

    pub(super) fn begin_fault(&mut self, what: Fault) -> u32 {
        let fault = u32::try_from(self.faults.len()).expect("a way is short");
        self.faults.push(PlannedFault {
            at: Span::from_nanos(self.now.nanos()),
            lasts: Some(Span::ZERO),
            what,
        });
        self.record(None, What::FaultBegan { fault });
        fault
    }

    /// No reply reaches this candidate from now on, until it gives up.
    pub(super) fn lose(&mut self, node: usize, who: Who) {
        let direction = Direction::Replies;
        let fault = Fault::Cut {
            direction,
            node: who,
        };
        self.begin_fault(fault);
        self.nodes[node].lost = Some(self.faults.len() - 1);
    }

    pub(super) fn found(&mut self, node: usize) {
        if let Some(index) = self.nodes[node].lost.take() {
            let fault = &mut self.faults[index];
            let lasts = self.now.nanos() - fault.at.nanos();
            fault.lasts = Some(Span::from_nanos(lasts));
            let fault = u32::try_from(index).expect("a way is short");
            self.record(None, What::FaultEnded { fault });
        }
    }
}
