use super::Invariant;
use super::bounds::Bounds;
use super::findings::Findings;
use super::scene::Scene;
use crate::TrueTime;
use crate::trace::{Record, What};

/// L1: once everything is healed, somebody leads within a bound, and after every leadership that ends then somebody else.
///
/// The bound, from the moment at which nobody leads and some candidate may: the lock ages L · (1 + ρ) after it is seen, which is one and
/// a half renew intervals later at the most (or who lets others go first has waited, or who was told to come later); a vacancy that
/// nobody explains is waited out for L · (1 + ρ) more; and a handful of calls and retries. See [`Bounds`].
#[derive(Clone, Debug)]
pub(super) struct Converge {
    bound: u64,
    /// When nobody leads any more, as things are.
    vacant_from: TrueTime,
    due: TrueTime,
}

impl Converge {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            bound: bounds.converge,
            vacant_from: TrueTime::END,
            due: TrueTime::END,
        }
    }

    pub(super) fn is_due(&self, at: TrueTime) -> bool {
        at > self.due
    }

    pub(super) fn settle(&mut self, findings: &mut Findings) {
        let since = self.vacant_from;
        findings.accuse(self.due, Invariant::Converge, || {
            format!("nobody leads since {since}, and nothing is wrong any more")
        });
        (self.vacant_from, self.due) = (TrueTime::END, TrueTime::END);
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        let Some(quiet) = scene.quiet_since else {
            return;
        };
        if record.what == What::End {
            self.due = TrueTime::END;
            return;
        }
        let nodes = &scene.nodes;
        let led_until = nodes.iter().filter_map(|node| node.leads_until()).max();
        let able = nodes.iter().any(|node| node.is_able());
        let from = match led_until {
            _ if !able => TrueTime::END,
            Some(until) if until > record.at => until,
            // Nobody leads now, as before: the wait goes on.
            _ if self.vacant_from <= record.at => self.vacant_from,
            _ => record.at.max(quiet),
        };
        self.vacant_from = from;
        self.due = TrueTime::from_nanos(from.nanos().saturating_add(self.bound));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::Converge)
    }

    #[test]
    fn a_leader_after_some_time_passes() {
        let mut history = History::of(Backend::Lease);
        history.world(100_000, What::Quiet).elects(115_000, 0);
        history.at(
            115_000,
            0,
            What::Leads {
                token: history.token(),
                sent: crate::invariants::history::moment(115_000),
                until: TrueTime::END,
            },
        );
        history.world(160_000, What::End);
        assert!(!breaks(&history));
    }

    #[test]
    fn nobody_at_all_is_found() {
        let mut history = History::of(Backend::Lease);
        history
            .world(100_000, What::Quiet)
            .world(160_000, What::End);
        assert!(breaks(&history));
    }

    #[test]
    fn nobody_after_a_leader_that_goes_is_found() {
        let mut history = History::of(Backend::Lease);
        history.world(100_000, What::Quiet);
        history.elects(101_000, 0).stops(110_000, 0);
        history.world(160_000, What::End);
        assert!(breaks(&history));
    }

    #[test]
    fn where_nobody_may_nobody_has_to() {
        let mut history = History::of(Backend::Lease);
        for node in 0..3 {
            history.at(
                90_000,
                node,
                What::Down {
                    how: crate::trace::Down::Ended,
                },
            );
        }
        history
            .world(100_000, What::Quiet)
            .world(160_000, What::End);
        assert!(!breaks(&history));
    }
}
