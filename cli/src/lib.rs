//! The program `tenure`, as a library for its own tests. Nothing in it is meant for others, or stable.

mod commands;
mod concurrent;
mod demo;
mod exit;
pub mod guard;
pub mod job;
mod lock_url;
mod open_lock;
mod options;
mod output;
mod signals;
mod supervise;

pub use commands::main;
