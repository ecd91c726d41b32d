use tenure_core::Nanos;

use crate::TrueTime;
use crate::plan::{Backend, CronPlan, Fault, OnMissingPlan, ServerPlan};

/// What is known about a run before it starts, as far as invariants need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The kind of lock.
    pub backend: Backend,
    /// Whether the lock is a queue of nodes, which a stranger can take from its holder, and of which what is left when nobody holds it says
    /// no more than what the last one wrote that gave it back.
    pub nodes_in_a_queue: bool,
    /// From when on nothing goes wrong.
    pub quiet_from: TrueTime,
    /// When the run ends.
    pub end: TrueTime,
    /// For how long after everything is healed what was sent before may still be on its way.
    pub on_its_way: Nanos,
    /// What candidates do about a lock that is missing.
    pub on_missing: OnMissingPlan,
    /// The store.
    pub server: ServerPlan,
    /// The cron job that the leader runs, if any.
    pub cron: Option<CronPlan>,
    /// What the faults of the plan do, by their index.
    pub faults: Vec<Fault>,
    /// The candidates' machines.
    pub nodes: Vec<NodeFacts>,
}

impl Facts {
    /// Whether there is a server of an ensemble that has lost changes at some time: what it shows may be less than there is.
    pub(super) fn servers_forget(&self) -> bool {
        let forgets = |fault: &Fault| matches!(fault, Fault::ServerForgets { .. });
        self.faults.iter().any(forgets)
    }

    /// Whether an operator may be shown another holder than there is, and ask that one to resign, whose turn comes later.
    pub(super) fn misleads_operators(&self) -> bool {
        self.servers_forget() && self.faults.contains(&Fault::OperatorResign)
    }
}

/// What is known about one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeFacts {
    /// How far its clocks are allowed to run from true time, in millionths (ρ).
    pub drift_ppm: u32,
    /// How long its work may take to stop (σ).
    pub stop_timeout: Nanos,
    /// The part of σ that is kept for ending work that did not stop by itself.
    pub kill_allowance: Nanos,
    /// How long its work may take to finish at a planned stop.
    pub drain_timeout: Nanos,
    /// How long a record of it stays valid (L).
    pub lease: Nanos,
    /// Until when after the send of a confirmed renewal it leads, by its own clock (D).
    pub validity: Nanos,
    /// How often it renews (R).
    pub renew: Nanos,
    /// How long it waits before a request that failed is made again.
    pub retry: Nanos,
    /// How long one of its requests may take.
    pub request_timeout: Nanos,
    /// After how long its work ends by itself; nothing when it does not.
    pub work_lasts: Option<Nanos>,
    /// The candidate's name where it is not the node's own.
    pub name: Option<String>,
}

impl NodeFacts {
    /// How long something of so many nanoseconds by this node's timers may take in true time: they may be slewed by a tenth, on an
    /// oscillator that is slow by ρ.
    pub(super) fn at_most_in_true_time(&self, nanos: u64) -> u64 {
        let slewed = nanos.saturating_add(nanos / 9);
        slewed.saturating_add(slewed / 1_000_000 * u64::from(self.drift_ppm))
    }
}
