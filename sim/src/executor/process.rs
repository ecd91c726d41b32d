use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A simulated machine or pod. Its processes come and go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One start of a program on a node: what its tasks belong to.
#[derive(Clone, Debug)]
pub struct Process(Arc<State>);

#[derive(Debug)]
struct State {
    alive: AtomicBool,
    node: Option<NodeId>,
    paused: AtomicBool,
    /// How late its tasks are polled at the most, in nanoseconds; 0 when at once.
    starved: AtomicU64,
}

impl Process {
    /// A new process on `node`.
    pub fn on(node: NodeId) -> Self {
        Self::new(Some(node))
    }

    /// What belongs to no node and never dies: servers and networks.
    pub(super) fn world() -> Self {
        Self::new(None)
    }

    fn new(node: Option<NodeId>) -> Self {
        Self(Arc::new(State {
            alive: AtomicBool::new(true),
            node,
            paused: AtomicBool::new(false),
            starved: AtomicU64::new(0),
        }))
    }

    /// The node it runs on; nothing for the world.
    pub fn node(&self) -> Option<NodeId> {
        self.0.node
    }

    /// Whether it has not been killed. What a dead process still asks for (its destructors) must reach nobody.
    pub fn is_alive(&self) -> bool {
        self.0.alive.load(Ordering::Relaxed)
    }

    /// Whether its tasks wait until it is resumed.
    pub fn is_paused(&self) -> bool {
        self.0.paused.load(Ordering::Relaxed)
    }

    /// Whether the two are the same start of the same program.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How late its tasks are polled at the most, after they were woken; nothing when at once.
    pub fn starved(&self) -> Option<Duration> {
        match self.0.starved.load(Ordering::Relaxed) {
            0 => None,
            most => Some(Duration::from_nanos(most)),
        }
    }

    pub(super) fn set_starved(&self, most: Option<Duration>) {
        let nanos = most.map_or(0, |most| u64::try_from(most.as_nanos()).unwrap_or(u64::MAX));
        self.0.starved.store(nanos, Ordering::Relaxed);
    }

    pub(super) fn mark_dead(&self) {
        self.0.alive.store(false, Ordering::Relaxed);
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::Relaxed);
    }
}
