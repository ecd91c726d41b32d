use super::Peer;
use crate::plan::Span;

/// How often somebody else's election failed under a pattern of faults, as its own unmodified code was seen to.
///
/// Where it says nothing else, that was client-go at 32ce75a on virtual time; `docs/comparison.md` has the others.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// What counts.
    pub failing: Failing,
    /// What the row is called.
    pub label: &'static str,
    /// The name of the pattern.
    pub pattern: &'static str,
    /// Which election.
    pub peer: Peer,
    /// The runs that failed, of so many.
    pub rate: Rate,
}

/// A way in which an election fails.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Failing {
    /// Nobody leads for two minutes without a break, though candidates are there.
    NobodyLeads,
    /// More than one leads at once.
    TwoLeaders,
}

/// So many of so many.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

const PLAIN: Peer = client_go(false, true);
const RELEASE: Peer = client_go(true, true);
const PATIENT: Peer = client_go(false, false);
const PATIENT_RELEASE: Peer = client_go(true, false);

const fn client_go(release_on_cancel: bool, has_timeout: bool) -> Peer {
    Peer::ClientGo {
        release_on_cancel,
        request_timeout: if has_timeout {
            Some(Span::from_secs(5))
        } else {
            None
        },
        timing: None,
    }
}

impl Measured {
    /// All that were measured.
    pub const ALL: [Self; 21] = [
        Self::two("A", "cut/2", PLAIN, 0, 1000),
        Self::two("B", "cut/2", RELEASE, 204, 1000),
        Self::two("B'", "cut/5", RELEASE, 589, 1000),
        Self::two("C", "cut/2", PATIENT_RELEASE, 996, 1000),
        Self::two("C'", "cut/5", PATIENT_RELEASE, 1000, 1000),
        Self::two("D", "late/5", PLAIN, 467, 1000),
        Self::two("D'", "later/5", PATIENT, 1000, 1000),
        Self::two("E", "hang/3", RELEASE, 431, 2000),
        Self::two("E'", "hang/3", PATIENT_RELEASE, 851, 2000),
        Self::two("F", "paused/2", PLAIN, 16, 16),
        Self::two("G", "twins/2", PLAIN, 200, 200),
        Self::two("H", "short/2", PLAIN, 421, 500),
        Self::two("I 2", "deleted/2", PLAIN, 354, 1000),
        Self::two("I 3", "deleted/3", PLAIN, 510, 1000),
        Self::two("I 5", "deleted/5", PLAIN, 740, 1000),
        Self::two("I 10", "deleted/10", PLAIN, 856, 1000),
        Self::two("K", "deleted/3", Peer::Camel, 2, 12),
        Self::nobody("L", "edited/3", Peer::Camel, 3, 3),
        Self::nobody("M", "hung/3", Peer::Camel, 3, 3),
        Self::two("N", "zk-cut/3", Peer::Curator, 3, 3),
        Self::two("O", "zk-paused/3", Peer::Curator, 3, 3),
    ];

    const fn two(
        label: &'static str,
        pattern: &'static str,
        peer: Peer,
        hits: u64,
        of: u64,
    ) -> Self {
        let rate = Rate { hits, of };
        Self {
            failing: Failing::TwoLeaders,
            label,
            pattern,
            peer,
            rate,
        }
    }

    const fn nobody(
        label: &'static str,
        pattern: &'static str,
        peer: Peer,
        hits: u64,
        of: u64,
    ) -> Self {
        Self {
            failing: Failing::NobodyLeads,
            ..Self::two(label, pattern, peer, hits, of)
        }
    }
}

impl Failing {
    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NobodyLeads => "nobody leads",
            Self::TwoLeaders => "two leaders",
        }
    }
}

impl Rate {
    /// Whether `other` lies within the interval that Wilson's score gives to this rate with 95 per cent.
    pub fn covers(self, other: Self) -> bool {
        // (p - q)² ≤ z² q (1 - q) / n, without fractions; z² is 3.8415.
        let [hits, of, other_hits, other_of] =
            [self.hits, self.of, other.hits, other.of].map(u128::from);
        let apart = (hits * other_of).abs_diff(other_hits * of);
        let spread = of * other_hits * (other_of - other_hits);
        apart * apart * 10_000 <= spread * 38_415
    }

    /// Whether nothing was left to chance: it was seen in every run, or in none.
    pub fn is_certain(self) -> bool {
        self.hits == 0 || self.hits == self.of
    }

    /// Whether runs with the rate `other` agree with this one, which was measured.
    ///
    /// What was seen every time has to be seen every time, and what was never seen never. Of any other rate the two may be samples:
    /// they must lie no further apart than two samples of one rate do in 99.58 of 100 cases. That is the test of two proportions at
    /// 95 per cent, with Bonferroni's correction for the twelve rates that are compared: without it one in two tables would have a row
    /// that differs by chance alone.
    pub fn agrees_with(self, other: Self) -> bool {
        if self.is_certain() {
            return self.hits * other.of == other.hits * self.of;
        }
        // (p - q)² ≤ z² r (1 - r) (1/m + 1/n), where r is the rate of both together; z² is 8.2097.
        let [hits, of, other_hits, other_of] =
            [self.hits, self.of, other.hits, other.of].map(u128::from);
        let apart = (hits * other_of).abs_diff(other_hits * of);
        let (both_hits, both) = (hits + other_hits, of + other_of);
        let spread = both_hits * (both - both_hits) * of * other_of;
        apart * apart * both * 10_000 <= spread * 82_097
    }

    /// The ends of the interval that [`Rate::covers`] speaks of, in ten-thousandths.
    pub fn interval(self) -> [u64; 2] {
        let inside = |hits: &u64| {
            self.covers(Self {
                hits: *hits,
                of: 10_000,
            })
        };
        let low = (0..=10_000).find(inside).unwrap_or(0);
        let high = (0..=10_000).rev().find(inside).unwrap_or(10_000);
        [low, high]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_samples_of_one_rate_may_differ_by_their_noise() {
        let rate = |hits| Rate { hits, of: 1000 };
        assert!(!rate(740).covers(rate(708)) && rate(740).agrees_with(rate(708)));
        assert!(!rate(740).agrees_with(rate(680)));
        assert!(!rate(204).agrees_with(rate(152)) && rate(204).agrees_with(rate(155)));
    }

    #[test]
    fn what_was_seen_always_or_never_has_to_be_so_here() {
        let rate = |hits, of| Rate { hits, of };
        assert!(rate(0, 1000).agrees_with(rate(0, 40)));
        assert!(!rate(0, 1000).agrees_with(rate(1, 1000)));
        assert!(rate(3, 3).agrees_with(rate(40, 40)));
        assert!(!rate(3, 3).agrees_with(rate(999, 1000)));
    }

    #[test]
    fn the_correction_is_for_as_many_rates_as_are_left_to_chance() {
        let by_chance = Measured::ALL.iter().filter(|row| !row.rate.is_certain());
        assert_eq!(by_chance.count(), 12);
    }

    #[test]
    fn the_interval_is_wilsons() {
        let interval = |hits, of| Rate { hits, of }.interval();
        assert_eq!(interval(204, 1000), [1802, 2300]);
        assert_eq!(interval(0, 1000), [0, 38]);
        assert_eq!(interval(431, 2000), [1981, 2340]);
    }
}
