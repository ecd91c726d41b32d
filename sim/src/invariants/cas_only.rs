use super::Invariant;
use super::findings::Findings;
use super::scene::Scene;
use crate::plan::Backend;
use crate::trace::{Deed, Record, What};

/// S9: a candidate's write changes a leased lock only if the lock still has the version that the write was computed from.
///
/// The version that the store compared with has to be the lock's at that moment, and the one that the request carried when it was
/// sent; the version that the write makes is larger. Sessions and lock files compare no versions: their lock excludes by itself.
#[derive(Debug)]
pub(super) enum CasOnly {}

impl CasOnly {
    pub(super) fn see(scene: &Scene, record: &Record, findings: &mut Findings) {
        let What::Wrote {
            deed,
            basis,
            version,
            ..
        } = record.what
        else {
            return;
        };
        if scene.facts.backend != Backend::Lease || matches!(deed, Deed::Foreign(_)) {
            return;
        }
        let had = scene.lock_before.version;
        if basis != had {
            findings.accuse(record.at, Invariant::CasOnly, || {
                format!(
                    "{deed:?} was made against version {basis:?} of a lock with version {had:?}"
                )
            });
        }
        if version <= had {
            findings.accuse(record.at, Invariant::CasOnly, || {
                format!("{deed:?} made version {version:?} of version {had:?}")
            });
        }
        if let Some(request) = scene.cause(record)
            && request.basis != basis
        {
            findings.accuse(record.at, Invariant::CasOnly, || {
                let sent = request.basis;
                format!("{deed:?} was sent for version {sent:?} and made against {basis:?}")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Foreign;
    use crate::trace::Operation;

    #[test]
    fn writes_against_the_version_that_the_lock_has_pass() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.write(1_500, None, Deed::Foreign(Foreign::EditLabel));
        history.call(3_000, 0, Operation::Renew, Deed::Renewed);
        assert_eq!(history.broken(), []);
    }

    #[test]
    fn a_write_that_compared_nothing_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let (holder, token) = (Some(crate::trace::Life(1)), Some(1));
        let what = What::Wrote {
            deed: Deed::Renewed,
            basis: None,
            version: Some(2),
            holder,
            token,
        };
        history.at(3_000, 0, what);
        assert_eq!(history.broken(), [Invariant::CasOnly]);
    }
}
