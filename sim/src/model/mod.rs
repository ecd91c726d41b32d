//! The exhaustive tier: every state that a small world can reach, with the production machine in it.

mod action;
mod check;
mod configuration;
mod names;
mod rules;
mod step;
mod store;
#[cfg(test)]
mod tests;
mod timeline;
mod world;

pub use check::{End, Progress, Verdict, check};
pub use configuration::{Before, Configuration};
pub use timeline::Line;
