use crate::TrueTime;
use crate::executor::NodeId;
use crate::trace::{Answer, Life, Operation, RequestId};

/// A call of the backend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::invariants) struct Request {
    pub(in crate::invariants) id: RequestId,
    pub(in crate::invariants) node: NodeId,
    /// Which candidate made it.
    pub(in crate::invariants) life: Option<Life>,
    pub(in crate::invariants) operation: Operation,
    pub(in crate::invariants) basis: Option<u64>,
    pub(in crate::invariants) sent: TrueTime,
    /// Whether the store has done what it does with it.
    pub(in crate::invariants) landed: bool,
    /// How often it has arrived.
    pub(in crate::invariants) landings: u32,
    /// Whether it changed the lock.
    pub(in crate::invariants) wrote: bool,
    pub(in crate::invariants) fate: Fate,
}

/// What became of a call, as its caller sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::invariants) enum Fate {
    /// It is under way.
    Open,
    /// It has its answer.
    Answered(Answer),
    /// Its caller waits no longer.
    Abandoned,
}

/// How many requests are remembered. What is older and lands all the same is not judged.
const REMEMBERED: usize = 256;

/// The last requests, each found by its number in one step.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    slots: Box<[Option<Request>]>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            slots: vec![None; REMEMBERED].into_boxed_slice(),
        }
    }
}

impl Requests {
    pub(super) fn insert(&mut self, request: Request) {
        let slot = slot(request.id);
        self.slots[slot] = Some(request);
    }

    pub(super) fn find(&self, id: RequestId) -> Option<&Request> {
        self.slots[slot(id)]
            .as_ref()
            .filter(|request| request.id == id)
    }

    pub(super) fn find_mut(&mut self, id: RequestId) -> Option<&mut Request> {
        self.slots[slot(id)]
            .as_mut()
            .filter(|request| request.id == id)
    }
}

fn slot(id: RequestId) -> usize {
    usize::try_from(id.0).expect("32 bits fit a size") % REMEMBERED
}
