//! An election over nodes of a ZooKeeper ensemble, in Curator's layout.

mod acl;
mod address;
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
mod live;
mod lock;
mod members;
mod names;
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
