//! The Kubernetes backend on a real API server.

#![cfg(feature = "kubernetes")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

mod conformance;
