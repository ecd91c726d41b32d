//! Backends that are wrong on purpose: the locks in memory with one planted [`Mistake`] each.
//!
//! They show that the [conformance suite](super::conformance) finds what it should: each mistake makes exactly the checks fail that
//! [`Mistake::found_by`] names.

mod fixture;
mod ledger;
mod lock;
mod mistake;
mod planted;
mod shown;
#[cfg(test)]
mod tests;

pub use fixture::WrongFixture;
pub use lock::WrongLock;
pub use mistake::Mistake;
