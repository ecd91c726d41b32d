use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tenure_core::{ElectionName, Error, ErrorKind, WallTime};

use super::api::Api;
use super::backend::LeaseLock;
use super::config::{ClusterBuilder, DeathProof};
use super::container::Own;
use super::error::Failure;
use super::leases::Leases;
use super::names;
use super::planted::Planted;
use super::pods::Pods;
use crate::locked::locked;
use crate::tasks::Tasks;

/// A Kubernetes cluster, as all elections of one process share it: one client, one watch of pods.
///
/// Clones are the same.
#[derive(Clone, Debug)]
pub struct Cluster(pub(crate) Arc<Shared>);

/// What was asked for when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) death_proof: DeathProof,
    pub(crate) lease_prefix: Option<String>,
    pub(crate) members_interval: Duration,
    pub(crate) planted: Planted,
    pub(crate) pod_name: String,
    /// When this container's first process began; nothing asks the machine.
    pub(crate) process_began: Option<WallTime>,
    pub(crate) selector: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) api: Arc<Api>,
    /// Which election each Lease name was opened for.
    elections: Mutex<BTreeMap<String, (ElectionName, Weak<()>)>>,
    pub(crate) leases: Arc<Leases>,
    /// This process's container, where its death is to be proved by the kubelet.
    pub(crate) own: Option<Arc<Own>>,
    /// The members, where they are asked for.
    pub(crate) pods: Option<Arc<Pods>>,
    pub(crate) settings: Settings,
    pub(crate) tasks: Arc<dyn Tasks>,
}

/// Keeps a Lease's name for one election of this process.
#[derive(Debug)]
pub(crate) struct Share(#[expect(dead_code, reason = "it counts by being there")] Arc<()>);

impl Cluster {
    /// Describes how to open a cluster.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::new()
    }

    /// Opens the cluster that this process is in, or that its kubeconfig names.
    ///
    /// # Errors
    /// As [`ClusterBuilder::open`].
    pub async fn infer() -> Result<Self, Error> {
        Self::builder().open().await
    }

    /// Opens the cluster behind a ready-made client. See [`ClusterBuilder::open_with_ready_client`] for what that leaves open.
    ///
    /// # Errors
    /// As [`ClusterBuilder::open`].
    pub fn with_ready_client(client: kube::Client) -> Result<Self, Error> {
        Self::builder().open_with_ready_client(client)
    }

    pub(crate) fn new(api: Api, settings: Settings, tasks: Arc<dyn Tasks>) -> Self {
        let api = Arc::new(api);
        let own = match &settings.death_proof {
            DeathProof::Nothing => None,
            DeathProof::Kubelet { container } => {
                let pod = settings.pod_name.clone();
                let began = settings.process_began;
                Some(Arc::new(Own::find(
                    &api,
                    pod,
                    container.clone(),
                    began,
                    &*tasks,
                )))
            }
        };
        let pods = settings.selector.clone().map(|selector| {
            let every = settings.members_interval;
            Arc::new(Pods::new(
                Arc::clone(&api),
                selector,
                every,
                Arc::clone(&tasks),
            ))
        });
        let leases = Arc::new(Leases::new(Arc::clone(&api), Arc::clone(&tasks)));
        Self(Arc::new(Shared {
            api,
            elections: Mutex::default(),
            leases,
            own,
            pods,
            settings,
            tasks,
        }))
    }

    /// The namespace of Leases and pods.
    pub fn namespace(&self) -> &str {
        &self.0.api.namespace
    }

    /// The lock of `election`: the Lease of that name, behind the prefix where there is one. Nothing is sent yet.
    ///
    /// Characters that Kubernetes does not allow become `-`.
    ///
    /// # Errors
    /// When no Lease can have the name, or another election of this process has its Lease.
    pub fn lock(&self, election: ElectionName) -> Result<LeaseLock, Error> {
        let refused =
            |detail: String| Failure::new(ErrorKind::InvalidInput, detail).into_error("open");
        let prefix = self.0.settings.lease_prefix.as_deref();
        let lease =
            names::lease_name(prefix, &election).map_err(|error| refused(error.to_string()))?;
        let share = {
            let mut elections = locked(&self.0.elections);
            elections.retain(|_, (_, share)| share.strong_count() > 0);
            let alive = elections.get(&lease).and_then(|(other, share)| {
                let share = share.upgrade()?;
                Some((other.clone(), share))
            });
            match alive {
                Some((other, _)) if other != election => {
                    return Err(refused(format!(
                        "elections {other:?} and {election:?} would share the Lease {lease}: rename one of them"
                    )));
                }
                Some((_, share)) => share,
                None => {
                    let share = Arc::new(());
                    elections.insert(lease.clone(), (election.clone(), Arc::downgrade(&share)));
                    share
                }
            }
        };
        Ok(LeaseLock::new(
            Arc::clone(&self.0),
            election,
            lease,
            Share(share),
        ))
    }
}
