use super::shared::Shared;
use crate::event::{Event, WaitReason};

/// Tells an event to people: one line, in words an operator understands.
pub(super) fn tell(shared: &Shared, event: &Event) {
    let election = shared.election.as_str();
    let candidate = shared.candidate();
    let candidate = candidate.name.as_str();
    macro_rules! line {
        ($level:ident, $($rest:tt)*) => {
            tracing::$level!(target: "tenure", election, candidate, $($rest)*)
        };
    }
    match event {
        // Told with the error itself, by the driver.
        Event::BackendFailed { .. } => {}
        Event::Draining { reason, token } => {
            line!(info, %token, "resigning: {reason}; the work may finish what it does");
        }
        Event::JeopardyBegan { token } => {
            line!(warn, %token, "in jeopardy: no renewal was confirmed in time; start nothing new");
        }
        Event::JeopardyEnded { token } => {
            line!(info, %token, "out of jeopardy: a renewal was confirmed")
        }
        // That this candidate leads is told when it starts to.
        Event::LeaderChanged {
            leader: Some(leader),
        } if leader.is(&shared.candidate()) => {}
        Event::LeaderChanged {
            leader: Some(leader),
        } => {
            line!(info, leader = leader.name(), holder = %leader, "the lock is held by {}", leader.name());
        }
        Event::LeaderChanged { leader: None } => line!(info, "nobody is known to hold the lock"),
        Event::MembersChanged { members } => {
            line!(info, members = members.len(), "the members have changed")
        }
        Event::Overrun { token } => {
            line!(error, %token, "the work did not stop within the stop timeout: another may lead now");
        }
        Event::ReleaseFailed { token } => {
            line!(warn, %token, "the lock could not be given back: others take it once it has aged or its session has ended");
        }
        Event::Started { token } => line!(info, %token, "leading"),
        Event::Stopped { reason, token } => line!(info, %token, "stopped: {reason}"),
        Event::Stopping { reason, token } => {
            line!(warn, %token, "leadership is over: {reason}; stopping the work at once")
        }
        Event::Suspended { duration } => {
            line!(warn, suspended = ?duration, "the machine was suspended: the time counts as passed");
        }
        Event::TokenWentBack { granted, last } => line!(
            error,
            %granted,
            %last,
            "the lock was granted with a token that is not new, and given back: was the store restored from a backup?"
        ),
        Event::Waiting { at_most, reason } => match (reason, at_most) {
            (WaitReason::Paused, _) => {
                line!(info, "not trying: an operator has paused the election")
            }
            (WaitReason::UnexplainedVacancy, at_most) => line!(
                warn,
                at_most = ?at_most.unwrap_or_default(),
                "the lock is ours but had been deleted, replaced or emptied: waiting until no former leader can believe any more"
            ),
        },
        Event::WatchdogFired { token } => {
            line!(error, %token, "the runtime was blocked past the deadline: the watchdog has ended the leadership");
        }
    }
}
