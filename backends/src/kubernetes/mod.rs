//! Locks that are Leases of a Kubernetes cluster.
//!
//! The lock is one `coordination.k8s.io/v1` Lease, which `kubectl`, dashboards and candidates of client-go can read. Rights to get, create
//! and update Leases are enough; `watch` is used where it is granted, and polling where it is not.
//!
//! | part of the Lease | what it is |
//! | --- | --- |
//! | `spec.holderIdentity` | `<candidate>_<incarnation>`; left out when nobody holds |
//! | `spec.renewTime` | the number of the last write, which is the writer's wall clock in microseconds: compared for equality only |
//! | `spec.leaseDurationSeconds` | how long others wait after they saw it change, rounded up |
//! | `spec.acquireTime`, `spec.leaseTransitions` | for people |
//! | `metadata.uid` | which object it is |
//! | `metadata.resourceVersion` | what every write names; that of the acquiring write is the fencing token |
//! | annotation `tenure/token`, `tenure/token-holder` | the token and whose it is, from the first renewal on |
//! | annotation `tenure/note`, `tenure/note-base64` | the note |
//! | annotation `tenure/released` | the mark of a release: who, on which object, with which write |
//! | annotation `tenure/request` | an operator's request |
//! | annotation `tenure/container` | the container that the holder is in, for a kubelet's word on its death |
//! | annotation `tenure/election`, label `tenure/lock` | whose Lease it is |
//!
//! Everything else in it is carried along untouched.
//!
//! ```no_run
//! use tenure_backends::kubernetes::Cluster;
//! use tenure_core::ElectionName;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = Cluster::builder().members("app=report").open().await?;
//! let lock = cluster.lock(ElectionName::new("nightly")?)?;
//! # drop(lock);
//! # Ok(()) }
//! ```
//!
//! Kubernetes 1.33 and newer are supported, as far as `k8s-openapi` 0.29 goes. It needs one of its version features, which the crate that
//! is built in the end chooses, and no library: `k8s-openapi = { version = "0.29", features = ["v1_33"] }`.

mod annotations;
mod api;
mod backend;
mod cluster;
mod config;
mod connection;
mod container;
#[cfg(test)]
mod container_tests;
mod echo;
mod error;
mod hints;
mod known;
#[cfg(test)]
mod known_tests;
mod leader_label;
mod leases;
mod names;
mod operators;
mod planted;
mod pods;
mod record;
#[cfg(test)]
mod record_fuzz;
#[cfg(test)]
mod record_tests;
#[cfg(feature = "simulated-api")]
pub mod simulated;
mod stagger;
mod store;
mod template;
#[cfg(test)]
mod template_tests;
mod time;
mod watch;

/// The client that the backend is built on, so that a [`kube::Config`] or [`kube::Client`] of the right version can be made.
pub use kube;

pub use backend::LeaseLock;
pub use cluster::Cluster;
pub use config::{ClusterBuilder, DeathProof};
pub use leader_label::LeaderLabel;
pub use operators::Initialized;
