use super::Invariant;
use super::findings::Findings;
use crate::trace::{Record, What};

/// L7: nothing panics, and nothing is stuck.
#[derive(Clone, Default, Debug)]
pub(super) struct Progress;

impl Progress {
    pub(super) fn see(&mut self, record: &Record, findings: &mut Findings) {
        if record.what == What::Panicked {
            findings.accuse(record.at, Invariant::Progress, || {
                let node = record
                    .node
                    .map_or("the world".to_owned(), |node| node.to_string());
                format!("{node} panicked")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    #[test]
    fn a_run_in_which_nothing_panics_passes() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(2_000, 0);
        assert_eq!(history.broken(), []);
    }

    #[test]
    fn a_panic_is_found() {
        let mut history = History::of(Backend::Lease);
        history.at(1_000, 0, What::Panicked);
        assert_eq!(history.broken(), [Invariant::Progress]);
    }
}
