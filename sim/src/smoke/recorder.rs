use std::collections::VecDeque;
use std::fmt;

use crate::TrueTime;
use crate::trace::TraceHash;

/// Collects what happens: all of it in the hash, the last lines as text.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    hash: TraceHash,
    kept: usize,
    lines: VecDeque<String>,
}

impl Recorder {
    /// A recorder that keeps the last `kept` lines.
    pub(super) fn new(kept: usize) -> Self {
        Self {
            hash: TraceHash::EMPTY,
            kept,
            lines: VecDeque::new(),
        }
    }

    /// Records that `what` happened at `at`.
    pub(super) fn record(&mut self, at: TrueTime, what: fmt::Arguments<'_>) {
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
    pub(super) fn hash(&self) -> TraceHash {
        self.hash
    }

    /// The last lines, oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
