use tenure_core::elector::{Events, Told};
use tenure_core::{Event, FencingToken, StopReason};

use super::oracle::{Oracle, Violation};
use crate::executor::{Handle, NodeId};

/// Where one elector's events are: of each leadership `Started`, then exactly one `Stopped`, with the same token.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Grammar {
    leading: Option<FencingToken>,
    newest: Option<FencingToken>,
}

impl Grammar {
    /// Takes in the next event. Says whether it may come now.
    pub(super) fn allows(&mut self, event: &Event) -> bool {
        match event {
            Event::Started { token } => {
                let allowed =
                    self.leading.is_none() && self.newest.is_none_or(|newest| newest < *token);
                self.leading = Some(*token);
                self.newest = self.newest.max(Some(*token));
                allowed
            }
            Event::Stopped { token, .. } => self.leading.take() == Some(*token),
            Event::Draining { token, .. }
            | Event::Stopping { token, .. }
            | Event::JeopardyBegan { token }
            | Event::JeopardyEnded { token }
            | Event::Overrun { token } => self.leading == Some(*token),
            _ => true,
        }
    }
}

/// Reads an elector's events for as long as it runs, and judges them.
pub(super) async fn judge(mut events: Events, node: NodeId, oracle: Oracle, handle: Handle) {
    let mut grammar = Grammar::default();
    while let Some(told) = events.next().await {
        let event = match told {
            Told::Event(event) => event,
            Told::Missed(_) => {
                grammar = Grammar::default();
                continue;
            }
        };
        oracle.record(handle.now(), format_args!("{node} {event:?}"));
        count(&oracle, &event);
        if !grammar.allows(&event) {
            oracle.accuse(Violation::Grammar {
                event: format!("{event:?}"),
                node,
            });
        }
    }
}

fn count(oracle: &Oracle, event: &Event) {
    oracle.tally().count(|stats| match event {
        Event::Stopped {
            reason: StopReason::DeadlinePassed,
            ..
        } => stats.lost_by_deadline += 1,
        Event::Stopped {
            reason: StopReason::LockVanished | StopReason::Usurped { .. },
            ..
        } => {
            stats.lost_by_sight += 1;
        }
        Event::Waiting {
            at_most: Some(_), ..
        } => stats.waits += 1,
        _ => {}
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(events: &[Event]) -> bool {
        let mut grammar = Grammar::default();
        events.iter().all(|event| grammar.allows(event))
    }

    fn started(token: u64) -> Event {
        Event::Started {
            token: FencingToken::new(token).unwrap(),
        }
    }

    fn stopped(token: u64) -> Event {
        let reason = StopReason::Resigned;
        Event::Stopped {
            reason,
            token: FencingToken::new(token).unwrap(),
        }
    }

    #[test]
    fn one_leadership_after_the_other_is_allowed() {
        assert!(allowed(&[started(1), stopped(1), started(3), stopped(3)]));
    }

    #[test]
    fn a_leadership_within_another_or_two_ends_are_not() {
        assert!(!allowed(&[started(1), started(2)]));
        assert!(!allowed(&[started(1), stopped(2)]));
        assert!(!allowed(&[started(1), stopped(1), stopped(1)]));
        assert!(!allowed(&[started(2), stopped(2), started(2)]));
    }
}
