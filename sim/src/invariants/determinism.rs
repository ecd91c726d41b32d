use super::{Breach, Invariant};
use crate::run::Outcome;

/// S12: the same plan gives the same trace. Runs it twice, and names the first record that differs where records are kept.
pub fn determinism(run: impl Fn() -> Outcome) -> Option<Breach> {
    let (one, other) = (run(), run());
    if one.hash == other.hash && one.events == other.events {
        return None;
    }
    let longer = one.records.len().max(other.records.len());
    let differs = (0..longer).find(|index| one.records.get(*index) != other.records.get(*index));
    let (at, what) = match differs {
        Some(index) => {
            let (first, second) = (one.records.get(index), other.records.get(index));
            let at = first.or(second).map(|record| record.at);
            let what = format!("record {index} differs: {first:?} and then {second:?}");
            (at.unwrap_or(crate::TrueTime::START), what)
        }
        None => {
            let what = format!("the traces differ: {} and then {}", one.hash, other.hash);
            (crate::TrueTime::START, what)
        }
    };
    Some(Breach {
        at,
        invariant: Invariant::Determinism,
        what,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::TraceHash;

    fn elected_at(ms: u64) -> Outcome {
        let mut history = History::of(Backend::Lease);
        history.elects(ms, 0);
        let mut hash = TraceHash::EMPTY;
        let records = history.records().to_vec();
        records.iter().for_each(|record| record.digest(&mut hash));
        Outcome {
            events: 1,
            hash,
            jury: history.judged(),
            records,
        }
    }

    #[test]
    fn two_equal_runs_pass() {
        assert_eq!(determinism(|| elected_at(1_000)), None);
    }

    #[test]
    fn the_first_record_that_differs_is_named() {
        let runs = Cell::new(1_000);
        let breach = determinism(|| elected_at(runs.replace(runs.get() + 1))).unwrap();
        assert_eq!(breach.invariant, Invariant::Determinism);
        // The three starts are the same.
        assert!(breach.what.starts_with("record 3 differs"), "{breach}");
    }
}
