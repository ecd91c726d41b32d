use std::time::Duration;

use clap::{Args, ValueEnum};
use tenure::file::NodeLocalLocks;
use tenure::kubernetes::DeathProof;
use tenure::{FencingToken, Timing};

use super::LabelText;
use super::confidential::Confidential;
use super::node::NodeArguments;
use crate::exit::Failure;
use crate::lock_url::LockUrl;
use crate::open_lock::{How, LeaseOptions, OpenLock};

/// Which lock
#[derive(Args, Debug)]
pub(crate) struct LockOptions {
    /// The lock, the same for all candidates: file:///directory/election, kubernetes://[context@]namespace/name or
    /// zookeeper://host:2181,host:2181/base/name
    #[arg(long = "lock", env = "TENURE_LOCK", hide_env_values = true, value_name = "URL", value_parser = Confidential::<LockUrl>::new())]
    pub(crate) url: LockUrl,
    /// file: uses a file system whose locks may not reach other machines: all candidates must run on this one
    #[arg(long, env = "TENURE_ACCEPT_NODE_LOCAL_LOCKS")]
    accept_node_local_locks: bool,
    /// file: a number that no token of this election has exceeded, for a lock whose tokens were lost
    #[arg(long, env = "TENURE_TOKEN_FLOOR", value_name = "N")]
    token_floor: Option<FencingToken>,
    /// kubernetes: what the Lease's name begins with, followed by - and the election's name
    #[arg(long, env = "TENURE_LEASE_PREFIX", value_name = "PREFIX")]
    lease_prefix: Option<String>,
    /// kubernetes: the pods that are members, by a label selector such as app=report
    #[arg(long, env = "TENURE_MEMBERS", value_name = "SELECTOR")]
    members: Option<String>,
    #[command(flatten)]
    node: NodeArguments,
}

/// What a candidate says of its pod
#[derive(Args, Debug)]
pub(crate) struct PodOptions {
    /// kubernetes: this process's pod, and its candidate's name [default: the host's name]
    #[arg(long, env = "TENURE_POD_NAME", value_name = "POD")]
    pub(crate) pod_name: Option<String>,
    /// kubernetes: what proves a leader dead before its lease has aged; the same for all candidates
    #[arg(long, env = "TENURE_DEATH_PROOF", value_enum, default_value_t = DeathProofName::Nothing, value_name = "WHAT")]
    death_proof: DeathProofName,
    /// kubernetes: the container that this process runs in, for --death-proof kubelet in a pod of several
    #[arg(long, env = "TENURE_CONTAINER", value_name = "NAME")]
    container: Option<String>,
    /// kubernetes: a label that the own pod has while it leads, such as role=leader; needs patch on pods, and is no fence
    #[arg(long, env = "TENURE_LEADER_LABEL", value_name = "KEY[=VALUE]")]
    leader_label: Option<LabelText>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum DeathProofName {
    /// The kubelet's word that the leader's container has terminated; needs get on pods
    Kubelet,
    /// Nothing: its lease has to age
    Nothing,
}

impl LockOptions {
    /// Opens the lock for somebody who looks at it or asks its leader.
    pub(crate) async fn open(&self) -> Result<OpenLock, Failure> {
        OpenLock::open(&self.url, self.how(LeaseOptions::default())?).await
    }

    /// Opens the lock for a candidate.
    pub(crate) async fn open_for_candidate(
        &self,
        pod: &PodOptions,
        timing: Timing,
    ) -> Result<OpenLock, Failure> {
        pod.check(&self.url)?;
        let mut how = self.how(LeaseOptions {
            death_proof: match pod.death_proof {
                DeathProofName::Kubelet => DeathProof::Kubelet {
                    container: pod.container.clone(),
                },
                DeathProofName::Nothing => DeathProof::Nothing,
            },
            leader_label: pod.leader_label.clone(),
            pod_name: pod.pod_name.clone(),
            timing: Some(timing),
            ..LeaseOptions::default()
        })?;
        if let How::Zookeeper(options) = &mut how {
            options.patient = true;
            if options.session_timeout.is_none() {
                options.session_timeout = Some(timing.lease_duration());
                options.session_option = "--lease";
            }
        }
        OpenLock::open(&self.url, how).await
    }

    /// The session timeout that is asked for, unless it is left to follow from the lease.
    pub(crate) fn session_timeout(&self) -> Option<Duration> {
        self.node.session_timeout()
    }

    fn how(&self, options: LeaseOptions) -> Result<How, Failure> {
        if !matches!(self.url, LockUrl::File { .. }) {
            let local = "--accept-node-local-locks";
            refuse(self.accept_node_local_locks, local, FILES, &self.url)?;
            refuse(
                self.token_floor.is_some(),
                "--token-floor",
                FILES,
                &self.url,
            )?;
        }
        if !matches!(self.url, LockUrl::Kubernetes { .. }) {
            let prefix = self.lease_prefix.is_some();
            refuse(prefix, "--lease-prefix", LEASES, &self.url)?;
            refuse(self.members.is_some(), "--members", LEASES, &self.url)?;
        }
        if !matches!(self.url, LockUrl::Zookeeper { .. }) {
            for (given, option) in self.node.given() {
                refuse(given, option, NODES, &self.url)?;
            }
        }
        Ok(match self.url {
            LockUrl::File { .. } => How::File {
                locks: if self.accept_node_local_locks {
                    NodeLocalLocks::Accept
                } else {
                    NodeLocalLocks::Refuse
                },
                token_floor: self.token_floor,
            },
            LockUrl::Kubernetes { .. } => How::Kubernetes(Box::new(LeaseOptions {
                lease_prefix: self.lease_prefix.clone(),
                members: self.members.clone(),
                ..options
            })),
            LockUrl::Zookeeper { .. } => How::Zookeeper(Box::new(self.node.options()?)),
        })
    }
}

impl PodOptions {
    fn check(&self, url: &LockUrl) -> Result<(), Failure> {
        let proof = self.death_proof != DeathProofName::Nothing;
        if !matches!(url, LockUrl::Kubernetes { .. }) {
            refuse(self.pod_name.is_some(), "--pod-name", LEASES, url)?;
            refuse(proof, "--death-proof", LEASES, url)?;
            refuse(self.leader_label.is_some(), "--leader-label", LEASES, url)?;
        }
        if self.container.is_some() && !proof {
            return Err(Failure::usage(
                "--container says whose death a kubelet proves: add --death-proof kubelet, or leave it out",
            ));
        }
        Ok(())
    }
}

const FILES: &str = "lock files (file://)";
const LEASES: &str = "Leases (kubernetes://)";
const NODES: &str = "ZooKeeper's nodes (zookeeper://)";

/// An option of another kind of lock does nothing here, which who gave it should know.
fn refuse(given: bool, option: &str, kinds: &str, url: &LockUrl) -> Result<(), Failure> {
    if !given {
        return Ok(());
    }
    let instead = match url {
        LockUrl::File { .. } => "a lock file",
        LockUrl::Kubernetes { .. } => "a Lease",
        LockUrl::Zookeeper { .. } => "a node of ZooKeeper",
    };
    Err(Failure::usage(format!(
        "{option} is for {kinds} and means nothing for {instead}: leave it out for {url}"
    )))
}
