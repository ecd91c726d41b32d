use super::Invariant;
use super::findings::Findings;
use super::scene::Scene;
use crate::trace::{Deed, Operation, Record, What};

/// S7: a lock is given back only after its work has stopped and its candidate believes no longer, and a release changes no hold but
/// its own.
///
/// The first is judged when the release is sent, the second when it takes effect, which may be long after its sender is gone.
#[derive(Debug)]
pub(super) enum ReleaseOwn {}

impl ReleaseOwn {
    pub(super) fn see(scene: &Scene, record: &Record, findings: &mut Findings) {
        match record.what {
            What::Sent {
                operation: Operation::Release,
                ..
            } => {
                let Some(index) = scene.index(record) else {
                    return;
                };
                let node = &scene.nodes[index];
                if node.work.is_some() {
                    findings.accuse(record.at, Invariant::ReleaseOwn, || {
                        format!("n{index} gives the lock back while its work runs")
                    });
                } else if node.believes(record.at) {
                    findings.accuse(record.at, Invariant::ReleaseOwn, || {
                        format!("n{index} gives the lock back while it says that it leads")
                    });
                }
            }
            What::Wrote {
                deed: Deed::Released,
                ..
            } => Self::judge_effect(scene, record, findings),
            _ => {}
        }
    }

    fn judge_effect(scene: &Scene, record: &Record, findings: &mut Findings) {
        let by = scene.cause(record).and_then(|request| request.life);
        let holder = scene.lock_before.holder;
        if let (Some(by), Some(holder)) = (by, holder)
            && by != holder
        {
            findings.accuse(record.at, Invariant::ReleaseOwn, || {
                format!("life {} gave back the lock of life {}", by.0, holder.0)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::ReleaseOwn)
    }

    #[test]
    fn a_release_after_the_work_passes() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(3_000, 0);
        history.call(3_000, 0, Operation::Release, Deed::Released);
        assert!(!breaks(&history));
    }

    #[test]
    fn a_release_under_running_work_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(3_000, 0, What::LeadsNot { token });
        history.call(3_000, 0, Operation::Release, Deed::Released);
        assert!(breaks(&history));
    }

    #[test]
    fn a_release_of_a_lock_that_another_has_taken_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(3_000, 0);
        history.elects(9_500, 1);
        history.call(10_000, 0, Operation::Release, Deed::Released);
        assert!(breaks(&history));
    }
}
