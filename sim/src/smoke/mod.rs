//! A smoke test of the election: candidates with the production elector contend for a lock in memory, over a network that loses,
//! delays and repeats, on clocks that run wrong, while machines crash, freeze and sleep, operators interfere and strangers edit the
//! lock.
//!
//! Each run is decided by its [`Plan`], made from a seed before it starts. An oracle asks at every event, in true time, who leads by
//! its own clock or has work running; a quiet time at the end shows that somebody leads again once everything is healed.
//! [`Sabotage`] plants mistakes that the oracle has to catch.

mod generate;
mod grammar;
mod lock;
mod network;
mod node;
mod oracle;
mod plan;
mod recorder;
mod run;
mod sabotage;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod timeline;
mod watchdog;
mod work;

pub use oracle::Violation;
pub use plan::{Direction, Fault, Foreign, NodePlan, Plan, PlannedFault, StoreKind};
pub use run::{Outcome, Run};
pub use sabotage::Sabotage;
pub use stats::Stats;
