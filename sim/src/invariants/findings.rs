use super::{Breach, Invariant};
use crate::TrueTime;

/// What was found: the first breach of each invariant, in the order of finding.
#[derive(Clone, Default, Debug)]
pub(super) struct Findings {
    breaches: Vec<Breach>,
    count: u64,
    /// Whether only what any election has to hold is looked for.
    universal: bool,
}

impl Findings {
    /// Findings about another election than ours.
    pub(super) fn of_a_peer() -> Self {
        Self {
            universal: true,
            ..Self::default()
        }
    }

    /// Takes in a breach. Its text is made only where it is the first of its invariant.
    #[cold]
    pub(super) fn accuse(
        &mut self,
        at: TrueTime,
        invariant: Invariant,
        what: impl FnOnce() -> String,
    ) {
        if self.universal && !invariant.is_universal() {
            return;
        }
        self.count += 1;
        if self
            .breaches
            .iter()
            .all(|breach| breach.invariant != invariant)
        {
            self.breaches.push(Breach {
                at,
                invariant,
                what: what(),
            });
        }
    }

    pub(super) fn first(&self) -> Option<&Breach> {
        self.breaches.first()
    }

    pub(super) fn all(&self) -> &[Breach] {
        &self.breaches
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
