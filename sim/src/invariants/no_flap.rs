use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::trace::{Deed, Record, What};

/// L4: in the quiet time leadership does not move: whom the store grants it then goes on, unless its work ends by itself or it is asked
/// to stop.
#[derive(Clone, Debug)]
pub(super) struct NoFlap {
    nodes: Vec<Settled>,
}

/// A leadership that began in the quiet time, and whether it may end.
#[derive(Clone, Copy, Default, Debug)]
struct Settled {
    token: Option<u64>,
    may_end: bool,
}

impl NoFlap {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            nodes: vec![Settled::default(); facts.nodes.len()],
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Leads { .. }
                | What::LeadsNot { .. }
                | What::WorkEnded { .. }
                | What::Asked { .. }
                | What::Wrote { .. }
                | What::Up { .. }
                | What::Down { .. }
        )
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        if let What::Wrote {
            deed: Deed::Requested,
            ..
        } = record.what
        {
            // An operator's request that was long on its way: it may ask anybody.
            self.nodes.iter_mut().for_each(|node| node.may_end = true);
        }
        let (Some(quiet), Some(index)) = (scene.quiet_since, scene.index(record)) else {
            return;
        };
        let granted = scene.nodes[index].granted;
        let granted = granted.is_some_and(|(_, at)| at > quiet);
        let settled = &mut self.nodes[index];
        match record.what {
            What::Leads { token, .. } if scene.begins && granted => {
                *settled = Settled {
                    token: Some(token),
                    may_end: false,
                };
            }
            // Work that was told to stop has not ended by itself.
            What::WorkEnded { .. } => settled.may_end |= scene.ended_by_itself,
            What::Asked { .. } => settled.may_end = true,
            What::LeadsNot { .. } | What::Down { .. } => {
                if let Some(token) = settled.token.take()
                    && !settled.may_end
                {
                    findings.accuse(record.at, Invariant::NoFlap, || {
                        format!(
                            "n{index} led since everything is healed, with token {token}, and stops"
                        )
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;
    use crate::trace::WorkEnd;

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::NoFlap)
    }

    #[test]
    fn a_leader_from_before_may_go_and_one_whose_work_ends_too() {
        let mut history = History::of(Backend::Lease);
        history.elects(99_000, 0).world(100_000, What::Quiet);
        history.stops(101_000, 0).elects(102_000, 1);
        let (how, token) = (WorkEnd::Returned, history.token());
        history.at(104_000, 1, What::WorkEnded { how, token });
        history.at(104_000, 1, What::LeadsNot { token });
        assert!(!breaks(&history));
    }

    #[test]
    fn a_leader_that_stops_for_no_reason_is_found() {
        let mut history = History::of(Backend::Lease);
        history.world(100_000, What::Quiet);
        history.elects(102_000, 1).stops(104_000, 1);
        assert!(breaks(&history));
    }
}
