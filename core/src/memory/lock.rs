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
        self.call(Request::Observe).await.map(Reply::observed)
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        self.call(Request::Acquire(claim.clone()))
            .await
            .map(Reply::acquired)
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        self.call(Request::Renew(renewal.clone()))
            .await
            .map(Reply::renewed)
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        self.call(Request::Release(release.clone()))
            .await
            .map(Reply::released)
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
        self.call(Request::Members).await.map(Reply::members)
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        self.call(Request::Submit(*request))
            .await
            .map(Reply::submitted)
    }
}
