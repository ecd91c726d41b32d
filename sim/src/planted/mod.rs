//! Mistakes that can be planted, each of which the invariants have to catch.
//!
//! Most are planted in the machine itself, which knows them as [`Mistake`](tenure_core::planted::Mistake); the others are
//! [`Distortion`]s of what surrounds it. A tier asks a [`Bug`] for either, and passes through it
//!
//! | what | where |
//! | --- | --- |
//! | [`Bug::mistake`] | to each machine that it makes, or to the builder of each election |
//! | [`Bug::lease_mistake`], [`Bug::carelessness`] | to each Kubernetes backend that it makes, and to its client |
//! | [`Bug::queue_mistake`] | to each ZooKeeper backend that it makes |
//! | [`Distortion::falsify`] | each answer of the store, before the candidate has it |
//! | [`Distortion::misread`] | each observation that a hint carries |
//! | [`Distortion::swallows_hints`] | each hint |
//! | [`Distortion::misread_clocks`] | each reading of the candidate's clocks |
//! | [`Distortion::true_rate_ppm`] | the rate of each oscillator, while what is recorded is the plan's |

mod broken;
mod bug;
mod catalogue;
mod distortion;
mod hunt;
mod table;
#[cfg(test)]
mod tests;
mod zookeeper;

pub use broken::Broken;
pub use bug::{Bug, Kind, Planting};
pub use distortion::{Distortion, Store};
pub use hunt::{Catch, Line, Missed, Progress, Run, SEEDS_MOST, hunt, hunt_by};
pub use table::{Measured, measured, table, table_of};
