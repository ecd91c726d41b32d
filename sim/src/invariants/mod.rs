//! What must hold in every run, one file each, over the records of what happened. Every invariant has a synthetic history that
//! passes and one that fails.

mod facts;
mod jury;
mod single_leader;
mod verdict;

pub use facts::{Facts, NodeFacts};
pub use jury::Jury;
pub use verdict::{Breach, Invariant};
