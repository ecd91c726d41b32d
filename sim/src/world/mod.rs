//! The world of a run without any input or output: an event queue, clocks, links and a store, as plain data that whoever drives it
//! moves on. Nothing here runs by itself, and nothing knows who the candidates are.

mod clocks;
mod link;
mod queue;
mod server;
mod sessions;
mod slab;
mod vouching;

pub(crate) use clocks::{Clocks, Halt};
pub(crate) use link::{Condition, Link};
pub(crate) use queue::Queue;
pub(crate) use server::{Applied, Caller, Server, basis, outcome};
pub(crate) use sessions::Expired;
pub(crate) use slab::Slab;
pub(crate) use vouching::Vouching;
