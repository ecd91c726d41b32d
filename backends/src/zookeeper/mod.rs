//! An election over nodes of a ZooKeeper ensemble, in Curator's layout, so that Curator's `LeaderSelector` and Camel's ZooKeeper service may
//! stand in the same queue.
//!
//! ```no_run
//! use tenure_backends::zookeeper::Ensemble;
//! use tenure_core::ElectionName;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let ensemble = Ensemble::builder().connect_string("zk1:2181,zk2:2181,zk3:2181").open().await?;
//! let nightly = tenure_backends::host::election(ensemble.lock(ElectionName::new("nightly")?)?)?.build()?;
//! # drop(nightly);
//! # Ok(()) }
//! ```
//!
//! All elections of a process share one client, one session and one heartbeat. The heartbeat is a write through the quorum, since a server that
//! is cut off from its leader goes on answering pings and reads; and it counts once a later one proves that the servers have passed it on
//! ([`Signs`](tenure_core::backend::Signs)).
//!
//! What is on the servers, which timing follows from a session's timeout, and what happens when servers, sessions or nodes go away, is in
//! `docs/backends.md`.

mod acl;
mod address;
mod answers;
mod client;
mod config;
#[cfg(test)]
mod config_tests;
mod diagnosis;
mod ensemble;
mod error;
mod hints;
mod holding;
mod janitor;
mod lacks;
mod live;
mod lock;
mod members;
mod names;
mod opening;
mod pace;
mod place;
mod planted;
mod queue;
mod record;
mod requests;
mod secret;
#[cfg_attr(
    not(feature = "simulated-ensemble"),
    expect(
        unreachable_pub,
        reason = "public only where a simulator is to have it"
    )
)]
mod session;
mod session_watch;
mod shown;
#[cfg(feature = "simulated-ensemble")]
pub mod simulated;
mod tls;
mod watch;

pub use acl::Acl;
pub use config::EnsembleBuilder;
pub use ensemble::Ensemble;
pub use lock::NodeLock;
pub use secret::{Credentials, SecretSource};
pub use session::{Mode, Step};
