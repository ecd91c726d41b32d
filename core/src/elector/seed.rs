use crate::Incarnation;

/// Where an elector's incarnations and jitter come from. The core draws no random numbers: whoever builds the election gives it 128
/// bits that nobody else has, from the operating system in production and from the run's seed in the simulator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seed([u64; 2]);

impl Seed {
    /// A seed of these bits.
    pub const fn from_bits(bits: [u64; 2]) -> Self {
        Self(bits)
    }

    /// The incarnation of the elector's start number `start`: another one for each start.
    pub(super) fn incarnation(self, start: u64) -> Incarnation {
        let mut high = SplitMix64(self.0[0] ^ mix(start));
        let mut low = SplitMix64(self.0[1] ^ mix(!start));
        let bits = (u128::from(high.next()) << 64) | u128::from(low.next());
        Incarnation::from_bits(bits)
    }

    pub(super) fn jitter(self, start: u64) -> SplitMix64 {
        SplitMix64(self.0[0].rotate_left(32) ^ self.0[1] ^ mix(start))
    }
}

/// Sebastiano Vigna's SplitMix64 (public domain, prng.di.unimi.it): spreads polls, decides nothing.
#[derive(Clone, Debug)]
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub(super) fn next_u32(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).expect("the upper half of 64 bits is 32 bits")
    }
}

fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut numbers = SplitMix64(1_234_567);
        assert_eq!(numbers.next(), 6_457_827_717_110_365_317);
        assert_eq!(numbers.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn each_start_is_another_incarnation() {
        let seed = Seed::from_bits([1, 2]);
        assert_ne!(seed.incarnation(0), seed.incarnation(1));
        assert_ne!(seed.incarnation(0), Seed::from_bits([1, 3]).incarnation(0));
        assert_ne!(seed.incarnation(0), Seed::from_bits([2, 2]).incarnation(0));
    }
}
