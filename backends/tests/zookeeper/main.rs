//! The ZooKeeper backend on real servers, which the tests start.

#![cfg(feature = "zookeeper")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

#[cfg(feature = "simulated-ensemble")]
mod certificates;
#[cfg(feature = "simulated-ensemble")]
mod client;
#[cfg(feature = "simulated-ensemble")]
mod security;
mod together;

mod conformance;
mod doubts;
mod elections;
mod lock;
mod old_servers;
mod scene;
