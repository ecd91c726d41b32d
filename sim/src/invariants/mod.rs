//! What must hold in every run, one file each, over the records of what happened. Every invariant has a synthetic history that
//! passes and one that fails.

mod acked_start;
mod assumptions;
mod bounds;
mod cas_only;
mod converge;
mod event_grammar;
mod facts;
mod fenced_resource;
mod findings;
mod handover;
mod holder_continuity;
mod jury;
mod no_flap;
mod no_gap;
mod observed_monotonic;
mod overlaps;
mod progress;
mod release_own;
mod scene;
mod shutdown;
mod single_leader;
mod step_down_deadline;
mod stop_on_sight;
mod token_monotonic;
mod verdict;

#[cfg(test)]
mod history;

pub use assumptions::{Assumption, Assumptions};
pub use facts::{Facts, NodeFacts};
pub use jury::Jury;
pub use overlaps::Overlaps;
pub use verdict::{Breach, Invariant};
