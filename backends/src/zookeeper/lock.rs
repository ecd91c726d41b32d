use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Claim, Description, Hint, LockBackend, LockKind, Member, Observation,
    OperatorRequest, Proof, Release, Released, Renewal, Renewed, Submitted,
};
use tenure_core::{CandidateId, ElectionName, Error, Timing};

use super::ensemble::Shared;
use super::error::Zookeeper;
use super::queue::Queue;
use super::watch;
use crate::failure::Backend;
use crate::locked::locked;
use crate::tasks::TaskGuard;

/// A lock that is a queue of nodes: one election's, for one candidate.
pub struct NodeLock {
    description: Description,
    queue: Arc<Queue>,
    watch: Mutex<Option<TaskGuard>>,
}

impl fmt::Debug for NodeLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeLock")
            .field("url", &self.description.url)
            .finish_non_exhaustive()
    }
}

impl NodeLock {
    pub(crate) fn new(ensemble: Arc<Shared>, election: ElectionName) -> Self {
        let description = Description {
            backend: Zookeeper::NAME,
            url: format!("{}/{election}", ensemble.settings.url),
            kind: LockKind::Session,
            proof: Proof::Later {
                gap: ensemble.gap(),
            },
            tells_members: true,
            election: election.clone(),
        };
        Self {
            description,
            queue: Arc::new(Queue::new(ensemble, election)),
            watch: Mutex::default(),
        }
    }

    /// Begins to watch, once somebody waits for changes.
    fn watch(&self) {
        let mut watch = locked(&self.watch);
        if watch.is_none() {
            let task = Box::pin(watch::follow(Arc::clone(&self.queue)));
            *watch = Some(self.queue.ensemble.tasks.spawn(task));
        }
    }
}

impl Drop for NodeLock {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

#[async_trait]
impl LockBackend for NodeLock {
    fn description(&self) -> &Description {
        &self.description
    }

    fn timing(&self) -> Timing {
        self.queue.ensemble.timing()
    }

    fn session_timeout(&self) -> Option<Duration> {
        Some(self.queue.ensemble.session_timeout())
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let seen = self.queue.observe().await;
        seen.map_err(|failure| failure.into_error("observe"))
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        let acquired = self.queue.acquire(claim).await;
        acquired.map_err(|failure| failure.into_error("acquire"))
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        let renewed = self.queue.renew(renewal).await;
        renewed.map_err(|failure| failure.into_error("renew"))
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        let released = self.queue.release(release).await;
        released.map_err(|failure| failure.into_error("release"))
    }

    async fn changed(&self) -> Hint {
        self.watch();
        self.queue.hints.next().await
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        let enlisted = self.queue.enlist(candidate).await;
        enlisted.map_err(|failure| failure.into_error("enlist"))
    }

    async fn withdraw(&self, _candidate: &CandidateId) -> Result<(), Error> {
        let withdrawn = self.queue.withdraw().await;
        withdrawn.map_err(|failure| failure.into_error("withdraw"))
    }

    fn abandon(&self) {
        self.queue.abandon();
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        let members = self.queue.members().await;
        members.map_err(|failure| failure.into_error("members"))
    }

    async fn contenders(&self) -> Result<Option<Vec<Member>>, Error> {
        let contenders = self.queue.contenders().await;
        contenders
            .map(Some)
            .map_err(|failure| failure.into_error("contenders"))
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let submitted = self.queue.submit(request).await;
        submitted.map_err(|failure| failure.into_error("submit"))
    }
}
