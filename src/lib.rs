//! Leader election.
pub use tenure_core::*;
