use std::collections::BTreeMap;

use crate::plan::Span;

/// How many bits of a value count: what is told of it is off by a thousandth at most.
const BITS: u32 = 10;

/// How often which span of time was seen, in bounded memory. The count, the sum and the largest are exact.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Histogram {
    count: u64,
    counts: BTreeMap<u64, u64>,
    most: Span,
    sum: u128,
}

impl Histogram {
    /// Adds one.
    pub fn add(&mut self, span: Span) {
        let nanos = span.nanos();
        let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(BITS);
        *self.counts.entry(nanos >> shift << shift).or_default() += 1;
        self.count += 1;
        self.most = self.most.max(span);
        self.sum += u128::from(nanos);
    }

    /// Adds all that another one has seen.
    pub fn merge(&mut self, other: &Self) {
        for (value, count) in &other.counts {
            *self.counts.entry(*value).or_default() += count;
        }
        self.count += other.count;
        self.most = self.most.max(other.most);
        self.sum += other.sum;
    }

    /// How many were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest; nothing when there is none.
    pub fn most(&self) -> Span {
        self.most
    }

    /// The sum of all, in nanoseconds.
    pub fn sum_ns(&self) -> u128 {
        self.sum
    }

    /// The least value that so many of a thousand do not exceed; nothing when there is none.
    pub fn quantile(&self, per_mille: u64) -> Span {
        let wanted = (self.count * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (value, count) in &self.counts {
            seen += count;
            if seen >= wanted {
                return Span::from_nanos(*value);
            }
        }
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_thousandth_and_the_largest_is_exact() {
        let mut histogram = Histogram::default();
        let mut half = Histogram::default();
        for nanos in 1..=1_000_000_u64 {
            let to = if nanos % 2 == 0 {
                &mut half
            } else {
                &mut histogram
            };
            to.add(Span::from_nanos(nanos * 1_000));
        }
        histogram.merge(&half);
        for (per_mille, exact) in [(500, 500_000_000), (990, 990_000_000), (1, 1_000_000)] {
            let found = histogram.quantile(per_mille).nanos();
            assert!(
                found <= exact && exact - found <= exact / 512,
                "{per_mille}: {found}"
            );
        }
        assert_eq!(histogram.most(), Span::from_secs(1));
        assert_eq!(histogram.count(), 1_000_000);
        assert!(histogram.counts.len() < 12_000);
    }

    #[test]
    fn nothing_seen_is_nothing() {
        assert_eq!(Histogram::default().quantile(500), Span::ZERO);
    }
}
