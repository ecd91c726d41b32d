use super::{Breach, Facts, Invariant};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::trace::{Record, What};

/// S1: at every moment of true time at most one node says that it leads, or has work running.
#[derive(Clone, Debug)]
pub(super) struct SingleLeader {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Node {
    /// Until when it says that it leads, by its own clock.
    believes_until: Option<TrueTime>,
    frozen: bool,
    works: bool,
}

impl Node {
    fn leads(&self, at: TrueTime) -> bool {
        self.believes_until.is_some_and(|until| at < until) || (self.works && !self.frozen)
    }
}

impl SingleLeader {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            nodes: vec![Node::default(); facts.nodes.len()],
        }
    }

    pub(super) fn see(&mut self, record: &Record) -> Option<Breach> {
        let id = record.node?;
        let node = self.nodes.get_mut(usize::from(id.0))?;
        match record.what {
            What::Leads { until, .. } => node.believes_until = Some(until),
            What::LeadsNot { .. } => node.believes_until = None,
            What::WorkBegan { .. } => node.works = true,
            What::WorkEnded { .. } => node.works = false,
            What::Frozen { .. } => node.frozen = true,
            What::Thawed => node.frozen = false,
            What::Down { .. } => *node = Node::default(),
            _ => return None,
        }
        self.judge(id, record.at)
    }

    /// Nobody's state changes but at a record, so that looking at records looks at every moment.
    fn judge(&self, id: NodeId, at: TrueTime) -> Option<Breach> {
        if !self.nodes[usize::from(id.0)].leads(at) {
            return None;
        }
        let other = self
            .nodes
            .iter()
            .enumerate()
            .find(|(index, node)| *index != usize::from(id.0) && node.leads(at))?
            .0;
        Some(Breach {
            at,
            invariant: Invariant::SingleLeader,
            what: format!("{id} and n{other} lead at the same time"),
        })
    }
}
