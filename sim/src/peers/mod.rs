//! Models of other elections, as candidates in the same world: what they do wrong has to show.
//!
//! - [`Peer`]: which there are.
//! - [`Pattern`]: what goes wrong while they are compared.
//! - [`compare`]: how ours and all of them fare under the same plans, as a [`Table`].
//! - [`Measured`] and [`MeasuredLength`]: how their own code fared, which the models have to agree with.

mod camel;
mod client_go;
mod compare;
mod curator;
mod ensembles;
mod lengths;
mod measured;
mod model;
mod nodes;
mod overlap;
mod peer;
mod render;
mod scenarios;
mod seat;
#[cfg(test)]
mod tests;

pub use client_go::{GoTiming, Stamps};
pub use compare::{Agreement, Cell, LengthAgreement, Row, Table, compare};
pub(crate) use curator::Curator;
pub use lengths::{Length, MeasuredLength, Spread};
pub use measured::{Failing, Measured, Rate};
pub(crate) use model::Call;
pub(crate) use nodes::{
    Answer as NodeAnswer, Ask as NodeAsk, Input as NodeInput, Output as NodeOutput,
};
pub use overlap::{Summary, Tally};
pub use peer::{Peer, UnknownPeer};
pub use scenarios::Pattern;
