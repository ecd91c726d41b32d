//! The program on a real server of ZooKeeper.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

#[path = "../common/mod.rs"]
mod common;

mod candidates;
mod commands;
mod queue;
mod refusals;
mod scene;
mod security;
