//! Stands where the backend's logic will.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Claim, Description, Hint, Observation, Release, Released, Renewal, Renewed,
};
use tenure_core::{CandidateId, Clock, ElectionName, Error, ErrorKind, LockBackend, Timing};

use super::config::{EnsembleBuilder, Settings};
use super::error::{Failure, failure};
use super::planted::Planted;
use super::session::{Servers, Session};
use crate::tasks::Tasks;

/// An ensemble.
#[derive(Clone, Debug)]
pub struct Ensemble {
    session: Arc<dyn Session>,
}

impl Ensemble {
    /// Describes how to open an ensemble.
    pub fn builder() -> EnsembleBuilder {
        EnsembleBuilder::new()
    }

    pub(crate) async fn open(
        settings: Settings,
        servers: Arc<dyn Servers>,
        _clock: Arc<dyn Clock>,
        _tasks: Arc<dyn Tasks>,
        _planted: Planted,
    ) -> Result<Self, Failure> {
        let session = servers.connect(settings.session_timeout).await;
        let session = session.map_err(|failed| failure(failed, "connect", "", false))?;
        Ok(Self { session })
    }

    /// A lock.
    ///
    /// # Errors
    /// Never.
    pub fn lock(&self, election: ElectionName) -> Result<NodeLock, Error> {
        let description = Description {
            backend: "zookeeper",
            election,
            kind: tenure_core::backend::LockKind::Session,
            proof: tenure_core::backend::Proof::Itself,
            tells_members: false,
            url: String::new(),
        };
        Ok(NodeLock { description })
    }

    /// What the servers have granted.
    pub fn session_timeout(&self) -> Duration {
        self.session.timeout()
    }

    /// A timing that fits.
    pub fn timing(&self) -> Timing {
        Timing::standard()
    }
}

/// A lock.
#[derive(Debug)]
pub struct NodeLock {
    description: Description,
}

fn missing<T>(operation: &'static str) -> Result<T, Error> {
    Err(Failure::new(ErrorKind::Unsupported, "not there yet").into_error(operation))
}

#[async_trait]
impl LockBackend for NodeLock {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn observe(&self) -> Result<Observation, Error> {
        missing("observe")
    }

    async fn acquire(&self, _claim: &Claim) -> Result<Acquired, Error> {
        missing("acquire")
    }

    async fn renew(&self, _renewal: &Renewal) -> Result<Renewed, Error> {
        missing("renew")
    }

    async fn release(&self, _release: &Release) -> Result<Released, Error> {
        missing("release")
    }

    async fn changed(&self) -> Hint {
        std::future::pending().await
    }

    async fn enlist(&self, _candidate: &CandidateId) -> Result<(), Error> {
        Ok(())
    }
}
