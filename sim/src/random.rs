//! Random numbers that are the same on every machine and in every release: in-tree, with golden vectors.
//!
//! Every use draws from a [`Stream`] of its own, keyed by seed, node and purpose, so that leaving out one fault or adding one
//! draw somewhere does not shift what happens elsewhere.

use std::ops::RangeInclusive;

/// SplitMix64 (Steele, Lea and Flood 2014): turns any 64 bits, however poor, into good seeds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator with this state.
    pub const fn new(state: u64) -> Self {
        Self(state)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What a stream of random numbers is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u64)]
pub enum Purpose {
    /// The fault plan.
    Plan = 1,
    /// Which of the tasks that are ready runs next, and in which order simultaneous timers fire.
    Schedule = 2,
    /// Clock offsets and rates.
    Clock = 3,
    /// Latency and loss of requests and replies.
    Network = 4,
    /// What an elector is seeded with.
    Elector = 5,
    /// What the work does, and how long it takes to stop.
    Work = 6,
    /// How long system calls take, and what a power cut leaves.
    Disk = 7,
    /// What goes on between the servers of an ensemble.
    Ensemble = 8,
}

/// A stream of random numbers: xoshiro256** (Blackman and Vigna 2018), seeded through [`SplitMix64`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stream([u64; 4]);

impl Stream {
    /// The stream of `purpose` at `node` in the run of `seed`. Streams with different keys are independent.
    pub fn new(seed: u64, node: u64, purpose: Purpose) -> Self {
        let mut mix = SplitMix64::new(seed);
        for key in [node, purpose as u64] {
            mix = SplitMix64::new(mix.next_u64() ^ key.wrapping_mul(0xd6e8_feb8_6659_fd93));
        }
        let mut state = [0; 4];
        for word in &mut state {
            *word = mix.next_u64();
        }
        Self(state)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `bound`, each (almost) equally likely. Nothing is below zero.
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        let product = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the high half of a product has 64 bits")
    }

    /// A number in `range`.
    ///
    /// # Panics
    /// When the range is empty or spans all 64 bits.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// A signed number from `-most` to `most`.
    pub fn around_zero(&mut self, most: u32) -> i64 {
        let drawn = self.below(u64::from(most) * 2 + 1);
        i64::try_from(drawn).expect("at most 2^33") - i64::from(most)
    }

    /// Whether something that happens `per_mille` times in a thousand happens now.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// An index into something of this length.
    ///
    /// # Panics
    /// When the length is zero.
    pub fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).expect("a length fits 64 bits");
        usize::try_from(self.below(bound)).expect("below a length that fits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_numbers() {
        let mut mix = SplitMix64::new(1_234_567);
        let drawn = [(); 5].map(|()| mix.next_u64());
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(drawn, published);
    }

    #[test]
    fn xoshiro_gives_the_published_numbers() {
        let mut stream = Stream([1, 2, 3, 4]);
        let drawn = [(); 10].map(|()| stream.next_u64());
        let published = [
            11_520,
            0,
            1_509_978_240,
            1_215_971_899_390_074_240,
            1_216_172_134_540_287_360,
            607_988_272_756_665_600,
            16_172_922_978_634_559_625,
            8_476_171_486_693_032_832,
            10_595_114_339_597_558_777,
            2_904_607_092_377_533_576,
        ];
        assert_eq!(drawn, published);
    }

    #[test]
    fn a_stream_is_the_same_in_every_release() {
        let mut stream = Stream::new(7, 1, Purpose::Network);
        let drawn = [(); 3].map(|()| stream.next_u64());
        assert_eq!(drawn, GOLDEN);
    }

    const GOLDEN: [u64; 3] = [
        8_997_578_456_211_699_397,
        10_655_215_657_370_138_160,
        392_653_473_528_588_942,
    ];

    #[test]
    fn streams_of_other_keys_differ() {
        let first = |seed, node, purpose| Stream::new(seed, node, purpose).next_u64();
        let drawn = [
            first(1, 1, Purpose::Plan),
            first(1, 1, Purpose::Clock),
            first(1, 2, Purpose::Plan),
            first(2, 1, Purpose::Plan),
        ];
        for (i, a) in drawn.iter().enumerate() {
            assert!(!drawn[i + 1..].contains(a), "{drawn:?}");
        }
    }

    #[test]
    fn every_number_of_a_range_is_drawn_and_no_other() {
        let mut stream = Stream::new(0, 0, Purpose::Plan);
        let mut seen = [0_u32; 5];
        for _ in 0..1000 {
            let drawn = stream.within(10..=14);
            seen[usize::try_from(drawn - 10).unwrap()] += 1;
        }
        assert!(seen.iter().all(|times| *times > 120), "{seen:?}");
        let most = (0..1000).map(|_| stream.around_zero(3).abs()).max();
        assert_eq!(most, Some(3));
    }
}
