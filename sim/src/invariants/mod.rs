//! What must hold in every run, one file each, over the records of what happened. Every invariant has a synthetic history that
//! passes and one that fails.

mod acked_start;
mod assumptions;
mod bounds;
mod cas_only;
mod converge;
mod determinism;
mod event_grammar;
mod facts;
mod fairness;
mod fenced_resource;
mod findings;
mod fire_at_least_once;
mod fire_at_most_once;
mod fires;
mod handover;
mod holder_continuity;
mod jury;
mod leave_taking;
mod load;
mod marker;
mod marks;
mod no_flap;
mod no_gap;
mod note_kept;
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
mod told;
mod verdict;
mod wall_clock_irrelevance;

#[cfg(test)]
mod history;
#[cfg(test)]
mod properties;

pub use assumptions::{Assumption, Assumptions};
pub use determinism::determinism;
pub use facts::{Facts, NodeFacts};
pub use jury::Jury;
pub use marks::Marks;
pub use overlaps::Overlaps;
pub use verdict::{Breach, Invariant};
pub use wall_clock_irrelevance::wall_clock_irrelevance;
