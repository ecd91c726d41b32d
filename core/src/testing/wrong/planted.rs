use std::time::Duration;

use super::Mistake;
use super::lock::{Unfinished, WrongLock};
use crate::backend::{
    Acquired, Basis, Claim, Hold, LockState, Note, Observation, OperatorRequest, Release, Renewal,
    RenewalReceipt, Renewed, RequestKind,
};
use crate::testing::yield_now;
use crate::{CandidateId, CandidateName, Effect, Error, Nonce};

/// What the mistakes do on the way to the store and with its answers.
impl WrongLock {
    /// What the store is told in place of the caller's hold.
    fn meant(&self, hold: Hold) -> Hold {
        if self.mistakes_tokens() {
            let token = self.ledger.right(hold.token);
            return Hold { token, ..hold };
        }
        hold
    }

    /// Who holds now and what, as a write of its own would have to name it.
    async fn standing(&self) -> Result<Option<(CandidateId, Hold)>, Error> {
        let seen = self.inner.observe().await?;
        let (LockState::Held(held), Some(token), Some(version)) =
            (&seen.lock, seen.token, seen.version)
        else {
            return Ok(None);
        };
        let (name, incarnation) = (
            CandidateName::new(held.holder.name()),
            held.holder.incarnation(),
        );
        let hold = Hold {
            identity: held.identity,
            token,
            version,
        };
        Ok(name
            .ok()
            .zip(incarnation)
            .map(|(name, incarnation)| (CandidateId { name, incarnation }, hold)))
    }

    /// The candidate and hold that a renewal or release is sent with.
    pub(super) async fn sender(
        &self,
        candidate: &CandidateId,
        hold: Hold,
    ) -> Result<(CandidateId, Hold), Error> {
        let plain = (candidate.clone(), self.meant(hold));
        let Some((holder, standing)) = self.standing_if_wanted().await? else {
            return Ok(plain);
        };
        let same_name = holder.name == candidate.name && standing == hold;
        let same_hold = holder == *candidate
            && (standing.identity, standing.token) == (hold.identity, hold.token);
        Ok(match self.mistake {
            Mistake::KnowsHoldersByName if same_name => (holder, standing),
            Mistake::RenewsAnyVersion if same_hold => (holder, standing),
            Mistake::ReleasesBlindly => (holder, standing),
            _ => plain,
        })
    }

    async fn standing_if_wanted(&self) -> Result<Option<(CandidateId, Hold)>, Error> {
        match self.mistake {
            Mistake::KnowsHoldersByName | Mistake::RenewsAnyVersion | Mistake::ReleasesBlindly => {
                self.standing().await
            }
            _ => Ok(None),
        }
    }

    /// Does what a dropped call has left, against whatever stands now.
    pub(super) async fn finish_dropped(&self) -> Result<(), Error> {
        let unfinished = self.own().unfinished.take();
        let Some(unfinished) = unfinished else {
            return Ok(());
        };
        let Some((candidate, hold)) = self.standing().await? else {
            return Ok(());
        };
        match unfinished {
            Unfinished::Release(release) => {
                let release = Release {
                    candidate,
                    hold,
                    ..release
                };
                self.inner.release(&release).await.map(drop)
            }
            Unfinished::Renew(renewal) => {
                let renewal = Renewal {
                    candidate,
                    hold,
                    ..renewal
                };
                self.inner.renew(&renewal).await.map(drop)
            }
        }
    }

    /// Leaves the caller an occasion to drop the call when all is done.
    pub(super) async fn linger(&self, unfinished: Unfinished) {
        if self.makes(Mistake::FinishesDroppedCalls) {
            self.own().unfinished = Some(unfinished);
            yield_now().await;
            self.own().unfinished = None;
        }
    }

    pub(super) fn reported<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match (self.mistake, error.effect()) {
            (Mistake::SaysNotApplied, Effect::Unknown) => Error::new(
                error.kind(),
                Effect::NotApplied,
                error.operation(),
                error.backend(),
                error.detail(),
            ),
            _ => error,
        })
    }

    pub(super) fn tries_again<T>(&self, result: &Result<T, Error>) -> bool {
        self.makes(Mistake::RetriesSilently) && result.is_err()
    }

    /// Clears a request that stands under this hold; the version that the record then has.
    pub(super) async fn drop_request(
        &self,
        receipt: RenewalReceipt,
        hold: Hold,
    ) -> Result<RenewalReceipt, Error> {
        if !self.makes(Mistake::DropsRequests) || receipt.request.is_none() {
            return Ok(receipt);
        }
        let resume = OperatorRequest {
            kind: RequestKind::Resume,
            token: Some(hold.token),
        };
        self.inner.submit(&resume).await?;
        let version = self
            .inner
            .observe()
            .await?
            .version
            .unwrap_or(receipt.version);
        Ok(RenewalReceipt { version, ..receipt })
    }

    /// A conflict, answered wrongly where that is the mistake.
    pub(super) async fn conflict(
        &self,
        renewal: &Renewal,
        seen: Option<Observation>,
    ) -> Result<Renewed, Error> {
        let lock = seen.as_ref().map(|seen| seen.lock.clone());
        let confirmed = |version| {
            let request = None;
            Ok(Renewed::Confirmed(RenewalReceipt {
                request,
                standing: None,
                version,
            }))
        };
        if self.makes(Mistake::ConfirmsConflicts) {
            return confirmed(renewal.hold.version);
        }
        if self.makes(Mistake::ResurrectsTheDeleted) && lock == Some(LockState::Missing) {
            let claim = Claim {
                basis: Basis::Missing,
                candidate: renewal.candidate.clone(),
                lease_duration: renewal.lease_duration,
                nonce: renewal.nonce,
                wall: renewal.wall,
            };
            if let Acquired::Granted(grant) = self.inner.acquire(&claim).await? {
                return confirmed(grant.hold.version);
            }
        }
        Ok(Renewed::Conflict(seen.map(|seen| self.shown(seen))))
    }

    pub(super) async fn claim(&self, claim: &Claim) -> Result<Claim, Error> {
        let mut claim = claim.clone();
        match self.mistake {
            Mistake::ClaimsWithoutComparing => {
                let version = self.inner.observe().await?.version;
                claim.basis = version.map_or(Basis::Missing, Basis::At);
            }
            Mistake::RestartsTokens if self.inner.observe().await?.lock == LockState::Missing => {
                self.ledger.restart();
            }
            Mistake::WritesOwnNonce => claim.nonce = Nonce(7),
            _ => {}
        }
        Ok(claim)
    }

    /// Whether a claim is refused that should be granted.
    pub(super) async fn refuses(&self, claim: &Claim) -> Result<bool, Error> {
        if !self.makes(Mistake::AgesTheReleased) {
            return Ok(false);
        }
        let seen = self.inner.observe().await?;
        Ok(
            matches!(seen.lock, LockState::Vacant { mark: Some(mark), .. }
            if mark.by != claim.candidate.incarnation),
        )
    }

    /// Gives a wrong token also to a claim that was granted without an answer.
    pub(super) async fn count_unanswered(&self, claim: &Claim) -> Result<(), Error> {
        let seen = self.inner.observe().await?;
        let granted = seen.holder().is_some_and(|h| h.is(&claim.candidate));
        if let (true, Some(token)) = (granted && self.mistakes_tokens(), seen.token) {
            self.ledger
                .give(self.mistake, token, claim.candidate.incarnation);
        }
        Ok(())
    }

    /// The note as it is sent on.
    pub(super) fn note_to_send(&self, note: Option<&Note>) -> Option<Note> {
        let note = note?;
        match self.mistake {
            Mistake::CutsNotes => note
                .as_bytes()
                .chunks(255)
                .next()
                .and_then(|n| Note::new(n).ok()),
            Mistake::KeepsNoteToItself => None,
            _ => Some(note.clone()),
        }
    }

    /// Writes the record without changing it, when somebody holds.
    pub(super) async fn write_on_read(&self) -> Result<(), Error> {
        let seen = self.inner.observe().await?;
        if self.makes(Mistake::WritesOnRead) && seen.holder().is_some() {
            let resume = OperatorRequest {
                kind: RequestKind::Resume,
                token: seen.token,
            };
            self.inner.submit(&resume).await?;
        }
        Ok(())
    }

    /// Writes before a release what the release should have left alone; the hold after it.
    pub(super) async fn touch(&self, release: &Release) -> Result<Hold, Error> {
        let forgets_note = self.makes(Mistake::ForgetsNoteOnRelease);
        let seen = self.inner.observe().await?;
        if !(forgets_note && seen.note.is_some() || seen.request.is_some()) {
            return Ok(release.hold);
        }
        let renewal = Renewal {
            candidate: release.candidate.clone(),
            hold: release.hold,
            lease_duration: Duration::from_secs(1),
            nonce: Nonce(7),
            note: forgets_note.then(|| Note::new(b"").ok()).flatten(),
            wall: release.wall,
        };
        let Renewed::Confirmed(receipt) = self.inner.renew(&renewal).await? else {
            return Ok(release.hold);
        };
        let receipt = self.drop_request(receipt, release.hold).await?;
        Ok(Hold {
            version: receipt.version,
            ..release.hold
        })
    }
}
