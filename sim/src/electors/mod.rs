//! The election as it runs in production: the real elector, work loop, cron layer and watchdog, as tasks on the executor, over a
//! simulated network and simulated stores.
//!
//! A run does what its [`Plan`](crate::plan::Plan) says. Everything that happens is told to a chronicle, at which the invariants
//! look while it runs.

mod belief;
#[cfg(test)]
mod conformance;
mod connection;
mod cron;
mod distorted;
mod events;
mod exits;
mod files;
mod gate;
mod leases;
mod lock;
mod log;
mod network;
mod node;
mod operator;
mod queues;
mod recorded;
mod resource;
mod rival;
mod run;
mod sessions;
mod steering;
mod store;
mod tasks;
#[cfg(test)]
mod tests;
mod watchdog;
mod work;
mod world;

pub(crate) use gate::Gate;
#[cfg(test)]
pub(crate) use network::LinkState;
pub(crate) use network::{Network, Route};
pub use run::run;
