//! Leader election.
pub use tenure_core::*;

#[cfg(doctest)]
mod documents;
