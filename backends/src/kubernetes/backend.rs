use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Claim, Description, Hint, LockBackend, LockKind, Member, Observation,
    OperatorRequest, Proof, Release, Released, Renewal, Renewed, Submitted,
};
use tenure_core::{ElectionName, Error};

use super::cluster::{Share, Shared};
use super::error::BACKEND;
use super::hints::{Hints, Told};
use super::known::Known;
use super::leases::Watch;
use super::operators::Initialized;
use super::store::Store;
use super::{pods, stagger};
use crate::locked::locked;

/// A lock that is a Lease: one election's, for one candidate.
pub struct LeaseLock {
    description: Description,
    hints: Arc<Hints>,
    store: Arc<Store>,
    watch: Mutex<Option<Watch>>,
    _share: Share,
}

impl fmt::Debug for LeaseLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseLock")
            .field("url", &self.description.url)
            .finish_non_exhaustive()
    }
}

impl LeaseLock {
    pub(crate) fn new(
        cluster: Arc<Shared>,
        election: ElectionName,
        lease: String,
        share: Share,
    ) -> Self {
        let description = Description {
            backend: BACKEND,
            url: format!("kubernetes://{}/{lease}", cluster.api.namespace),
            election: election.clone(),
            kind: LockKind::Leased,
            proof: Proof::Itself,
            tells_members: cluster.pods.is_some(),
        };
        let hints = Arc::new(Hints::default());
        let store = Arc::new(Store {
            cluster,
            election,
            hints: Arc::clone(&hints),
            known: Mutex::new(Known::default()),
            lease,
        });
        Self {
            description,
            hints,
            store,
            watch: Mutex::default(),
            _share: share,
        }
    }

    /// Makes the Lease as if a leader had just given it back, so that the very first candidate leads at once instead of after the lease
    /// duration. Only you can know that nobody leads without it.
    ///
    /// # Errors
    /// When a Lease of that name is there already in another state, or cannot be written.
    pub async fn initialize(&self) -> Result<Initialized, Error> {
        let made = self.store.initialize().await;
        made.map_err(|failure| failure.into_error("init"))
    }

    /// Begins to watch, once somebody waits for changes.
    fn watch(&self) {
        let mut watch = locked(&self.watch);
        if watch.is_some() {
            return;
        }
        let Store { cluster, lease, .. } = &*self.store;
        *watch = Some(cluster.leases.watch(lease, &self.hints));
        if let Some(pods) = &cluster.pods {
            let listener = pods::Listener::new(&self.hints, &self.store);
            pods.tell(listener);
        }
    }

    /// What an event means, as a hint.
    fn hint(&self, told: Told) -> Hint {
        match told {
            Told::Changed => Hint::Changed,
            Told::MembersChanged => Hint::MembersChanged,
            Told::Watching(works) => Hint::Watching(works),
            Told::Seen(lease) => self.store.saw_event(*lease),
        }
    }
}

#[async_trait]
impl LockBackend for LeaseLock {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let seen = self.store.observe().await;
        let now = self.store.cluster.api.clock.now();
        let told = self.hints.told();
        let (behind, labelled) = {
            let mut known = locked(&self.store.known);
            (known.is_watch_behind(now, told), known.is_labelled())
        };
        if let Some(watch) = locked(&self.watch).as_ref() {
            if seen.is_ok() && !labelled {
                watch.set_apart();
            }
            if behind {
                watch.nudge();
            }
        }
        seen.map_err(|failure| failure.into_error("observe"))
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        let acquired = self.store.acquire(claim).await;
        acquired.map_err(|failure| failure.into_error("acquire"))
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        let renewed = self.store.renew(renewal).await;
        renewed.map_err(|failure| failure.into_error("renew"))
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        let released = self.store.release(release).await;
        released.map_err(|failure| failure.into_error("release"))
    }

    async fn changed(&self) -> Hint {
        self.watch();
        loop {
            let told = match stagger::next(&self.hints, &self.store).await {
                Some(told) => told,
                // A holder that is overdue may have been reported dead.
                None if self.store.is_to_be_asked_about() => Told::Changed,
                None => continue,
            };
            return self.hint(told);
        }
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        let Some(pods) = &self.store.cluster.pods else {
            return Ok(Vec::new());
        };
        let members = pods.members().await;
        members.map_err(|failure| failure.into_error("members"))
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let submitted = self.store.submit(request).await;
        submitted.map_err(|failure| failure.into_error("submit"))
    }
}
