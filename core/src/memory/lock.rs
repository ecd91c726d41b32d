use std::future::poll_fn;
use std::sync::Arc;

use async_trait::async_trait;

use super::shared::Server;
use super::{PlannedFault, Reply, Request, SessionId};
use crate::backend::{
    Acquired, Claim, Description, Hint, LockBackend, Member, Observation, OperatorRequest, Release,
    Released, Renewal, Renewed, Submitted,
};
use crate::{CandidateId, Error};

/// One candidate's handle onto a store in memory.
///
/// A request is sent when its future is first polled. Dropping the handle is a crash: see the store's kind for what that ends.
#[derive(Debug)]
pub struct MemoryLock {
    client: u64,
    description: Description,
    server: Arc<dyn Server>,
}

/// The answer of one kind; another one would be a mistake of the store.
macro_rules! answered {
    ($reply:expr, $variant:ident) => {
        match $reply? {
            Reply::$variant(answer) => Ok(answer),
            other => unreachable!("a store answers what it was asked, not {other:?}"),
        }
    };
}

impl MemoryLock {
    pub(super) fn new(client: u64, description: Description, server: Arc<dyn Server>) -> Self {
        Self {
            client,
            description,
            server,
        }
    }

    /// Plans a fault for calls of this handle alone.
    pub fn inject(&self, fault: PlannedFault) {
        self.server.inject(self.client, fault);
    }

    /// The session that this handle has at its store now; a new one when the last has ended.
    pub fn session(&self) -> SessionId {
        self.server.session(self.client)
    }

    async fn call(&self, request: Request) -> Result<Reply, Error> {
        Arc::clone(&self.server).send(self.client, request).await
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.server.leave(self.client);
    }
}

#[async_trait]
impl LockBackend for MemoryLock {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn observe(&self) -> Result<Observation, Error> {
        answered!(self.call(Request::Observe).await, Observed)
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        answered!(self.call(Request::Acquire(claim.clone())).await, Acquired)
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        answered!(self.call(Request::Renew(renewal.clone())).await, Renewed)
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        answered!(self.call(Request::Release(release.clone())).await, Released)
    }

    async fn changed(&self) -> Hint {
        poll_fn(|context| self.server.poll_hint(self.client, context)).await
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        self.call(Request::Enlist(candidate.clone()))
            .await
            .map(drop)
    }

    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        self.call(Request::Withdraw(candidate.clone()))
            .await
            .map(drop)
    }

    fn abandon(&self) {
        self.server.abandon(self.client);
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        answered!(self.call(Request::Members).await, Members)
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        answered!(self.call(Request::Submit(*request)).await, Submitted)
    }
}
