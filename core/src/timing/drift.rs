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

/// Reads a ratio as people write it (`1%`, `0.05%`, `500ppm`), in parts per million; nothing when it is none, or more than 32 bits.
pub fn parts_per_million(text: &str) -> Option<u32> {
    if let Some(number) = text.strip_suffix("ppm") {
        return number.trim().parse().ok();
    }
    let number = text.strip_suffix('%')?.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 4 || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<4}").parse().ok()
}

fn saturated(nanoseconds: u128) -> Nanos {
    Nanos::new(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}
