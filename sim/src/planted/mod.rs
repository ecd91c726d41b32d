//! Mistakes that can be planted, each of which the invariants have to catch.
//!
//! Most are planted in the machine itself, which knows them as [`Mistake`](tenure_core::planted::Mistake); the others are
//! [`Distortion`]s of what surrounds it. A tier asks a [`Bug`] for either.

mod bug;
mod catalogue;
mod distortion;

pub use bug::{Bug, Kind, Planting};
pub use distortion::{Distortion, Store};
