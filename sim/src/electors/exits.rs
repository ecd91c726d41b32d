use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::executor::NodeId;

/// How a process ends itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// Its watchdog aborted it.
    Aborted,
    /// It was shut down and is done.
    Ended,
}

/// Processes that end themselves: nobody can drop a task that is being polled, so it is done after that step.
#[derive(Clone, Default, Debug)]
pub(super) struct Exits {
    any: Arc<AtomicBool>,
    nodes: Arc<Mutex<Vec<(NodeId, Exit)>>>,
}

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

impl Exits {
    pub(super) fn abort(&self, node: NodeId) {
        self.add(node, Exit::Aborted);
    }

    pub(super) fn end(&self, node: NodeId) {
        self.add(node, Exit::Ended);
    }

    fn add(&self, node: NodeId, exit: Exit) {
        self.nodes.lock().expect(ONE_THREAD).push((node, exit));
        self.any.store(true, Ordering::Relaxed);
    }

    pub(super) fn take(&self) -> Vec<(NodeId, Exit)> {
        if !self.any.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        std::mem::take(&mut *self.nodes.lock().expect(ONE_THREAD))
    }
}
