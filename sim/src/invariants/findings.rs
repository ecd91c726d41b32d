use super::{Breach, Invariant};
use crate::TrueTime;

/// What was found: the first breach of each invariant, in the order of finding.
#[derive(Clone, Default, Debug)]
pub(super) struct Findings {
    breaches: Vec<Breach>,
    count: u64,
}

impl Findings {
    /// Takes in a breach. Its text is made only where it is the first of its invariant.
    #[cold]
    pub(super) fn accuse(
        &mut self,
        at: TrueTime,
        invariant: Invariant,
        what: impl FnOnce() -> String,
    ) {
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
