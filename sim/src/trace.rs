//! What happened in a run: a hash over everything, and the last lines for people.

use std::collections::VecDeque;
use std::fmt;

use crate::TrueTime;

/// FNV-1a over 64 bits: equal for equal runs, and simple enough to never change.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceHash(u64);

impl TraceHash {
    /// The hash of nothing.
    pub const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds a number.
    pub fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    /// The 64 bits.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Collects what happens: all of it in the hash, the last lines as text.
#[derive(Clone, Debug)]
pub struct Recorder {
    hash: TraceHash,
    kept: usize,
    lines: VecDeque<String>,
}

impl Recorder {
    /// A recorder that keeps the last `kept` lines.
    pub fn new(kept: usize) -> Self {
        Self {
            hash: TraceHash::EMPTY,
            kept,
            lines: VecDeque::new(),
        }
    }

    /// Records that `what` happened at `at`.
    pub fn record(&mut self, at: TrueTime, what: fmt::Arguments<'_>) {
        let line = format!("{at} {what}");
        self.hash.write(line.as_bytes());
        self.hash.write(b"\n");
        if self.kept == 0 {
            return;
        }
        if self.lines.len() == self.kept {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The hash over all that was recorded.
    pub fn hash(&self) -> TraceHash {
        self.hash
    }

    /// The last lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_gives_the_published_values() {
        let hash = |text: &str| {
            let mut hash = TraceHash::EMPTY;
            hash.write(text.as_bytes());
            hash.value()
        };
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_hash_covers_lines_that_are_no_longer_kept() {
        let mut one = Recorder::new(1);
        let mut other = Recorder::new(1);
        one.record(TrueTime::START, format_args!("first"));
        other.record(TrueTime::START, format_args!("second"));
        for recorder in [&mut one, &mut other] {
            recorder.record(TrueTime::START, format_args!("last"));
        }
        assert!(one.lines().eq(other.lines()));
        assert_ne!(one.hash(), other.hash());
    }
}
