use tenure_core::Nanos;

use crate::TrueTime;
use crate::plan::Backend;

/// What is known about a run before it starts, as far as invariants need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The kind of lock.
    pub backend: Backend,
    /// From when on nothing goes wrong.
    pub quiet_from: TrueTime,
    /// When the run ends.
    pub end: TrueTime,
    /// The candidates' machines.
    pub nodes: Vec<NodeFacts>,
}

/// What is known about one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeFacts {
    /// How far its clocks are allowed to run from true time, in millionths (ρ).
    pub drift_ppm: u32,
    /// How long its work may take to stop (σ).
    pub stop_timeout: Nanos,
    /// How long a record of it stays valid (L).
    pub lease: Nanos,
    /// How often it renews (R).
    pub renew: Nanos,
    /// How long one of its requests may take.
    pub request_timeout: Nanos,
}
