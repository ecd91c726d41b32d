use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Config;
use tenure_core::{Clock, Error, ErrorKind, NameError, WallTime};

use super::api::Api;
use super::cluster::{Cluster, Settings};
use super::connection::{self, Clients, Source};
use super::error::Failure;
use super::names;
use super::planted::Planted;
use crate::host::SystemClock;
use crate::tasks::{Tasks, TokioTasks};

/// What counts as proof that a leader which does not renew is dead, so that nobody has to wait for its lease to age.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum DeathProof {
    /// The kubelet's word that this very container has terminated, read from the pod's status. Needs `get` on pods.
    Kubelet {
        /// The container that the candidate runs in; may be left out in a pod that has one.
        container: Option<String>,
    },
    /// Nothing: the lease ages.
    #[default]
    Nothing,
}

/// How a [`Cluster`] is opened.
///
/// For who comes from Camel's `KubernetesClusterService`:
///
/// | Camel | here |
/// | --- | --- |
/// | `kubernetesNamespace`, `kubernetesResourcesNamespace` | [`namespace`](Self::namespace): of Leases and pods; the client's own unless set |
/// | `kubernetesResourceName`, `configMapName` | [`lease_prefix`](Self::lease_prefix): none unless set; Camel's is `leaders` |
/// | `groupName` | the election's name |
/// | `podName` | [`pod_name`](Self::pod_name), and the candidate's name: the host's name, which is the pod's |
/// | `clusterLabels` | [`members`](Self::members), a label selector: nobody is listed and no pod is asked for unless set |
/// | `leaseDurationMillis` | the lease duration, in the election's timing |
/// | `renewDeadlineMillis` | none: the deadline follows from lease duration, drift and stop timeout; the renew interval is how often the leader renews |
/// | `retryPeriodMillis` | the retry interval, in the election's timing |
/// | `jitterFactor` | none: polls are spread over their whole interval, renewals are not |
/// | `connectionTimeoutMillis` | [`request_timeout`](Self::request_timeout) |
/// | `masterUrl`, `KubernetesConfiguration` | [`config`](Self::config), or [`context`](Self::context) |
/// | `leaseResourceType` | Leases only |
/// | `rebalancing` | `tenure resign`, or [`Control`](tenure_core::Control) |
/// | `id`, `order`, `attributes` | none: they choose between services of one Camel context |
#[derive(Clone, Debug)]
pub struct ClusterBuilder {
    config: Option<Box<Config>>,
    context: Option<String>,
    death_proof: DeathProof,
    kubeconfig: Option<PathBuf>,
    lease_prefix: Option<String>,
    members: Option<String>,
    members_interval: Duration,
    namespace: Option<String>,
    pod_name: Option<String>,
    request_timeout: Duration,
    rights_interval: Duration,
}

fn invalid(error: &NameError) -> Failure {
    Failure::new(ErrorKind::InvalidInput, error.to_string())
}

impl ClusterBuilder {
    pub(crate) fn new() -> Self {
        Self {
            config: None,
            context: None,
            death_proof: DeathProof::Nothing,
            kubeconfig: None,
            lease_prefix: None,
            members: None,
            members_interval: Duration::from_secs(10),
            namespace: None,
            pod_name: None,
            request_timeout: Duration::from_secs(5),
            rights_interval: Duration::from_secs(60),
        }
    }

    /// The way in: used as it is, but for `default_retry` and the time-outs, which are ours.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(Box::new(config));
        self
    }

    /// The context of the kubeconfig file: its current one, unless set.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// What counts as proof that a leader is dead: [`DeathProof::Nothing`], unless set. The same for all candidates.
    ///
    /// Rests on the kubelet's word; `docs/guarantees.md` says what is assumed. Refused in a pod that shares its processes with others
    /// (`hostPID`, `shareProcessNamespace`), where work can outlive its container.
    #[must_use]
    pub fn death_proof(mut self, proof: DeathProof) -> Self {
        self.death_proof = proof;
        self
    }

    /// The kubeconfig file: what `KUBECONFIG` names or `~/.kube/config`, unless set. Read again when its token is no longer accepted.
    #[must_use]
    pub fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.kubeconfig = Some(path.into());
        self
    }

    /// What the names of Leases begin with, followed by `-` and the election's name: nothing, unless set.
    #[must_use]
    pub fn lease_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.lease_prefix = Some(prefix.into());
        self
    }

    /// A label selector, such as `app=report`: the pods that it chooses, and that are running and ready, are the members.
    #[must_use]
    pub fn members(mut self, selector: impl Into<String>) -> Self {
        self.members = Some(selector.into());
        self
    }

    /// How often members are listed where they cannot be watched: every 10 s, unless set.
    #[must_use]
    pub fn members_interval(mut self, interval: Duration) -> Self {
        self.members_interval = interval;
        self
    }

    /// The namespace of Leases and pods: the service account's or the context's, unless set.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// This process's pod: the host's name, unless set. Set it from the downward API where pods use the host's network.
    #[must_use]
    pub fn pod_name(mut self, pod: impl Into<String>) -> Self {
        self.pod_name = Some(pod.into());
        self
    }

    /// How long one request may take: 5 s, unless set. An elector drops its requests at its own request timeout already.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How often a right to watch that is missing is looked for again: 60 s, unless set.
    #[must_use]
    pub fn rights_interval(mut self, interval: Duration) -> Self {
        self.rights_interval = interval;
        self
    }

    /// Opens the cluster: reads certificates and tokens, and sends nothing yet.
    ///
    /// Call it on the tokio runtime that the elections will run on.
    ///
    /// # Errors
    /// When no cluster is configured, a name cannot be used, or there is no tokio runtime.
    pub async fn open(self) -> Result<Cluster, Error> {
        let connected = self.connect().await;
        connected.map_err(|failure| failure.into_error("open"))
    }

    async fn connect(mut self) -> Result<Cluster, Failure> {
        let (source, config) = match self.config.take() {
            Some(config) => (Source::Given(config.clone()), *config),
            None => Source::infer(self.context.take(), self.kubeconfig.take()).await?,
        };
        let namespace = self.namespace.take();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let clients = connection::connect(&config, self.request_timeout)?;
        self.finish(
            clients,
            source,
            namespace,
            Arc::new(SystemClock::new()),
            None,
            Planted::default(),
        )
    }

    /// Opens the cluster behind a ready-made client.
    ///
    /// What that client does between a call and the wire stays as it is: kube's own repeats requests that were answered with 429, 503 or
    /// 504 and has no time-out. That costs time and never safety, because each write names the version that it replaces; leave it out by
    /// `default_retry = false` all the same, or use [`open`](Self::open). It cannot read a rotated token again by itself.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_ready_client(self, client: kube::Client) -> Result<Cluster, Error> {
        let namespace = self.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
        let clients = Clients {
            requests: client.clone(),
            watches: client,
        };
        let clock = Arc::new(SystemClock::new());
        let opened = self.finish(
            clients,
            Source::Ready,
            namespace,
            clock,
            None,
            Planted::default(),
        );
        opened.map_err(|failure| failure.into_error("open"))
    }

    /// Opens a simulated cluster: with its clients, clocks and tasks.
    ///
    /// # Errors
    /// When a name cannot be used.
    #[cfg(feature = "simulated-api")]
    pub fn open_simulated(self, world: super::simulated::World) -> Result<Cluster, Error> {
        let namespace = self.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        let clients = Clients {
            requests: world.requests,
            watches: world.watches,
        };
        let tasks = Some((world.tasks, world.process_began));
        let planted = Planted {
            mistake: world.planted,
        };
        let opened = self.finish(
            clients,
            Source::Ready,
            namespace,
            world.clock,
            tasks,
            planted,
        );
        opened.map_err(|failure| failure.into_error("open"))
    }

    fn finish(
        self,
        clients: Clients,
        source: Source,
        namespace: String,
        clock: Arc<dyn Clock>,
        tasks: Option<(Arc<dyn Tasks>, WallTime)>,
        planted: Planted,
    ) -> Result<Cluster, Failure> {
        names::check_namespace(&namespace).map_err(|error| invalid(&error))?;
        if let Some(prefix) = &self.lease_prefix {
            let letters = prefix.to_ascii_lowercase();
            names::check("lease prefix", &letters).map_err(|error| invalid(&error))?;
        }
        let pod_name = self
            .pod_name
            .unwrap_or_else(|| crate::host::candidate_name().as_str().to_owned());
        if self.request_timeout.is_zero() {
            let detail = "a request timeout of 0 s lets no request through: lengthen it";
            return Err(Failure::new(ErrorKind::InvalidInput, detail));
        }
        let present = || TokioTasks::present().map(|tasks| Arc::new(tasks) as Arc<dyn Tasks>);
        let (tasks, process_began) = tasks.unzip();
        let tasks = tasks.or_else(present).ok_or_else(|| {
            let detail = "there is no tokio runtime here: open the cluster on the one that the election runs on";
            Failure::new(ErrorKind::InvalidInput, detail)
        })?;
        let settings = Settings {
            death_proof: self.death_proof,
            lease_prefix: self.lease_prefix,
            members_interval: self.members_interval,
            planted,
            pod_name,
            process_began,
            selector: self.members,
        };
        let api = Api::new(
            clients,
            source,
            namespace,
            self.request_timeout,
            self.rights_interval,
            clock,
        );
        Ok(Cluster::new(api, settings, tasks))
    }
}
