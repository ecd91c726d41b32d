//! Locks that are open, whatever their store.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenure::file::{FileLock, FileRoot, NodeLocalLocks};
use tenure::host::SystemClock;
use tenure::kubernetes::{Cluster, DeathProof, Initialized, LeaderLabel, LeaseLock};
use tenure::time::Clock;
use tenure::zookeeper::{Acl, Credentials, Ensemble, EnsembleBuilder};
use tenure::{CandidateId, ElectionName, ErrorKind, FencingToken, Leadership, LockBackend, Timing};

use crate::exit::Failure;
use crate::lock_url::LockUrl;
use crate::options::LabelText;

/// Directories that do not survive a reboot, or are cleaned up in the middle of one.
const FLEETING: [&str; 5] = ["/dev/shm", "/run", "/tmp", "/var/lock", "/var/run"];

/// How a lock is opened, beside its URL.
#[derive(Clone, Debug)]
pub(crate) enum How {
    File {
        locks: NodeLocalLocks,
        token_floor: Option<FencingToken>,
    },
    Kubernetes(Box<LeaseOptions>),
    Zookeeper(Box<NodeOptions>),
}

/// How a node is opened.
#[derive(Clone, Default, Debug)]
pub(crate) struct NodeOptions {
    pub(crate) acl: Option<Acl>,
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) credentials: Option<Credentials>,
    /// A certificate and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    /// Whether it is tried again and again while no server answers, as a candidate's.
    pub(crate) patient: bool,
    /// The option that the timeout is from, as people are told.
    pub(crate) session_option: &'static str,
    pub(crate) session_timeout: Option<Duration>,
    pub(crate) tick_time: Option<Duration>,
}

/// How a Lease is opened.
#[derive(Clone, Default, Debug)]
pub(crate) struct LeaseOptions {
    pub(crate) death_proof: DeathProof,
    pub(crate) leader_label: Option<LabelText>,
    pub(crate) lease_prefix: Option<String>,
    pub(crate) members: Option<String>,
    pub(crate) pod_name: Option<String>,
    /// What a candidate's election goes by; nothing for who only looks.
    pub(crate) timing: Option<Timing>,
}

/// A lock that was opened for one candidate, or to look at it.
#[derive(Clone, Debug)]
pub(crate) struct OpenLock {
    pub(crate) backend: Arc<dyn LockBackend>,
    kept: KeptBy,
}

#[derive(Clone, Debug)]
enum KeptBy {
    Kernel(Arc<FileLock>),
    Renewals {
        label: Option<LeaderLabel>,
        lease: Arc<LeaseLock>,
    },
    Session,
}

/// What keeps a lock that is held, beside the program's renewals.
#[derive(Debug)]
pub(crate) enum Keeper {
    /// The kernel, for each process that has this descriptor.
    Descriptor(OwnedFd),
    /// Nothing: it ages.
    Nothing,
    /// It is not held any more.
    NotHeld,
}

impl OpenLock {
    /// Opens the lock; makes the directory of a file where there is none.
    pub(crate) async fn open(url: &LockUrl, how: How) -> Result<Self, Failure> {
        match (url, how) {
            (
                LockUrl::File {
                    directory,
                    election,
                },
                How::File { locks, token_floor },
            ) => {
                let mut root = FileRoot::builder(directory).node_local_locks(locks);
                if let Some(floor) = token_floor {
                    root = root.token_floor(floor);
                }
                let root = root.open().map_err(Failure::unavailable)?;
                let fleeting = FLEETING.iter().find(|place| directory.starts_with(place));
                if let (Some(place), None) = (fleeting, root.warning()) {
                    tracing::warn!(
                        "{place} is cleaned up at a reboot or before, and the order of fencing tokens with it: prefer /var/lib"
                    );
                }
                let lock = root.lock(election.clone()).map_err(Failure::unavailable)?;
                let lock = Arc::new(lock);
                Ok(Self {
                    backend: Arc::clone(&lock) as Arc<dyn LockBackend>,
                    kept: KeptBy::Kernel(lock),
                })
            }
            (
                LockUrl::Kubernetes {
                    context,
                    election,
                    namespace,
                },
                How::Kubernetes(options),
            ) => lease(context.as_deref(), namespace.as_deref(), election, *options).await,
            (
                LockUrl::Zookeeper {
                    base,
                    election,
                    servers,
                },
                How::Zookeeper(options),
            ) => node(servers, base, election, *options).await,
            (
                LockUrl::File { .. } | LockUrl::Kubernetes { .. } | LockUrl::Zookeeper { .. },
                How::File { .. } | How::Kubernetes(_) | How::Zookeeper(_),
            ) => Err(Failure::failed("the lock's options are another store's")),
        }
    }

    /// What keeps the lock for guard and job, whatever becomes of the program.
    pub(crate) fn keeper(&self) -> io::Result<Keeper> {
        Ok(match &self.kept {
            KeptBy::Kernel(file) => match file.descriptor()? {
                Some(descriptor) => Keeper::Descriptor(descriptor),
                None => Keeper::NotHeld,
            },
            KeptBy::Renewals { .. } | KeptBy::Session => Keeper::Nothing,
        })
    }

    pub(crate) fn election(&self) -> &ElectionName {
        &self.backend.description().election
    }

    /// Does `work`, with the leader's label on the own pod where one is wanted.
    pub(crate) async fn labelled<F: Future>(&self, leadership: &Leadership, work: F) -> F::Output {
        match &self.kept {
            KeptBy::Renewals {
                label: Some(label), ..
            } => label.during(leadership, work).await,
            _ => work.await,
        }
    }

    /// Makes the lock as if a leader had just given it back; nothing where the lock needs none of that.
    pub(crate) async fn initialize(&self) -> Option<Result<Initialized, tenure::Error>> {
        match &self.kept {
            KeptBy::Kernel(_) | KeptBy::Session => None,
            KeptBy::Renewals { lease, .. } => Some(lease.initialize().await),
        }
    }

    /// Takes the candidate out, when its elector was given up.
    pub(crate) async fn withdraw(&self, candidate: &CandidateId) {
        // There is nothing to be done about a failure: the end of the process does the same.
        let _ = self.backend.withdraw(candidate).await;
    }
}

async fn node(
    servers: &str,
    base: &str,
    election: &ElectionName,
    options: NodeOptions,
) -> Result<OpenLock, Failure> {
    let mut ensemble = Ensemble::builder().connect_string(servers).base_path(base);
    if let Some(acl) = options.acl {
        ensemble = ensemble.acl(acl);
    }
    if let Some(authorities) = options.authorities {
        ensemble = ensemble.certificate_authority(authorities);
    }
    if let Some(credentials) = options.credentials {
        ensemble = ensemble.credentials(credentials);
    }
    if let Some((certificate, key)) = options.identity {
        ensemble = ensemble.client_certificate(certificate, key);
    }
    if let Some(timeout) = options.session_timeout {
        ensemble = ensemble.session_timeout(timeout);
    }
    if let Some(tick) = options.tick_time {
        ensemble = ensemble.tick_time(tick);
    }
    let refused = |error: tenure::Error| match error.kind() {
        ErrorKind::InvalidInput => Failure::usage_of(in_options(&error, options.session_option)),
        _ => Failure::unavailable(error),
    };
    let ensemble = open_ensemble(ensemble, options.patient)
        .await
        .map_err(refused)?;
    let lock = ensemble.lock(election.clone()).map_err(refused)?;
    Ok(OpenLock {
        backend: Arc::new(lock),
        kept: KeptBy::Session,
    })
}

/// The error in the words of the command line.
fn in_options(error: &tenure::Error, session_option: &str) -> String {
    let text = error.to_string();
    let text = text.replace("session_timeout", session_option);
    text.replace("tick_time", "--zookeeper-tick-time")
}

/// How long a candidate waits until it asks servers again that gave no session.
const SERVERS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Opens an ensemble; where it is to be patient, as soon as a server answers.
async fn open_ensemble(builder: EnsembleBuilder, patient: bool) -> Result<Ensemble, tenure::Error> {
    loop {
        match builder.clone().open().await {
            Err(error) if patient && error.kind() == ErrorKind::Unavailable => {
                tracing::warn!(%error, "no session yet: trying again");
                SystemClock::new().sleep(SERVERS_AGAIN_AFTER).await;
            }
            opened => return opened,
        }
    }
}

async fn lease(
    context: Option<&str>,
    namespace: Option<&str>,
    election: &ElectionName,
    options: LeaseOptions,
) -> Result<OpenLock, Failure> {
    let mut cluster = Cluster::builder().death_proof(options.death_proof);
    if let Some(context) = context {
        cluster = cluster.context(context);
    }
    if let Some(namespace) = namespace {
        cluster = cluster.namespace(namespace);
    }
    if let Some(prefix) = options.lease_prefix {
        cluster = cluster.lease_prefix(prefix);
    }
    if let Some(selector) = options.members {
        cluster = cluster.members(selector);
    }
    if let Some(pod) = options.pod_name {
        cluster = cluster.pod_name(pod);
    }
    if let Some(timing) = options.timing {
        cluster = cluster.request_timeout(timing.request_timeout());
    }
    let cluster = cluster.open().await.map_err(Failure::unavailable)?;
    let label = options.leader_label.map(|LabelText { key, value }| {
        LeaderLabel::new(&cluster, &key, &value).map_err(Failure::usage_of)
    });
    let lock = cluster
        .lock(election.clone())
        .map_err(Failure::unavailable)?;
    let lease = Arc::new(lock);
    Ok(OpenLock {
        backend: Arc::clone(&lease) as Arc<dyn LockBackend>,
        kept: KeptBy::Renewals {
            label: label.transpose()?,
            lease,
        },
    })
}
