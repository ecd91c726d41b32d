use std::time::Duration;

use tenure_core::Nanos;

use super::action::Action;
use super::configuration::Configuration;
use super::rules::Rules;
use super::tale::Tale;
use super::timeline::{self, Line};
use crate::invariants::{Breach, Facts, Invariant, NodeFacts};
use crate::plan::{
    Backend, NodePlan, OnMissingPlan, Plan, PlannedFault, ServerPlan, Span, TimingPlan, VERSION,
};
use crate::planted::Bug;
use crate::trace::{Chronicle, Keep, Record};

/// A shortest way to a state that must not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterexample {
    /// The way, action by action.
    pub lines: Vec<Line>,
    /// The way in the vocabulary of all tiers: who takes part, and the faults. No tier runs it; a report is drawn by it.
    pub plan: Plan,
    /// What happens, in the records of all tiers. True time is the first candidate's clock, whose ticks are a second apart.
    pub records: Vec<Record>,
    /// What the invariants of all tiers say about these records, of what may be wrong in a small world.
    pub breaches: Vec<Breach>,
}

impl Counterexample {
    /// How many actions it takes.
    pub fn actions(&self) -> usize {
        // The first line is the start.
        self.lines.len() - 1
    }

    /// Whether the invariants of all tiers find in the records what the search has found in the states.
    pub fn is_found_guilty_of(&self, invariant: Invariant) -> bool {
        let guilty = |breach: &Breach| breach.invariant == invariant;
        self.breaches.iter().any(guilty)
    }

    pub(super) fn of(rules: &Rules, actions: Vec<Action>, found: Invariant) -> Self {
        let tale = Tale::of(rules, &actions);
        let end = Span::from_nanos(tale.end().nanos());
        let plan = plan(&rules.configuration, end, tale.faults);
        let mut chronicle = Chronicle::new(facts(&plan, &rules.configuration), Keep::Nothing);
        for record in &tale.records {
            chronicle.record(record.at, record.node, record.what);
        }
        let expected = rules.bug.map_or(&[][..], Bug::expected);
        let concerns =
            |breach: &&Breach| breach.invariant == found || expected.contains(&breach.invariant);
        let breaches = chronicle.jury().breaches().iter();
        Self {
            lines: timeline::tell(rules, actions),
            breaches: breaches.filter(concerns).cloned().collect(),
            records: tale.records,
            plan,
        }
    }
}

fn plan(configuration: &Configuration, end: Span, faults: Vec<PlannedFault>) -> Plan {
    let timing = configuration.timing();
    let span = |duration: Duration| Span::from_nanos(Nanos::from(duration).get());
    Plan {
        version: VERSION,
        name: configuration.name.to_owned(),
        seed: 0,
        backend: Backend::Lease,
        quiet_from: end,
        end,
        timing: TimingPlan {
            lease: span(timing.lease_duration()),
            renew: Some(span(timing.renew_interval())),
            request_timeout: Some(span(timing.request_timeout())),
            stop_timeout: Some(span(timing.stop_timeout())),
            drain_timeout: Some(span(timing.drain_timeout())),
            drift_ppm: Some(timing.clock_drift_ppm()),
        },
        server: ServerPlan::default(),
        on_missing: OnMissingPlan::Wait,
        cron: None,
        nodes: vec![NodePlan::default(); configuration.candidates.into()],
        faults,
    }
}

/// As of any plan, but that the timing of a small world has spans that no plan can say.
fn facts(plan: &Plan, configuration: &Configuration) -> Facts {
    let timing = configuration.timing();
    let mut facts = plan.facts();
    for node in &mut facts.nodes {
        *node = NodeFacts {
            drift_ppm: timing.clock_drift_ppm(),
            stop_timeout: timing.stop_timeout().into(),
            kill_allowance: timing.kill_allowance().into(),
            drain_timeout: timing.drain_timeout().into(),
            lease: timing.lease_duration().into(),
            validity: timing.validity(),
            renew: timing.renew_interval().into(),
            retry: timing.retry_interval().into(),
            request_timeout: timing.request_timeout().into(),
            work_lasts: None,
            name: None,
        };
    }
    facts
}
