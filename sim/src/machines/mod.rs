//! The machine tier: discrete events drive [`Machine`](tenure_core::machine::Machine) itself, without an executor and without async.
//!
//! A world of plain data takes the next event from its queue, moves true time to it, and does what it says: a request lands, a reply or a hint
//! arrives, a node wakes by its own clocks, a fault begins or ends. Everything that happens is recorded in a
//! [`Chronicle`](crate::trace::Chronicle). It is the fastest tier, and the one for many seeds.
//!
//! What runs on a node is a [`Candidate`]: ours, or a model of another election.

mod candidate;
mod counting;
mod delivery;
mod event;
mod faults;
mod hinting;
mod leadership;
mod node;
mod processes;
mod run;
#[cfg(test)]
mod tests;
mod timers;
mod work;
mod working;
mod world;

pub use candidate::{Belief, Candidate};
pub use run::run;
