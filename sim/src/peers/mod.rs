//! Models of other elections, as candidates in the same world: what they do wrong has to show.
//!
//! - [`Peer`]: which there are.
//! - [`Pattern`]: what goes wrong while they are compared.
//! - [`compare`]: how ours and all of them fare under the same plans, as a [`Table`].
//! - [`Measured`]: how their own code fared, which the models have to agree with.

mod camel;
mod client_go;
mod compare;
mod measured;
mod model;
mod overlap;
mod peer;
mod render;
mod scenarios;
mod seat;
#[cfg(test)]
mod tests;

pub use client_go::{GoTiming, Stamps};
pub use compare::{Agreement, Cell, Row, Table, compare};
pub use measured::{Failing, Measured, Rate};
pub use overlap::{Summary, Tally};
pub use peer::{Peer, UnknownPeer};
pub use scenarios::Pattern;
