use std::time::Duration;

use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant, NodeFacts};
use crate::TrueTime;
use crate::trace::{Deed, Record, What};

/// L4: in the quiet time leadership does not move: whom the store grants it then goes on, unless its work ends by itself, it is asked
/// to stop, or its session ends for a silence from before.
#[derive(Clone, Debug)]
pub(super) struct NoFlap {
    nodes: Vec<Settled>,
    /// The token of the hold that was there when an operator's request came last.
    requested: Option<u64>,
    /// For how long after everything is healed a session may still end for a silence from before.
    silence: Duration,
}

/// A leadership that began in the quiet time, and whether it may end.
#[derive(Clone, Copy, Default, Debug)]
struct Settled {
    token: Option<u64>,
    granted: Option<TrueTime>,
    may_end: bool,
    session_ended: Option<TrueTime>,
}

impl Settled {
    /// A place that came free may be granted to a session that is itself about to end.
    fn lost_its_session(&self) -> bool {
        self.session_ended.is_some() && self.session_ended >= self.granted
    }
}

impl NoFlap {
    pub(super) fn new(facts: &Facts) -> Self {
        let session = |node: &NodeFacts| {
            let lease = Duration::from(node.lease);
            lease + lease * node.drift_ppm / 1_000_000
        };
        let longest = facts.nodes.iter().map(session).max().unwrap_or_default();
        Self {
            nodes: vec![Settled::default(); facts.nodes.len()],
            requested: None,
            // A server looks once a tick which sessions are over.
            silence: longest + 2 * Duration::from(facts.server.tick),
        }
    }

    pub(super) fn concerns(what: &What) -> bool {
        matches!(
            what,
            What::Leads { .. }
                | What::LeadsNot { .. }
                | What::WorkEnded { .. }
                | What::Asked { .. }
                | What::SessionEnded { .. }
                | What::Wrote { .. }
                | What::Up { .. }
                | What::Down { .. }
        )
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        if let What::Wrote {
            deed: Deed::Requested,
            token,
            ..
        } = record.what
        {
            self.requested = token;
            // An operator's request that was long on its way: it may ask anybody.
            self.nodes.iter_mut().for_each(|node| node.may_end = true);
        }
        let Some(quiet) = scene.quiet_since else {
            return;
        };
        if let What::SessionEnded { life } = record.what
            && record.at <= quiet.plus(self.silence)
            && let Some(index) = scene.node_of(life)
        {
            self.nodes[index].session_ended = Some(record.at);
        }
        let Some(index) = scene.index(record) else {
            return;
        };
        let granted = scene.nodes[index].granted.map(|(_, at)| at);
        let granted = granted.filter(|at| Some(*at) > scene.settled_since());
        let settled = &mut self.nodes[index];
        match (record.what, granted) {
            (What::Leads { token, .. }, Some(_)) if scene.begins => {
                settled.token = Some(token);
                settled.granted = granted;
                let misled = scene.facts.misleads_operators();
                settled.may_end = misled || self.requested == Some(token);
            }
            // Work that was told to stop has not ended by itself.
            (What::WorkEnded { .. }, _) => settled.may_end |= scene.ended_by_itself,
            (What::Asked { .. }, _) => settled.may_end = true,
            (What::LeadsNot { .. } | What::Down { .. }, _) => {
                if let Some(token) = settled.token.take()
                    && !settled.may_end
                    && !settled.lost_its_session()
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
    use crate::trace::{Life, WorkEnd};

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
    fn a_session_may_end_for_a_silence_from_before_and_for_none_from_after() {
        let mut history = History::of(Backend::Session);
        history.world(100_000, What::Quiet).elects(102_000, 1);
        history.world(103_000, What::SessionEnded { life: Life(2) });
        history.stops(104_000, 1);
        assert!(!breaks(&history));
        let mut history = History::of(Backend::Session);
        history.world(100_000, What::Quiet).elects(102_000, 1);
        history.world(130_000, What::SessionEnded { life: Life(2) });
        history.stops(131_000, 1);
        assert!(breaks(&history));
    }

    #[test]
    fn a_leader_that_stops_for_no_reason_is_found() {
        let mut history = History::of(Backend::Lease);
        history.world(100_000, What::Quiet);
        history.elects(102_000, 1).stops(104_000, 1);
        assert!(breaks(&history));
    }
}
