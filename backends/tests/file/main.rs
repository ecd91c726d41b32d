//! The file backend on real files, real locks and real processes.

#![cfg(all(target_os = "linux", feature = "file"))]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

mod conformance;
mod contract;
mod failures;
mod machine;
mod overlap;
mod processes;
mod scene;
mod tokens;
