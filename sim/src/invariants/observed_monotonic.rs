use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::plan::{Backend, Foreign};
use crate::trace::{Deed, Record, What};

/// S10: what a candidate reads of the lock never goes backwards, neither the token nor the version, unless it came by a way that may be
/// behind.
///
/// A lock that says no token, or has no version, says nothing: a stranger may have emptied or deleted it. The version of a lock file
/// stands only in its record: who makes that unreadable takes it away, and versions begin anew by the next holder's wall clock. Meanwhile it
/// tells as its token up to which number tokens are spent, and that bounds what was granted. A queue of nodes that is empty tells what the
/// last leader wrote that gave it back; what those had that died stands nowhere. And a server of an ensemble that has lost changes tells what it
/// has: who is connected to it may lead by none of that, but reads it.
#[derive(Clone, Debug)]
pub(super) struct ObservedMonotonic {
    newest: Vec<(Option<u64>, Option<u64>)>,
}

impl ObservedMonotonic {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            newest: vec![(None, None); facts.nodes.len()],
        }
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        if let What::Wrote {
            deed: Deed::Foreign(Foreign::Corrupt | Foreign::Empty | Foreign::Overwrite),
            ..
        } = record.what
            && scene.facts.backend == Backend::File
        {
            for (_, version) in &mut self.newest {
                *version = None;
            }
        }
        let Some(index) = scene.index(record) else {
            return;
        };
        match record.what {
            What::Up { .. } => self.newest[index] = (None, None),
            What::Observed {
                token,
                version,
                maybe_stale: false,
            } => {
                let says_less =
                    scene.facts.backend == Backend::File || scene.facts.nodes_in_a_queue;
                if version.is_none() && says_less {
                    return;
                }
                let (newest_token, newest_version) = self.newest[index];
                let behind = token.is_some_and(|token| Some(token) < newest_token)
                    || version.is_some_and(|version| Some(version) < newest_version);
                if behind && !scene.facts.servers_forget() {
                    findings.accuse(record.at, Invariant::ObservedMonotonic, || {
                        format!(
                            "n{index} reads token {token:?} and version {version:?} after {newest_token:?} and {newest_version:?}"
                        )
                    });
                }
                self.newest[index] = (newest_token.max(token), newest_version.max(version));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;

    fn observed(reads: &[(u64, u64, bool)]) -> Vec<Invariant> {
        let mut history = History::of(Backend::Lease);
        for (token, version, maybe_stale) in reads.iter().copied() {
            let (token, version) = (Some(token), Some(version));
            history.at(
                1_000,
                0,
                What::Observed {
                    token,
                    version,
                    maybe_stale,
                },
            );
        }
        history.broken()
    }

    #[test]
    fn reads_that_go_forward_pass_and_so_do_late_hints() {
        let reads = [(1, 1, false), (1, 2, false), (3, 3, false), (1, 2, true)];
        assert_eq!(observed(&reads), []);
    }

    #[test]
    fn an_authoritative_read_of_the_past_is_found() {
        let found = observed(&[(3, 3, false), (1, 2, false)]);
        assert_eq!(found, [Invariant::ObservedMonotonic]);
    }
}
