use tenure_core::elector::{self, Events};
use tenure_core::{Event, FencingToken, StopReason};

use super::log::Actor;
use crate::trace::{Mark, Told, What};

/// Reads an elector's events for as long as it runs, and tells them.
pub(super) async fn tell_all(mut events: Events, actor: Actor) {
    while let Some(told) = events.next().await {
        let elector::Told::Event(event) = told else {
            continue;
        };
        if let Some((event, token)) = told_of(&event) {
            let token = token.map_or(0, FencingToken::value);
            actor.tell(What::Told { event, token });
        }
        if let Some(mark) = mark_of(&event) {
            actor.tell(What::Seen { mark });
        }
    }
}

fn told_of(event: &Event) -> Option<(Told, Option<FencingToken>)> {
    Some(match *event {
        Event::Started { token } => (Told::Started, Some(token)),
        Event::JeopardyBegan { token } => (Told::JeopardyBegan, Some(token)),
        Event::JeopardyEnded { token } => (Told::JeopardyEnded, Some(token)),
        Event::Draining { token, .. } => (Told::Draining, Some(token)),
        Event::Stopping { token, .. } => (Told::Stopping, Some(token)),
        Event::Stopped { token, .. } => (Told::Stopped, Some(token)),
        Event::Overrun { token } => (Told::Overrun, Some(token)),
        Event::ReleaseFailed { token } => (Told::ReleaseFailed, Some(token)),
        Event::Waiting { .. } => (Told::Waiting, None),
        Event::WatchdogFired { token } => (Told::WatchdogFired, Some(token)),
        _ => return None,
    })
}

/// Why a leadership ended is known here alone.
fn mark_of(event: &Event) -> Option<Mark> {
    match event {
        Event::Stopped { reason, .. } => match reason {
            StopReason::DeadlinePassed => Some(Mark::LostByDeadline),
            StopReason::LockVanished | StopReason::Usurped { .. } => Some(Mark::LostBySight),
            _ => None,
        },
        _ => None,
    }
}
