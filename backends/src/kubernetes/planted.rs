//! Mistakes that the backend can be made with, so that a simulator can prove that it would see them.
//!
//! Compiled into something that can make them only with the feature `simulated-api`. Without it `Planted::is` is false for the compiler,
//! and every hook is gone.

use serde_json::{Value, json};
use tenure_core::FencingToken;
use tenure_core::backend::{Claim, LockState, Observation, ReleaseMark, Renewal};

use super::annotations;
use super::record::{Draft, Lease};

/// A mistake of the backend. Each breaks one promise of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "simulated-api"),
    expect(
        unreachable_pub,
        reason = "public only where a simulator is to have it"
    )
)]
pub enum Mistake {
    /// A pod that is gone or not ready is taken for dead.
    AbsenceIsDeath,
    /// Any container of the holder's pod that has ended is taken for the holder's.
    AnyContainerEnded,
    /// The mark of a release stays in the record through later leaderships, and vouches for whoever empties it.
    MarkOutlives,
    /// A release empties the record of whoever has the candidate's name.
    ReleaseByName,
    /// The fencing token is the count of transitions.
    TokenFromTransitions,
    /// The duration in the record is rounded down.
    TruncatedDuration,
}

/// The mistake that a backend makes, if any.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Planted {
    #[cfg(feature = "simulated-api")]
    pub(crate) mistake: Option<Mistake>,
}

impl Planted {
    #[cfg(feature = "simulated-api")]
    pub(crate) fn is(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    #[cfg(not(feature = "simulated-api"))]
    #[expect(clippy::unused_self, reason = "it has the form of the other one")]
    pub(crate) const fn is(self, _: Mistake) -> bool {
        false
    }

    /// What is done to a claim besides.
    pub(crate) fn spoil_claim(self, draft: &mut Draft, base: Option<&Lease>, claim: &Claim) {
        if self.is(Mistake::TruncatedDuration) {
            truncate(draft, claim.lease_duration);
        }
        if self.is(Mistake::MarkOutlives) {
            let mark = base.and_then(|base| base.annotation(annotations::RELEASED));
            draft.annotate(annotations::RELEASED, mark.map(str::to_owned));
        }
    }

    /// What is done to a renewal besides.
    pub(crate) fn spoil_renewal(self, draft: &mut Draft, renewal: &Renewal) {
        if self.is(Mistake::TruncatedDuration) {
            truncate(draft, renewal.lease_duration);
        }
    }

    /// The token of a grant, if it is another one than the version.
    pub(crate) fn token(self, lease: &Lease) -> Option<FencingToken> {
        if !self.is(Mistake::TokenFromTransitions) {
            return None;
        }
        FencingToken::new(lease.transitions()?.checked_add(1)?)
    }

    /// What a record is taken to say.
    pub(crate) fn misread(self, lease: &Lease, mut seen: Observation) -> Observation {
        if self.is(Mistake::MarkOutlives)
            && let LockState::Vacant { identity, mark } = &mut seen.lock
            && let Some(released) = annotations::released(lease)
        {
            *mark = (released.identity == *identity).then_some(ReleaseMark {
                by: released.by,
                identity: *identity,
            });
        }
        seen
    }

    /// Whether what is known of a holder's pod is taken for the holder's death, which it is not.
    pub(crate) fn takes_for_death(self, pod: Option<&Value>) -> bool {
        if self.is(Mistake::AbsenceIsDeath) {
            return !pod.is_some_and(is_ready);
        }
        self.is(Mistake::AnyContainerEnded) && pod.is_some_and(has_ended_container)
    }
}

fn truncate(draft: &mut Draft, duration: std::time::Duration) {
    draft.set("leaseDurationSeconds", json!(duration.as_secs().max(1)));
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn has_ended_container(pod: &Value) -> bool {
    let statuses = pod.pointer("/status/containerStatuses");
    let statuses = statuses.and_then(Value::as_array).into_iter().flatten();
    statuses
        .flat_map(|status| [&status["state"], &status["lastState"]])
        .any(|state| state["terminated"].is_object())
}
