use std::fmt;

use crate::plan::Backend;
use crate::run::Tier;

/// A kind of lock on a tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stage {
    /// How much of the production code is run.
    pub tier: Tier,
    /// The kind of lock.
    pub backend: Backend,
}

impl Stage {
    /// All stages of this tier and this kind of lock, where they are named; the fast tier first.
    pub fn all(tier: Option<Tier>, backend: Option<Backend>) -> Vec<Self> {
        let mut stages = Vec::new();
        for tier in [Tier::Machines, Tier::Electors]
            .into_iter()
            .filter(|one| tier.is_none_or(|tier| tier == *one))
        {
            let backends = Backend::EVERY.into_iter().filter(|one| {
                // The tier of machines has no clients.
                let has_clients = matches!(*one, Backend::Kubernetes | Backend::Zookeeper);
                let runs = !has_clients || tier == Tier::Electors;
                runs && backend.is_none_or(|backend| backend == *one)
            });
            stages.extend(backends.map(|backend| Self { tier, backend }));
        }
        stages
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lock, {}", self.backend.name(), self.tier.name())
    }
}
