use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::trace::{Down, Record, Told, What};

/// S8: what an election tells comes in the promised order.
///
/// Of each life: `Started` with a token larger than all before, then at most one `Draining`, at most one `Stopping`, jeopardy that begins
/// and ends in turn, and exactly one `Stopped` with the same token, told when no work runs any more. Only a process that dies leaves
/// it out. Nothing about a leadership is told outside of it.
#[derive(Clone, Debug)]
pub(super) struct EventGrammar {
    nodes: Vec<Order>,
}

/// Where one candidate's events are.
#[derive(Clone, Copy, Default, Debug)]
struct Order {
    leading: Option<u64>,
    newest: u64,
    jeopardy: bool,
    draining: bool,
    stopping: bool,
}

impl EventGrammar {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            nodes: vec![Order::default(); facts.nodes.len()],
        }
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let order = &mut self.nodes[index];
        match record.what {
            What::Up { .. } => *order = Order::default(),
            What::ShutDown | What::Down { how: Down::Ended } => {
                if let Some(token) = order.leading.take() {
                    findings.accuse(record.at, Invariant::EventGrammar, || {
                        format!("n{index} has ended, and did not tell that token {token} stopped")
                    });
                }
            }
            What::Told { event, token } => {
                let works = scene.nodes[index].work.is_some();
                let before = *order;
                if !order.allows(event, token) || (event == Told::Stopped && works) {
                    findings.accuse(record.at, Invariant::EventGrammar, || {
                        let work = if works {
                            "its work runs"
                        } else {
                            "no work runs"
                        };
                        format!(
                            "n{index} tells {event:?} of token {token} after {before:?}; {work}"
                        )
                    });
                }
            }
            _ => {}
        }
    }
}

impl Order {
    /// Takes in the next event. Says whether it may come now.
    fn allows(&mut self, event: Told, token: u64) -> bool {
        let own = self.leading == Some(token);
        match event {
            Told::Started => {
                let allowed = self.leading.is_none() && self.newest < token;
                *self = Self {
                    leading: Some(token),
                    newest: token.max(self.newest),
                    ..Self::default()
                };
                allowed
            }
            Told::JeopardyBegan => own && !std::mem::replace(&mut self.jeopardy, true),
            Told::JeopardyEnded => own && std::mem::take(&mut self.jeopardy),
            Told::Draining => own && !self.stopping && !std::mem::replace(&mut self.draining, true),
            Told::Stopping => own && !std::mem::replace(&mut self.stopping, true),
            Told::Stopped => self.leading.take() == Some(token),
            Told::Overrun => own,
            // The lock is given back, and the guard looks, after the leadership; a wait comes before it.
            Told::ReleaseFailed | Told::WatchdogFired | Told::Waiting => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    fn told(events: &[(Told, u64)]) -> Vec<Invariant> {
        let mut history = History::of(Backend::Lease);
        for (event, token) in events.iter().copied() {
            history.at(1_000, 0, What::Told { event, token });
        }
        history.broken()
    }

    #[test]
    fn whole_leaderships_one_after_the_other_pass() {
        let events = [
            (Told::Waiting, 0),
            (Told::Started, 1),
            (Told::JeopardyBegan, 1),
            (Told::JeopardyEnded, 1),
            (Told::Draining, 1),
            (Told::Stopping, 1),
            (Told::Stopped, 1),
            (Told::ReleaseFailed, 1),
            (Told::Started, 4),
            (Told::Stopped, 4),
        ];
        assert_eq!(told(&events), []);
    }

    #[test]
    fn what_comes_twice_or_out_of_order_is_found() {
        for events in [
            &[(Told::Started, 1), (Told::Started, 2)][..],
            &[(Told::Started, 1), (Told::Stopped, 2)],
            &[(Told::Started, 1), (Told::Stopped, 1), (Told::Stopped, 1)],
            &[(Told::Started, 2), (Told::Stopped, 2), (Told::Started, 2)],
            &[(Told::Stopping, 1)],
            &[(Told::Started, 1), (Told::JeopardyEnded, 1)],
            &[(Told::Started, 1), (Told::Stopping, 1), (Told::Draining, 1)],
        ] {
            assert_eq!(told(events), [Invariant::EventGrammar], "{events:?}");
        }
    }

    #[test]
    fn a_stop_that_is_told_while_the_work_runs_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        for event in [Told::Started, Told::Stopped] {
            history.at(1_010, 0, What::Told { event, token });
        }
        assert_eq!(history.broken(), [Invariant::EventGrammar]);
    }

    #[test]
    fn an_end_without_a_stop_is_found_and_a_crash_is_not() {
        for (how, found) in [(Down::Crashed, false), (Down::Ended, true)] {
            let mut history = History::of(Backend::Lease);
            let (event, token) = (Told::Started, 1);
            history.at(1_000, 0, What::Told { event, token });
            history.at(2_000, 0, What::Down { how });
            assert_eq!(history.broken().contains(&Invariant::EventGrammar), found);
        }
    }
}
