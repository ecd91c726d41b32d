//! Candidates of Curator and Camel, unmodified, in one election with ours on a real ZooKeeper server.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

mod candidate;
#[path = "../../faults/checker.rs"]
#[expect(dead_code, reason = "nothing fires here")]
mod checker;
#[path = "../../faults/line.rs"]
mod line;
mod stage;
mod strangers;
mod takeovers;
#[path = "../work.rs"]
mod work;
