//! The conformance suite: what every [`LockBackend`](crate::LockBackend) promises, checked.
//!
//! Each check has a name, which is the promise, and a fresh lock. A [`Fixture`] makes the locks; what it cannot do it declares with a
//! reason ([`Fixture::lacks`]), and the reason stands in the [`Report`] beside each check that is left out for it: nothing is skipped
//! silently. The suite runs on any executor, and all its waits are bounded, by the fixture's clock or by a number of polls.
//!
//! ```
//! use tenure_core::testing::block_on;
//! use tenure_core::testing::conformance::{MemoryFixture, Suite};
//!
//! let report = block_on(Suite::new(MemoryFixture::Leased).run_all());
//! assert!(report.failed().is_empty(), "{report}");
//! ```
//!
//! With one test for each check, so that a failing one is seen by its name:
//!
//! ```
//! # use tenure_core::testing::block_on;
//! # use tenure_core::testing::conformance::MemoryFixture;
//! mod leased {
//!     tenure_core::conformance_tests!(super::block_on, super::MemoryFixture::Leased);
//! }
//! ```

mod case;
mod checks;
mod fixture;
mod memory;
mod names;
mod report;
mod suite;
#[cfg(test)]
mod tests;
mod wait;

pub use fixture::{Ability, Fixture, TestLock, Trouble};
pub use memory::MemoryFixture;
pub use report::{Failure, Outcome, Report};
pub use suite::Suite;
