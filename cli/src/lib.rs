//! The program `tenure`, as a library for its own tests. Nothing in it is meant for others, or stable.

pub mod guard;
pub mod job;
