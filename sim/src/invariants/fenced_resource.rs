use super::Invariant;
use super::findings::Findings;
use crate::trace::{Record, What};

/// S3: a resource that checks tokens takes no write of an older leadership after one of a newer leadership, and refuses none of the
/// newest.
///
/// Claimed whatever assumption is broken: it is the complete answer to a pause between check and act.
#[derive(Clone, Default, Debug)]
pub(super) struct FencedResource {
    newest: u64,
}

impl FencedResource {
    pub(super) fn see(&mut self, record: &Record, findings: &mut Findings) {
        let What::Touched { accepted, token } = record.what else {
            return;
        };
        let newest = self.newest;
        if accepted != (token >= newest) {
            findings.accuse(record.at, Invariant::FencedResource, || {
                let did = if accepted { "took" } else { "refused" };
                format!("a resource {did} a write with token {token} after one with {newest}")
            });
        }
        if accepted {
            self.newest = newest.max(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    fn touched(writes: &[(u64, bool)]) -> Vec<Invariant> {
        let mut history = History::of(Backend::Lease);
        for (token, accepted) in writes.iter().copied() {
            history.at(1_000, 0, What::Touched { accepted, token });
        }
        history.broken()
    }

    #[test]
    fn an_older_write_that_is_refused_passes() {
        assert_eq!(touched(&[(1, true), (1, true), (3, true), (1, false)]), []);
    }

    #[test]
    fn an_older_write_that_is_taken_is_found() {
        let found = touched(&[(1, true), (3, true), (1, true)]);
        assert_eq!(found, [Invariant::FencedResource]);
    }

    #[test]
    fn a_newest_write_that_is_refused_is_found() {
        assert_eq!(
            touched(&[(1, true), (3, false)]),
            [Invariant::FencedResource]
        );
    }
}
