use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Mistake;
use super::ledger::Ledger;
use crate::backend::{
    Acquired, Claim, Description, Hint, LockBackend, Member, Note, Observation, OperatorRequest,
    Release, Released, Renewal, Renewed, RequestKind, Submitted,
};
use crate::{CandidateId, Error, Nonce};

/// A handle that makes one [`Mistake`] and is right in all else.
#[derive(Debug)]
pub struct WrongLock {
    description: Description,
    pub(super) inner: Arc<dyn LockBackend>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) mistake: Mistake,
    own: Mutex<Own>,
}

/// What a handle keeps that it should not.
#[derive(Default, Debug)]
pub(super) struct Own {
    cached: Option<Observation>,
    pub(super) note: Option<Note>,
    told: bool,
    pub(super) unfinished: Option<Unfinished>,
}

#[derive(Clone, Debug)]
pub(super) enum Unfinished {
    Release(Release),
    Renew(Renewal),
}

impl WrongLock {
    pub(super) fn new(inner: Arc<dyn LockBackend>, ledger: Arc<Ledger>, mistake: Mistake) -> Self {
        let mut description = inner.description().clone();
        if mistake == Mistake::ConfusesDescriptions {
            description.url += &format!("?handle={}", ledger.count_handle());
        }
        Self {
            description,
            inner,
            ledger,
            mistake,
            own: Mutex::default(),
        }
    }

    pub(super) fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == mistake
    }

    pub(super) fn mistakes_tokens(&self) -> bool {
        matches!(
            self.mistake,
            Mistake::CountsTokensByHandle | Mistake::RestartsTokens | Mistake::ReusesTokens
        )
    }
}

#[async_trait]
impl LockBackend for WrongLock {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.finish_dropped().await?;
        if self.makes(Mistake::ObservesFromCache)
            && let Some(cached) = self.own().cached.take()
        {
            return Ok(cached);
        }
        self.write_on_read().await?;
        let seen = self.shown(self.inner.observe().await?);
        self.own().cached = Some(seen.clone());
        Ok(seen)
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        self.finish_dropped().await?;
        if self.refuses(claim).await? {
            return Ok(Acquired::Busy(None));
        }
        let claim = self.claim(claim).await?;
        let mut acquired = self.inner.acquire(&claim).await;
        if self.tries_again(&acquired) {
            acquired = self.inner.acquire(&claim).await;
        }
        match self.reported(acquired) {
            Ok(Acquired::Busy(seen)) => Ok(self.busy(seen)),
            Ok(Acquired::Granted(grant)) => Ok(self.granted(&claim, grant)),
            Err(error) => {
                self.count_unanswered(&claim).await?;
                Err(error)
            }
        }
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        self.finish_dropped().await?;
        let mut sent = renewal.clone();
        if !self.makes(Mistake::ReleasesBlindly) {
            (sent.candidate, sent.hold) = self.sender(&renewal.candidate, renewal.hold).await?;
        }
        if self.makes(Mistake::WritesOwnNonce) {
            sent.nonce = Nonce(7);
        }
        sent.note = self.note_to_send(renewal.note.as_ref());
        let mut renewed = self.inner.renew(&sent).await;
        self.linger(Unfinished::Renew(renewal.clone())).await;
        if self.tries_again(&renewed) {
            renewed = self.inner.renew(&sent).await;
        }
        match self.reported(renewed)? {
            Renewed::Confirmed(receipt) => {
                if renewal.note.is_some() {
                    self.own().note.clone_from(&renewal.note);
                }
                let receipt = self.drop_request(receipt, sent.hold).await?;
                Ok(Renewed::Confirmed(receipt))
            }
            Renewed::Conflict(seen) => self.conflict(&sent, seen).await,
        }
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        self.finish_dropped().await?;
        let mut sent = release.clone();
        if !self.makes(Mistake::RenewsAnyVersion) {
            (sent.candidate, sent.hold) = self.sender(&release.candidate, release.hold).await?;
        }
        if matches!(
            self.mistake,
            Mistake::ForgetsNoteOnRelease | Mistake::DropsRequests
        ) {
            sent.hold = self.touch(&sent).await?;
        }
        let mut released = self.inner.release(&sent).await;
        self.linger(Unfinished::Release(release.clone())).await;
        if self.tries_again(&released) {
            released = self.inner.release(&sent).await;
        }
        Ok(match self.reported(released)? {
            Released::Conflict(seen) => Released::Conflict(seen.map(|seen| self.shown(seen))),
            Released::Vacated => Released::Vacated,
        })
    }

    async fn changed(&self) -> Hint {
        if self.makes(Mistake::TellsNothing) && self.own().told {
            return std::future::pending().await;
        }
        let hint = self.inner.changed().await;
        self.own().told = true;
        hint
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        self.ledger.enlist(candidate);
        self.inner.enlist(candidate).await
    }

    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        if self.makes(Mistake::NeverWithdraws) {
            return Ok(());
        }
        self.ledger.withdraw(candidate);
        self.inner.withdraw(candidate).await
    }

    fn abandon(&self) {
        if !self.makes(Mistake::KeepsWhatWasAbandoned) {
            self.inner.abandon();
        }
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        if self.makes(Mistake::RemembersTheDead) {
            return Ok(self.ledger.members());
        }
        self.inner.members().await
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let mut request = *request;
        if self.makes(Mistake::IgnoresResumption) && request.kind == RequestKind::Resume {
            return Ok(Submitted::Accepted);
        }
        if self.makes(Mistake::AcceptsAnyRequest) {
            request.token = self.inner.observe().await?.token;
        }
        if self.mistakes_tokens() {
            request.token = request.token.map(|token| self.ledger.right(token));
        }
        Ok(match self.reported(self.inner.submit(&request).await)? {
            Submitted::Accepted => Submitted::Accepted,
            Submitted::Outdated(seen) => Submitted::Outdated(self.shown(seen)),
        })
    }
}
