//! Which plan is meant, and what is changed in it.

use std::path::Path;

use tenure_sim::Tier;
use tenure_sim::invariants::Assumption;
use tenure_sim::plan::{Backend, Format, NodePlan, Plan, ServerPlan, Span, TimingPlan};
use tenure_sim::scenarios::{self, Claim, Scenario};

use super::failure::Failure;
use super::options::{OneOptions, WorldOptions};

/// A plan, and the scenario that it is of, if it is of one.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) plan: Plan,
    pub(crate) scenario: Option<&'static Scenario>,
}

impl Subject {
    /// What `what` names, changed as asked for.
    pub(crate) fn find(what: &str, world: &WorldOptions) -> Result<Self, Failure> {
        let path = Path::new(what);
        let (plan, scenario) = if Format::of(path).is_some() || what.contains('/') {
            (Plan::read(path).map_err(Failure::usage)?, None)
        } else {
            let scenario = scenarios::find(what).ok_or_else(|| unknown(what))?;
            (scenario.plan(), Some(scenario))
        };
        let plan = world.apply(plan)?;
        Ok(Self { plan, scenario })
    }

    /// The plan of one run.
    pub(crate) fn one(options: &OneOptions) -> Result<Self, Failure> {
        let mut subject = match (&options.what, options.seed) {
            (Some(what), _) => Self::find(what, &options.world)?,
            (None, seed) => Self {
                plan: generated(seed.unwrap_or_default(), &options.world)?,
                scenario: None,
            },
        };
        if let Some(seed) = options.seed {
            subject.plan.seed = seed;
        }
        Ok(subject)
    }

    /// What is not claimed of runs that break these assumptions, a line each.
    pub(crate) fn not_claimed(&self, broken: &[Assumption]) -> Vec<String> {
        let mut lines = Vec::new();
        if let (Some(Claim::Fencing(why)), [_, ..]) =
            (self.scenario.map(|scenario| scenario.claim), broken)
        {
            lines.push(format!(
                "not claimed: a single leader at every moment, because {why}; fencing is"
            ));
        }
        for assumption in broken {
            let (name, sentence) = (assumption.name(), assumption.sentence());
            lines.push(format!("an assumption is broken, {name}: {sentence}"));
        }
        lines
    }

    /// What of the plan does nothing on this tier, in a line, if anything.
    pub(crate) fn without_effect(&self, tier: Tier) -> Option<String> {
        let mut idle: Vec<String> = Vec::new();
        if self.plan.cron.is_some() && tier == Tier::Machines {
            idle.push("the cron job".to_owned());
        }
        for fault in &self.plan.faults {
            let name = fault.what.name();
            if !fault.what.shows(self.plan.backend, tier) && !idle.contains(&name) {
                idle.push(name);
            }
        }
        let tier = tier.name();
        (!idle.is_empty())
            .then(|| format!("without effect on the tier of {tier}: {}", idle.join(", ")))
    }

    /// How to call it.
    pub(crate) fn title(&self) -> String {
        if self.plan.name.is_empty() {
            format!("seed {}", self.plan.seed)
        } else {
            self.plan.name.clone()
        }
    }
}

fn generated(seed: u64, world: &WorldOptions) -> Result<Plan, Failure> {
    let backend = world.backend.unwrap_or(Backend::Lease);
    world.apply(Plan::generate(seed, backend))
}

fn unknown(what: &str) -> Failure {
    let meant = match scenarios::nearest(what) {
        Some(scenario) => format!("did you mean {}?", scenario.name),
        None => "name a plan file .toml or .json".to_owned(),
    };
    Failure::usage(format!(
        "there is no scenario {what:?}: {meant} (`tenure-sim scenarios` lists them)"
    ))
}

impl WorldOptions {
    /// What they add to a command line.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        let mut add = |option: &str, value: Option<String>| {
            if let Some(value) = value {
                words.push_str(&format!(" --{option} {value}"));
            }
        };
        let short = |span: Span| span.to_string().replace(' ', "");
        add(
            "backend",
            self.backend.map(|backend| backend.name().to_owned()),
        );
        add("candidates", self.candidates.map(|count| count.to_string()));
        let pair = |timing: &TimingPlan| {
            let renew = timing.renew.map(short).unwrap_or_default();
            format!("{}/{renew}", short(timing.lease))
        };
        add("timing", self.timing.as_ref().map(pair));
        let stop = self.timing.as_ref().and_then(|timing| timing.stop_timeout);
        add("lease", self.lease.map(short));
        add("renew", self.renew.map(short));
        add("drift", self.drift.map(|ppm| format!("{ppm}ppm")));
        add("stop-timeout", self.stop_timeout.or(stop).map(short));
        add("stretch", self.stretch.map(|factor| factor.to_string()));
        words
    }

    /// Makes the changes, and checks what comes of them.
    fn apply(&self, mut plan: Plan) -> Result<Plan, Failure> {
        if let Some(factor) = self.stretch {
            plan = plan.stretched(factor);
        }
        if let Some(backend) = self.backend {
            let is_new =
                backend.kind() == Backend::Session && plan.backend.kind() != Backend::Session;
            if is_new && plan.server == ServerPlan::default() {
                plan.server = ServerPlan::zookeeper();
            }
            plan.backend = backend;
            plan.server.late_proof &= backend.kind() == Backend::Session;
        }
        if let Some(candidates) = self.candidates {
            let last = plan.nodes.last().cloned().unwrap_or_default();
            let more = NodePlan {
                name: None,
                starts_at: None,
                ..last
            };
            plan.nodes.resize(candidates.into(), more);
        }
        if let Some(timing) = &self.timing {
            plan.timing = timing.clone();
        }
        if let Some(lease) = self.lease {
            // What belonged to another lease does not fit this one.
            plan.timing = TimingPlan {
                lease,
                drift_ppm: plan.timing.drift_ppm,
                ..Default::default()
            };
        }
        plan.timing.renew = self.renew.or(plan.timing.renew);
        plan.timing.drift_ppm = self.drift.or(plan.timing.drift_ppm);
        plan.timing.stop_timeout = self.stop_timeout.or(plan.timing.stop_timeout);
        match plan.check() {
            Ok(()) => Ok(plan),
            Err(error) if plan.name.is_empty() => Err(Failure::usage(error)),
            Err(error) => Err(Failure::usage(format!("{}: {error}", plan.name))),
        }
    }
}
