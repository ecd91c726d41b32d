use super::{Record, TraceHash, What};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::invariants::{Breach, Facts, Jury};

/// Which records a chronicle keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// All: for traces and reports.
    All,
    /// None: all invariants are checked, and memory stays constant.
    Nothing,
}

/// Takes in what happens: hashes it, has the invariants look at it, and keeps it where that is wanted.
#[derive(Debug)]
pub struct Chronicle {
    hash: TraceHash,
    jury: Jury,
    keep: Keep,
    records: Vec<Record>,
    taken: u64,
}

impl Chronicle {
    /// A chronicle of a run of which these facts are known.
    pub fn new(facts: Facts, keep: Keep) -> Self {
        Self {
            hash: TraceHash::EMPTY,
            jury: Jury::new(facts),
            keep,
            records: Vec::new(),
            taken: 0,
        }
    }

    /// The same for candidates that run another election than ours.
    #[must_use]
    pub fn of_a_peer(self) -> Self {
        Self {
            jury: self.jury.of_a_peer(),
            ..self
        }
    }

    /// Takes in what happened at `at`, on `node` or in the world.
    pub fn record(&mut self, at: TrueTime, node: Option<NodeId>, what: What) {
        let record = Record { at, node, what };
        record.digest(&mut self.hash);
        self.taken += 1;
        self.jury.see(&record);
        if self.keep == Keep::All {
            self.records.push(record);
        }
    }

    /// What must not have happened and has, if anything.
    pub fn breach(&self) -> Option<&Breach> {
        self.jury.breach()
    }

    /// The invariants, with all that they counted.
    pub fn jury(&self) -> &Jury {
        &self.jury
    }

    /// The hash over all records.
    pub fn hash(&self) -> TraceHash {
        self.hash
    }

    /// How many records there were.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The records that were kept.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The hash over all records, the invariants, and the records that were kept.
    pub fn finish(self) -> (TraceHash, Jury, Vec<Record>) {
        (self.hash, self.jury, self.records)
    }

    /// The records that were kept, for good.
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }
}
