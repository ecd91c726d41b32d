//! The Kubernetes backend on a real API server, which the tests start.

#![cfg(feature = "kubernetes")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

mod conformance;
mod election;
mod lease;
mod network;
mod pods;
mod retries;
mod rights;
mod scene;
