use super::single_leader::SingleLeader;
use super::{Breach, Facts};
use crate::trace::Record;

/// All invariants, looking at one run.
#[derive(Clone, Debug)]
pub struct Jury {
    breach: Option<Breach>,
    single_leader: SingleLeader,
}

impl Jury {
    /// The invariants of a run of which these facts are known.
    pub fn new(facts: Facts) -> Self {
        Self {
            breach: None,
            single_leader: SingleLeader::new(&facts),
        }
    }

    /// Looks at what happened. What was found first stays.
    pub fn see(&mut self, record: &Record) {
        if let Some(breach) = self.single_leader.see(record) {
            self.breach.get_or_insert(breach);
        }
    }

    /// What was found, if anything.
    pub fn breach(&self) -> Option<&Breach> {
        self.breach.as_ref()
    }
}
