//! Real servers for tests: an API server of Kubernetes with its store, or an ensemble of ZooKeeper, on free ports and in a directory of
//! their own, proxies that make the ways to them and between them as bad as a network can be, and candidates that are processes of their
//! own, client-go's and Curator's among them.
//!
//! Nothing is left behind: a server ends with the process that started it, however that ends.

#![expect(
    clippy::unwrap_used,
    reason = "what fails here should fail the test that asked for it"
)]

mod account;
mod admin;
mod cast;
mod client_go;
mod cluster;
mod curator;
mod directory;
mod ensemble;
mod namespace;
mod ports;
mod process;
mod proxy;
mod wait;

pub use account::{Account, CAMEL_RULES, Rule, WATCH_RULES};
pub use admin::Admin;
pub use cast::{Cast, Told, boottime};
pub use client_go::ClientGo;
pub use cluster::{ApiServer, TestCluster};
pub use curator::Curator;
pub use ensemble::{
    Authority, Backup, Connection, Ensemble, Identity, Link, Mode, Operator, Security, Server,
    Settings, Way, session_password,
};
pub use namespace::{Namespace, PodStatus};
pub use proxy::{Flow, Proxy};
pub use wait::{pause, until};
