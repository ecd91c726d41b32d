//! The program, its manifests and its image on a real API server.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

#[path = "../common/mod.rs"]
mod common;

mod candidates;
mod commands;
mod image;
mod manifests;
mod refusals;
mod server;
mod story;
