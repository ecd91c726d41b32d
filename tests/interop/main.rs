//! Candidates of client-go, unmodified, in one election with ours on a real API server.
//!
//! `TENURE_INTEROP_ROUNDS=200 tools/test --features kubernetes --test client_go costs -- --nocapture` measures what client-go's own
//! mistakes cost, in so many rounds each.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

mod candidate;
#[path = "../faults/checker.rs"]
#[expect(dead_code, reason = "nothing fires here")]
mod checker;
mod costs;
mod deletion;
#[path = "../faults/line.rs"]
mod line;
mod stage;
mod stomp;
mod takeovers;
mod work;
