use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Claim, Description, Hint, Member, Observation, OperatorRequest, Release, Released,
    Renewal, Renewed, Submitted,
};
use tenure_core::memory::{Reply, Request};
use tenure_core::{CandidateId, Error, LockBackend};

use super::connection::{Connection, Wiring};
use super::distorted::{BehindStore, LateAnswers};
use crate::planted::Distortion;

/// A store's lock as one process sees it over its connection.
#[derive(Debug)]
pub(super) struct SimLock {
    connection: Arc<Connection>,
    description: Description,
    distortion: Option<Distortion>,
    late: LateAnswers,
}

impl SimLock {
    pub(super) fn new(connection: &Arc<Connection>, distortion: Option<Distortion>) -> Self {
        Self {
            connection: Arc::clone(connection),
            description: connection.lock.description().clone(),
            distortion,
            late: LateAnswers::default(),
        }
    }

    async fn call(&self, request: Request) -> Result<Reply, Error> {
        let connection = &self.connection;
        if !connection.actor.process.is_alive() {
            return pending().await;
        }
        let Some(distortion) = self.distortion else {
            return connection.send(request).await;
        };
        let answer = if distortion == Distortion::LateAnswer {
            self.late.call(connection, request.clone()).await
        } else {
            connection.send(request.clone()).await
        };
        distortion.falsify(&mut BehindStore(connection), &request, answer)
    }
}

#[async_trait]
impl LockBackend for SimLock {
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
        match (self.connection.next_hint().await, self.distortion) {
            (Hint::Seen(seen), Some(distortion)) => Hint::Seen(distortion.misread(seen)),
            (hint, _) => hint,
        }
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        let request = Request::Enlist(candidate.clone());
        self.call(request).await.map(drop)
    }

    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        let request = Request::Withdraw(candidate.clone());
        self.call(request).await.map(drop)
    }

    fn abandon(&self) {
        let connection = &self.connection;
        if !connection.actor.process.is_alive() {
            return;
        }
        let session = connection.session();
        let Wiring {
            handle,
            network,
            store,
            ..
        } = &connection.wiring;
        let Some(takes) = network.route(connection.actor.node).request else {
            return;
        };
        let (store, clock) = (store.clone(), handle.clone());
        handle.spawn_in_world(async move {
            clock.sleep(takes).await;
            store.end_session(session);
        });
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
