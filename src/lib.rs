//! Leader election for work that must run in exactly one place.
//!
//! A service runs as N instances, and one piece of its work must run on exactly one of them. `tenure` elects a leader among them,
//! tells it until when it may act, stops its work before anybody else may start, and hands over in milliseconds.
//!
//! Pick a backend by a feature, describe the election, and give it the work:
//!
//! | feature | lock | needs |
//! | --- | --- | --- |
//! | `file` (default) | a lock file on one machine | nothing |
//! | `kubernetes` | a Lease of a Kubernetes cluster | a service account that may get, create and update Leases |
//! | `zookeeper` | a node of a ZooKeeper ensemble, in Curator's layout | ZooKeeper 3.5.3 or newer |
//! | none | in memory, for tests | nothing |
//!
//! ```
//! # #[cfg(all(feature = "file", target_os = "linux"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("nightly");
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async move {
//! let lock = tenure::file::FileLock::open(&path)?;
//! let mut election = tenure::election(lock)?.timing(tenure::Timing::fast()).build()?;
//! let report = election
//!     .run(|leadership| async move {
//!         // Runs on one instance at a time. Check before each step, and let what you write to check the token.
//!         assert!(leadership.is_valid_for(std::time::Duration::from_secs(1)));
//!         format!("written with token {}", leadership.token())
//!     })
//!     .await?;
//! # assert!(report.starts_with("written"));
//! # Ok(()) }) }
//! # #[cfg(not(all(feature = "file", target_os = "linux")))]
//! # fn main() {}
//! ```
//!
//! With a Lease only the lock is another one:
//!
//! ```no_run
//! # #[cfg(feature = "kubernetes")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = tenure::kubernetes::Cluster::infer().await?;
//! let lock = cluster.lock(tenure::ElectionName::new("nightly")?)?;
//! let election = tenure::election(lock)?.build()?;
//! # drop(election);
//! # Ok(()) }
//! ```
//!
//! The feature needs a version of Kubernetes to be chosen for `k8s-openapi` by the crate that is built in the end, such as
//! `k8s-openapi = { version = "0.29", features = ["v1_33"] }`; 1.33 to 1.37 are supported.
//!
//! [`Election::run`] returns the work's value when it ends by itself, [`Election::run_forever`] campaigns again. [`Control`] watches
//! and steers an election from elsewhere. What is guaranteed, under which assumptions, is in `docs/guarantees.md`.

#[cfg(feature = "file")]
pub use tenure_backends::file;
pub use tenure_backends::host::{self, election};
#[cfg(feature = "kubernetes")]
pub use tenure_backends::kubernetes;
#[cfg(feature = "zookeeper")]
pub use tenure_backends::zookeeper;
pub use tenure_core::{
    CandidateId, CandidateName, Control, Effect, Election, ElectionBuilder, ElectionName, Error,
    ErrorKind, Event, Fence, FencingToken, Guarantees, Leadership, LockBackend, NameError,
    RunError, Stale, StopReason, Timing, TimingError, backend, cron, elector, event, machine,
    memory, time, timing,
};

#[cfg(doctest)]
mod documents;
