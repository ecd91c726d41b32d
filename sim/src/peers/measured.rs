use super::Peer;
use crate::plan::Span;

/// How often somebody else's election had two leaders under a pattern of faults, as its own unmodified code was seen to on virtual time
/// (client-go at 32ce75a).
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// What the row is called.
    pub label: &'static str,
    /// The name of the pattern.
    pub pattern: &'static str,
    /// Which election.
    pub peer: Peer,
    /// The runs with two leaders, of so many.
    pub rate: Rate,
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
    pub const ALL: [Self; 16] = [
        Self::new("A", "cut/2", PLAIN, 0, 1000),
        Self::new("B", "cut/2", RELEASE, 204, 1000),
        Self::new("B'", "cut/5", RELEASE, 589, 1000),
        Self::new("C", "cut/2", PATIENT_RELEASE, 996, 1000),
        Self::new("C'", "cut/5", PATIENT_RELEASE, 1000, 1000),
        Self::new("D", "late/5", PLAIN, 467, 1000),
        Self::new("D'", "later/5", PATIENT, 1000, 1000),
        Self::new("E", "hang/3", RELEASE, 431, 2000),
        Self::new("E'", "hang/3", PATIENT_RELEASE, 851, 2000),
        Self::new("F", "paused/2", PLAIN, 1000, 1000),
        Self::new("G", "twins/2", PLAIN, 200, 200),
        Self::new("H", "short/2", PLAIN, 421, 500),
        Self::new("I 2", "deleted/2", PLAIN, 354, 1000),
        Self::new("I 3", "deleted/3", PLAIN, 510, 1000),
        Self::new("I 5", "deleted/5", PLAIN, 740, 1000),
        Self::new("I 10", "deleted/10", PLAIN, 856, 1000),
    ];

    const fn new(
        label: &'static str,
        pattern: &'static str,
        peer: Peer,
        hits: u64,
        of: u64,
    ) -> Self {
        let rate = Rate { hits, of };
        Self {
            label,
            pattern,
            peer,
            rate,
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

    /// Whether the two can be samples of one rate: they lie no further apart than such do in 99 of 100
    /// cases. Not in 95: of sixteen comparisons one would then mostly be found to differ by chance.
    pub fn may_equal(self, other: Self) -> bool {
        // (p - q)² ≤ z² r (1 - r) (1/m + 1/n), where r is the rate of both together; z² is 6.6349.
        let [hits, of, other_hits, other_of] =
            [self.hits, self.of, other.hits, other.of].map(u128::from);
        let apart = (hits * other_of).abs_diff(other_hits * of);
        let (both_hits, both) = (hits + other_hits, of + other_of);
        let spread = both_hits * (both - both_hits) * of * other_of;
        apart * apart * both * 10_000 <= spread * 66_349
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
        assert!(!rate(740).covers(rate(708)) && rate(740).may_equal(rate(708)));
        assert!(!rate(740).may_equal(rate(680)) && !rate(0).may_equal(rate(8)));
    }

    #[test]
    fn the_interval_is_wilsons() {
        let interval = |hits, of| Rate { hits, of }.interval();
        assert_eq!(interval(204, 1000), [1802, 2300]);
        assert_eq!(interval(0, 1000), [0, 38]);
        assert_eq!(interval(431, 2000), [1981, 2340]);
    }
}
