//! What the demo's journal proves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::journal::{Entry, Kind};

/// How leadership went from one candidate to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Handover {
    pub(super) cause: &'static str,
    pub(super) from: String,
    pub(super) took: Duration,
    pub(super) to: String,
}

/// The summary of a demo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    /// Fires that were run more than once, by the second they were scheduled for.
    pub(super) double: Vec<u64>,
    pub(super) expected: usize,
    pub(super) handovers: Vec<Handover>,
    /// Fires that nobody ran.
    pub(super) missed: Vec<u64>,
    /// Pairs of processes whose fires ran at the same time.
    pub(super) overlaps: Vec<(u32, u32)>,
    pub(super) ran: usize,
    /// Fires with a smaller token than a fire before them.
    pub(super) stale: Vec<u64>,
}

impl Verdict {
    /// Judges the fires from the first that was run to `last`, both by the second they were scheduled for.
    pub(super) fn of(entries: &[Entry], last: u64, handovers: Vec<Handover>) -> Self {
        let starts: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.kind == Kind::Start)
            .collect();
        let mut runs: BTreeMap<u64, usize> = BTreeMap::new();
        for start in &starts {
            *runs.entry(start.scheduled).or_default() += 1;
        }
        let expected: BTreeSet<u64> = match runs.first_key_value() {
            Some((first, _)) => (*first..=last).collect(),
            None => BTreeSet::new(),
        };
        let stale = starts
            .windows(2)
            .filter(|pair| pair[1].token < pair[0].token);
        Self {
            double: runs
                .iter()
                .filter(|(_, times)| **times > 1)
                .map(|(fire, _)| *fire)
                .collect(),
            expected: expected.len(),
            handovers,
            missed: expected
                .iter()
                .filter(|fire| !runs.contains_key(fire))
                .copied()
                .collect(),
            overlaps: overlaps(entries),
            ran: starts
                .iter()
                .filter(|start| start.scheduled <= last)
                .count(),
            stale: stale.map(|pair| pair[1].scheduled).collect(),
        }
    }

    /// Whether every fire was run once, one at a time, under growing tokens, with all three handovers.
    pub(super) fn is_good(&self) -> bool {
        self.expected > 0
            && self.double.is_empty()
            && self.missed.is_empty()
            && self.overlaps.is_empty()
            && self.stale.is_empty()
            && self.handovers.len() == super::FAULTS
    }
}

/// Processes that ran at the same time. One without an end line was killed before the next one started, or the lock has failed: it
/// counts as having run until its own last line.
fn overlaps(entries: &[Entry]) -> Vec<(u32, u32)> {
    let mut running: BTreeMap<u32, u64> = BTreeMap::new();
    let mut ends: BTreeMap<u32, u64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::End) {
        ends.insert(entry.process, entry.written);
    }
    let mut found = Vec::new();
    for start in entries.iter().filter(|entry| entry.kind == Kind::Start) {
        running.retain(|_, end| *end > start.written);
        found.extend(running.keys().map(|other| (*other, start.process)));
        let end = ends.get(&start.process).copied().unwrap_or(start.written);
        running.insert(start.process, end);
    }
    found
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "fires: {} expected, {} run, {} missed, {} double; {} at the same time; {} with an old token",
            self.expected,
            self.ran,
            self.missed.len(),
            self.double.len(),
            self.overlaps.len(),
            self.stale.len()
        )?;
        for handover in &self.handovers {
            let Handover {
                cause,
                from,
                took,
                to,
            } = handover;
            let milliseconds = took.as_micros() / 1000;
            writeln!(f, "{from} {cause}: {to} led after {milliseconds} ms")?;
        }
        f.write_str(if self.is_good() {
            "all is right: each fire ran once, in one place at a time"
        } else {
            "something is wrong"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fire(scheduled: u64, token: u64, process: u32, start: u64, end: u64) -> [Entry; 2] {
        let entry = |kind, written| Entry {
            kind,
            candidate: "pod".to_owned(),
            process,
            scheduled,
            token,
            written,
        };
        [entry(Kind::Start, start), entry(Kind::End, end)]
    }

    fn handovers() -> Vec<Handover> {
        let handover = Handover {
            cause: "was killed",
            from: "pod-1".to_owned(),
            took: Duration::from_millis(3),
            to: "pod-2".to_owned(),
        };
        vec![handover; super::super::FAULTS]
    }

    #[test]
    fn fires_that_ran_once_and_apart_are_right() {
        let entries = [fire(1, 5, 10, 100, 200), fire(2, 6, 11, 300, 400)].concat();
        let verdict = Verdict::of(&entries, 2, handovers());
        assert!(verdict.is_good(), "{verdict}");
        assert_eq!((verdict.expected, verdict.ran), (2, 2));
    }

    #[test]
    fn each_kind_of_wrong_is_found() {
        let right = fire(1, 5, 10, 100, 200);
        let missed = Verdict::of(&right, 2, handovers());
        assert_eq!(
            (missed.missed.as_slice(), missed.is_good()),
            ([2].as_slice(), false)
        );
        let double = [right.clone(), fire(1, 6, 11, 300, 400)].concat();
        assert_eq!(Verdict::of(&double, 1, handovers()).double, [1]);
        let overlap = [right.clone(), fire(2, 6, 11, 150, 250)].concat();
        assert_eq!(Verdict::of(&overlap, 2, handovers()).overlaps, [(10, 11)]);
        let stale = [right.clone(), fire(2, 4, 11, 300, 400)].concat();
        assert_eq!(Verdict::of(&stale, 2, handovers()).stale, [2]);
        assert!(!Verdict::of(&right, 1, Vec::new()).is_good());
        assert!(!Verdict::of(&[], 1, handovers()).is_good());
    }
}
