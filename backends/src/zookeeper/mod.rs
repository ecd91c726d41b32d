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
mod planted;
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

pub use acl::Acl;
pub use config::EnsembleBuilder;
pub use ensemble::{Ensemble, NodeLock};
pub use secret::{Credentials, SecretSource};
