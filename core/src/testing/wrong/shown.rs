use std::time::Duration;

use super::Mistake;
use super::lock::WrongLock;
use crate::backend::{
    Acquired, Claim, Grant, Held, Hold, Holder, LockState, Observation, ReleaseMark, Vacancy,
};
use crate::{FencingToken, Identity, Incarnation, Nonce};

/// What the mistakes make of what the store has said.
impl WrongLock {
    /// What a read is made to show.
    pub(super) fn shown(&self, seen: Observation) -> Observation {
        let mut seen = Observation {
            lock: self.shown_lock(seen.lock),
            ..seen
        };
        match self.mistake {
            Mistake::ForgetsNoteOnRelease => {
                seen.note = seen.note.filter(|note| !note.as_bytes().is_empty());
            }
            Mistake::KeepsNoteToItself => seen.note = self.own().note.clone(),
            Mistake::ShowsVersionAsToken => {
                seen.token = seen.version.and_then(|v| FencingToken::new(v.0));
            }
            _ if self.mistakes_tokens() => {
                seen.token = seen.token.map(|token| self.ledger.wrong(token));
            }
            _ => {}
        }
        seen
    }

    fn shown_lock(&self, lock: LockState) -> LockState {
        match (self.mistake, lock) {
            (Mistake::ForgetsMarks, LockState::Vacant { identity, .. }) => {
                let mark = None;
                LockState::Vacant { identity, mark }
            }
            (Mistake::RoundsDown, LockState::Held(mut held)) => {
                let second = Duration::from_secs(1);
                held.duration = held.duration.map(|d| d.saturating_sub(second));
                LockState::Held(held)
            }
            (Mistake::AgesTheUnreadable, LockState::Held(mut held)) if held.duration.is_none() => {
                held.nonce = Nonce(0);
                LockState::Held(held)
            }
            (Mistake::ShowsCorruptAsVacant, LockState::Held(held)) if held.duration.is_none() => {
                let (identity, mark) = (held.identity, None);
                LockState::Vacant { identity, mark }
            }
            (Mistake::ShowsMissingAsHeld, LockState::Missing) => LockState::Held(Held {
                duration: None,
                holder: Holder::parse("nobody"),
                identity: Identity(0),
                nonce: Nonce(0),
            }),
            (Mistake::TrustsCopiedMarks, LockState::Vacant { identity, mark }) => {
                let mark = mark.map(|mark| ReleaseMark { identity, ..mark });
                LockState::Vacant { identity, mark }
            }
            (Mistake::TrustsTheEmptied, LockState::Vacant { identity, mark }) => {
                let by = Incarnation::from_bits(0);
                let mark = Some(mark.unwrap_or(ReleaseMark { by, identity }));
                LockState::Vacant { identity, mark }
            }
            (_, lock) => lock,
        }
    }

    /// What a refused claim is answered with.
    pub(super) fn busy(&self, seen: Option<Observation>) -> Acquired {
        let granted = seen.as_ref().and_then(|seen| {
            let (LockState::Held(held), Some(token), Some(version)) =
                (&seen.lock, seen.token, seen.version)
            else {
                return None;
            };
            let identity = held.identity;
            Some(Acquired::Granted(Grant {
                hold: Hold {
                    identity,
                    token,
                    version,
                },
                note: seen.note.clone(),
                request: seen.request,
                standing: None,
                vacancy: Vacancy::Proven,
            }))
        });
        match granted {
            Some(granted) if self.makes(Mistake::GrantsTheHeld) => granted,
            _ => Acquired::Busy(seen.map(|seen| self.shown(seen))),
        }
    }

    /// What a granted claim is answered with.
    pub(super) fn granted(&self, claim: &Claim, mut grant: Grant) -> Acquired {
        if self.mistakes_tokens() {
            let to = claim.candidate.incarnation;
            grant.hold.token = self.ledger.give(self.mistake, grant.hold.token, to);
        }
        match self.mistake {
            Mistake::ExplainsEverything => grant.vacancy = Vacancy::Proven,
            Mistake::ForgetsNoteOnRelease => {
                grant.note = grant.note.filter(|note| !note.as_bytes().is_empty());
            }
            Mistake::KeepsNoteToItself => grant.note = self.own().note.clone(),
            _ => {}
        }
        Acquired::Granted(grant)
    }
}
