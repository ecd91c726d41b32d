use std::fmt;

use tenure_backends::kubernetes::simulated as kubernetes;
use tenure_backends::zookeeper::simulated as ensemble;
use tenure_core::planted::Mistake;

use super::catalogue::CATALOGUE;
use super::distortion::Distortion;
use super::zookeeper;
use crate::Tier;
use crate::api_server::Carelessness;
use crate::invariants::Invariant;
use crate::plan::{Backend, Plan};
use crate::scenarios::{self, Scenario};

const BUGS: usize = CATALOGUE.len() + zookeeper::CATALOGUE.len();

/// A planted mistake: an entry of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bug {
    index: usize,
}

/// What a bug takes away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Something that must not happen does.
    Safety,
    /// Something that must happen does not.
    Liveness,
}

/// Where a bug is planted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Planting {
    /// In the decisions.
    Machine(Mistake),
    /// In what the decisions are told, or in what is done with them.
    Boundary(Distortion),
    /// In the backend of Kubernetes.
    Lease(kubernetes::Mistake),
    /// Between that and the API server.
    Client(Carelessness),
    /// In the backend of ZooKeeper.
    Queue(ensemble::Mistake),
}

/// What is known about a bug.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    /// What goes wrong, for people.
    pub(super) sentence: &'static str,
    /// Which rule or known pitfall it breaks.
    pub(super) breaks: &'static str,
    pub(super) kind: Kind,
    pub(super) planting: Planting,
    pub(super) tiers: &'static [Tier],
    pub(super) backends: &'static [Backend],
    pub(super) expected: &'static [Invariant],
    /// Whether the watchdog looks on, as it does in production.
    pub(super) guarded: bool,
    /// The scenario in which it shows, where it takes more than a plan that is drawn has.
    pub(super) scenario: Option<&'static str>,
}

impl Bug {
    /// All of them, in the order of their names.
    pub const ALL: [Self; BUGS] = {
        let mut all = [Self { index: 0 }; BUGS];
        let mut index = 0;
        while index < all.len() {
            all[index].index = index;
            index += 1;
        }
        all
    };

    /// The one that is nothing but a missing watchdog.
    pub const UNWATCHED: Self = {
        let mut index = 0;
        while !matches!(
            CATALOGUE[index].planting,
            Planting::Boundary(Distortion::WatchdogSleeps)
        ) {
            index += 1;
        }
        Self { index }
    };

    /// The bug with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }

    fn entry(self) -> &'static Entry {
        match self.index.checked_sub(CATALOGUE.len()) {
            None => &CATALOGUE[self.index],
            Some(index) => &zookeeper::CATALOGUE[index],
        }
    }

    /// Its name, as command lines have it.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// What goes wrong, in a sentence.
    pub fn sentence(self) -> &'static str {
        self.entry().sentence
    }

    /// Which rule or known pitfall it breaks.
    pub fn breaks(self) -> &'static str {
        self.entry().breaks
    }

    /// What it takes away.
    pub fn kind(self) -> Kind {
        self.entry().kind
    }

    /// Where it is planted.
    pub fn planting(self) -> Planting {
        self.entry().planting
    }

    /// The mistake that machines make, if it is one of the decisions.
    pub fn mistake(self) -> Option<Mistake> {
        match self.planting() {
            Planting::Machine(mistake) => Some(mistake),
            _ => None,
        }
    }

    /// What is done around the decisions, if it is none of them.
    pub fn distortion(self) -> Option<Distortion> {
        match self.planting() {
            Planting::Boundary(distortion) => Some(distortion),
            _ => None,
        }
    }

    /// The mistake of the backend of Kubernetes, if it is one.
    pub fn lease_mistake(self) -> Option<kubernetes::Mistake> {
        match self.planting() {
            Planting::Lease(mistake) => Some(mistake),
            _ => None,
        }
    }

    /// The mistake of the backend of ZooKeeper, if it is one.
    pub fn queue_mistake(self) -> Option<ensemble::Mistake> {
        match self.planting() {
            Planting::Queue(mistake) => Some(mistake),
            _ => None,
        }
    }

    /// The mistake of the client of the backend of Kubernetes, if it is one.
    pub fn carelessness(self) -> Option<Carelessness> {
        match self.planting() {
            Planting::Client(carelessness) => Some(carelessness),
            _ => None,
        }
    }

    /// The tiers on which it shows.
    pub fn tiers(self) -> &'static [Tier] {
        self.entry().tiers
    }

    /// The kinds of lock on which it shows.
    pub fn backends(self) -> &'static [Backend] {
        self.entry().backends
    }

    /// Whether a watchdog looks on, as it does in production. It ends a leadership in time whatever the machine does, and would hide
    /// what the machine does wrong: then it is left out.
    pub fn is_guarded(self) -> bool {
        self.entry().guarded
    }

    /// The scenario in which it is looked for, where no plan that is drawn shows it soon.
    pub fn scenario(self) -> Option<&'static Scenario> {
        let name = self.entry().scenario?;
        Some(scenarios::find(name).expect("the catalogue names scenarios that there are"))
    }

    /// The plan of `seed` in which it is looked for.
    pub fn plan(self, seed: u64, backend: Backend) -> Plan {
        match self.scenario() {
            None => Plan::generate(seed, backend),
            Some(scenario) => Plan {
                seed,
                backend,
                ..scenario.plan()
            },
        }
    }

    /// The invariants of which one has to catch it.
    pub fn expected(self) -> &'static [Invariant] {
        self.entry().expected
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bug").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_bug_finds_it_and_no_other() {
        for bug in Bug::ALL {
            assert_eq!(Bug::parse(bug.name()), Some(bug));
        }
        assert_eq!(Bug::parse("no such bug"), None);
    }

    #[test]
    fn the_catalogue_is_in_the_order_of_names_and_complete() {
        for pair in Bug::ALL.windows(2) {
            assert!(pair[0].name() < pair[1].name(), "{:?}", pair[1]);
        }
        for bug in Bug::ALL {
            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(bug.name().bytes().all(kebab), "{bug}");
            assert!(bug.sentence().ends_with('.'), "{bug}");
            assert!(!bug.breaks().is_empty(), "{bug}");
            assert!(!bug.tiers().is_empty() && !bug.backends().is_empty());
            assert!(!bug.expected().is_empty(), "{bug}");
            for backend in bug.backends().iter().copied() {
                let plan = bug.plan(7, backend);
                assert_eq!((plan.check(), plan.seed), (Ok(()), 7), "{bug}");
                let of = bug.scenario().map(Scenario::plan);
                assert!(of.is_none_or(|of| of.backend == backend), "{bug}");
            }
        }
    }

    #[test]
    fn every_safety_rule_has_a_bug_that_breaks_it() {
        for rule in 1..=12 {
            let rule = format!("rule {rule}");
            let breaks = |bug: &Bug| bug.breaks().split(", ").any(|broken| broken == rule);
            assert!(Bug::ALL.iter().any(breaks), "{rule}");
        }
    }

    #[test]
    fn no_mistake_is_planted_under_two_names() {
        for (index, bug) in Bug::ALL.into_iter().enumerate() {
            for other in &Bug::ALL[index + 1..] {
                assert_ne!(bug.planting(), other.planting(), "{bug} and {other}");
            }
        }
    }
}
