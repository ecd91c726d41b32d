use crate::plan::Backend;
use crate::run::Tier;
use crate::trace::Mark;

/// A set of marks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
pub struct Marks(u64);

impl Marks {
    /// No mark.
    pub const NONE: Self = Self(0);

    /// Those that a campaign over many seeds has to have seen, or it proves little: all that this kind of lock can show on this tier.
    pub fn expected(backend: Backend, tier: Tier) -> Self {
        let mut expected = Self::NONE;
        for mark in Mark::ALL {
            if fits(mark, backend, tier) {
                expected.insert(mark);
            }
        }
        expected
    }

    /// Adds a mark.
    pub fn insert(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u64;
    }

    /// Whether it is there.
    pub const fn contains(self, mark: Mark) -> bool {
        self.0 >> mark as u64 & 1 == 1
    }

    /// All of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of these that are not among `seen`.
    #[must_use]
    pub const fn missing(self, seen: Self) -> Self {
        Self(self.0 & !seen.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One bit for each, in the order of their numbers.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Each of them, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL
            .into_iter()
            .filter(move |mark| self.contains(*mark))
    }
}

impl FromIterator<Mark> for Marks {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Self {
        let mut set = Self::NONE;
        marks.into_iter().for_each(|mark| set.insert(mark));
        set
    }
}

/// Whether a lock of this kind can show it on this tier.
fn fits(mark: Mark, backend: Backend, tier: Tier) -> bool {
    let leased = backend == Backend::Lease;
    let served = backend != Backend::File;
    match mark {
        // Nothing is compared, so nothing conflicts but claims; and no record is read that may be behind.
        Mark::StaleRead => leased,
        Mark::ExpiredWhileCut => backend == Backend::Session,
        // A lock file is no server at the end of a link: what is asked has happened when it is answered.
        Mark::UnknownThenWon
        | Mark::UnknownThenLost
        | Mark::ZombieWrite
        | Mark::ReleaseRacedRenewal => served,
        // Only the elector tier runs cron jobs.
        Mark::FireTakenUp => tier == Tier::Electors,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_what_was_expected_and_not_seen() {
        let expected = Marks::expected(Backend::Lease, Tier::Machines);
        assert!(!expected.contains(Mark::ExpiredWhileCut));
        let seen: Marks = expected
            .iter()
            .filter(|mark| *mark != Mark::StaleRead)
            .collect();
        let missing: Vec<Mark> = expected.missing(seen).iter().collect();
        assert_eq!(missing, [Mark::StaleRead]);
        assert!(expected.missing(seen.union(expected)).is_empty());
    }
}
