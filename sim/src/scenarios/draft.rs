use crate::plan::{
    Backend, Fault, NodePlan, Plan, PlannedFault, ServerPlan, Span, TimingPlan, VERSION,
};

/// A plan in the making: 15 s leases, five minutes, of which the last 90 s are quiet.
pub(super) struct Draft(Plan);

impl Draft {
    pub(super) fn lease(candidates: usize) -> Self {
        Self::of(Backend::Lease, candidates)
    }

    pub(super) fn session(candidates: usize) -> Self {
        let mut draft = Self::of(Backend::Session, candidates);
        draft.0.server = ServerPlan::zookeeper();
        draft
    }

    /// The same by the real backend over an ensemble with its usual tick.
    pub(super) fn zookeeper(candidates: usize) -> Self {
        let mut draft = Self::of(Backend::Zookeeper, candidates);
        draft.0.server = ServerPlan {
            tick: Span::from_secs(2),
            ..ServerPlan::zookeeper()
        };
        draft
    }

    pub(super) fn file(candidates: usize) -> Self {
        Self::of(Backend::File, candidates)
    }

    fn of(backend: Backend, candidates: usize) -> Self {
        Self(Plan {
            version: VERSION,
            name: String::new(),
            seed: 0,
            backend,
            quiet_from: Span::from_secs(210),
            end: Span::from_secs(300),
            timing: TimingPlan::default(),
            server: ServerPlan::default(),
            on_missing: crate::plan::OnMissingPlan::Wait,
            cron: None,
            nodes: vec![NodePlan::default(); candidates],
            faults: Vec::new(),
        })
    }

    /// Begins to be quiet then, and ends a minute and a half later.
    pub(super) fn quiet_from_s(mut self, seconds: u64) -> Self {
        self.0.quiet_from = Span::from_secs(seconds);
        self.0.end = Span::from_secs(seconds + 90);
        self
    }

    /// Changes anything.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.0);
        self
    }

    /// Changes every node.
    pub(super) fn each_node(mut self, change: impl Fn(&mut NodePlan)) -> Self {
        self.0.nodes.iter_mut().for_each(change);
        self
    }

    /// The node's candidate starts then.
    pub(super) fn starts_at_s(mut self, node: usize, seconds: u64) -> Self {
        self.0.nodes[node].starts_at = Some(Span::from_secs(seconds));
        self
    }

    /// A fault that ends after so many seconds.
    pub(super) fn fault(self, at_s: u64, lasts_s: u64, what: Fault) -> Self {
        self.planned(at_s, Some(Span::from_secs(lasts_s)), what)
    }

    /// A fault that happens once, or is there until all is healed.
    pub(super) fn once(self, at_s: u64, what: Fault) -> Self {
        self.planned(at_s, None, what)
    }

    fn planned(self, at_s: u64, lasts: Option<Span>, what: Fault) -> Self {
        self.at(Span::from_secs(at_s), lasts, what)
    }

    /// A fault where seconds are too coarse.
    pub(super) fn at(mut self, at: Span, lasts: Option<Span>, what: Fault) -> Self {
        self.0.faults.push(PlannedFault { at, lasts, what });
        self
    }

    pub(super) fn plan(mut self) -> Plan {
        self.0.faults.sort_by_key(|fault| fault.at);
        self.0
    }
}
