//! A node's clocks: wrong in every way that a real machine's are, and known exactly to the simulator.

mod counter;
mod node;
mod sends;
mod sleep;
#[cfg(test)]
mod tests;

pub use counter::Counter;
pub(crate) use counter::{counted, passed};
pub use node::{ClockStart, NodeClock, SimClock};
pub(crate) use sends::Sends;
