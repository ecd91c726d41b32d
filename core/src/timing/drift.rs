use crate::Nanos;

const MILLION: u128 = 1_000_000;

/// How much faster or slower than true time any clock may run, in parts per million.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Drift {
    ppm: u32,
}

impl Drift {
    pub(super) const fn from_ppm(ppm: u32) -> Self {
        Self { ppm }
    }

    pub(super) const fn ppm(self) -> u32 {
        self.ppm
    }

    fn factor(self) -> u128 {
        MILLION + u128::from(self.ppm)
    }

    /// `span / (1+ρ)²`, rounded down. The product stays below 2⁶⁴ · 2⁴⁰, far inside 128 bits.
    pub(super) fn shrink_twice(self, span: Nanos) -> Nanos {
        let factor = self.factor();
        saturated(u128::from(span.get()) * MILLION * MILLION / (factor * factor))
    }

    /// The shortest span that [`Self::shrink_twice`] leaves at least `span` of. At 2⁶⁴ ns and the largest ρ that can be told the
    /// product is below 2⁶⁴ · 2⁶⁶.
    pub(super) fn grow_twice(self, span: Nanos) -> Nanos {
        let factor = self.factor();
        let product = u128::from(span.get()).saturating_mul(factor * factor);
        saturated(product.div_ceil(MILLION * MILLION))
    }

    /// `span · (1+ρ)`, rounded up: the most true time in which a clock counts `span`.
    pub(super) fn grow(self, span: Nanos) -> Nanos {
        saturated((u128::from(span.get()) * self.factor()).div_ceil(MILLION))
    }
}

fn saturated(nanoseconds: u128) -> Nanos {
    Nanos::new(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}
