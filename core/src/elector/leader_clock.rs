use crate::backend::{LockState, Observation};
use crate::{CandidateId, Reading, WallTime};

/// The wall clock of another candidate, in a write that this one saw arrive. For cron schedules; decides nothing about leadership.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LeaderClock {
    /// The last look that did not show the write.
    pub not_before: Reading,
    /// The look that showed it.
    pub not_after: Reading,
    /// What the other wall clock showed at the write.
    pub wall: WallTime,
}

impl LeaderClock {
    /// What two looks at the lock tell, one after the other: something, if the later one shows another candidate's write that the
    /// earlier one did not.
    pub(super) fn between(
        (before, not_before): (&Observation, Reading),
        (after, not_after): (&Observation, Reading),
        own: &CandidateId,
    ) -> Option<Self> {
        let LockState::Held(held) = &after.lock else {
            return None;
        };
        let same = matches!(&before.lock, LockState::Held(known) if known.nonce == held.nonce);
        if same || held.holder.is(own) {
            return None;
        }
        after.written.map(|wall| Self {
            not_before,
            not_after,
            wall,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::{Held, Holder};
    use crate::{CandidateName, Identity, Incarnation, Nanos, Nonce};

    fn held(holder: &str, nonce: u64) -> Observation {
        let mut seen = Observation::of(LockState::Held(Held {
            duration: Some(Duration::from_secs(15)),
            holder: Holder::parse(holder),
            identity: Identity(1),
            nonce: Nonce(nonce),
        }));
        seen.written = Some(WallTime::from_unix_seconds(nonce));
        seen
    }

    #[test]
    fn only_a_write_of_another_that_was_seen_to_arrive_tells_its_clock() {
        let own = CandidateId {
            name: CandidateName::new("own").unwrap(),
            incarnation: Incarnation::from_bits(7),
        };
        let at = |millis| Reading::both(Nanos::from_millis(millis));
        let between = |before: &Observation, after: &Observation| {
            LeaderClock::between((before, at(1)), (after, at(2)), &own).map(|clock| clock.wall)
        };
        let (first, second) = (held("other", 1), held("other", 2));
        assert_eq!(between(&first, &second), second.written);
        assert_eq!(between(&first, &first), None);
        assert_eq!(between(&first, &held(&own.to_string(), 3)), None);
        let free = Observation::of(LockState::NeverHeld);
        assert_eq!(between(&free, &first), first.written);
        assert_eq!(between(&first, &free), None);
    }
}
