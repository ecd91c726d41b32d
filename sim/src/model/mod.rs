//! The exhaustive tier: every state that a small world can reach, with the production machine in it.
//!
//! A [`Configuration`] is a few candidates, one leased record and what may go wrong. [`check`] searches it by breadth, with
//! stateright: from each state everything that may happen next does, and in each state at most one candidate says by its own clock
//! that it leads or has work running. What is found comes with a shortest way to it.
//!
//! # What makes it finite
//! No clock is in a state. Each machine's readings are shifted so that it is always the same moment, and spans that are over are cut
//! ([`Machine::normalise`](tenure_core::machine::Machine::normalise)); versions, tokens, nonces, objects and former lives are named
//! anew in each state. So there is no horizon: a search that closes has shown its world for any length of time. A test walks the
//! worlds with and without normal forms, and compares.
//!
//! # What a step is
//! - A tick of one candidate's clock. Over any span of time two clocks' ticks differ by at most [`Configuration::drift`], and a
//!   timing is used that allows for just as much. Due wake-ups come with the tick, unless machines are starved.
//! - A request reaches the store at any time before its caller gives up, or at any later time, when its caller is abandoned or dead.
//!   It is answered at once, later, or never.
//! - Work ends by itself, or at the last moment before it would overrun.
//! - A process dies. It starts anew at once, as another candidate of the same name: one whose requests all get lost is as good as dead.
//! - A stranger deletes or empties the record; an operator asks a leader to resign.
//!
//! # What is left out
//! Session locks, hints, notes, members, suspended machines, errors other than lost messages, duplicated requests (their second landing
//! fails by its version), and more delayed writes than [`Configuration::delayed_writes`]. A delayed write that can never be done is
//! forgotten at once. Clocks may differ by so many ticks in all, not by so many in each lease.

mod action;
mod check;
mod configuration;
mod counterexample;
mod heard;
mod mistakes;
mod names;
mod rules;
mod step;
mod store;
mod tale;
#[cfg(test)]
mod tests;
mod timeline;
mod true_times;
mod world;

pub use check::{End, Progress, Verdict, check};
pub use configuration::{Before, Configuration};
pub use counterexample::Counterexample;
pub use mistakes::{Shown, shown};
pub use timeline::Line;
