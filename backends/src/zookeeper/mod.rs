//! An election over nodes of a ZooKeeper ensemble, in Curator's layout.

mod planted;
mod session;
#[cfg(feature = "simulated-ensemble")]
pub mod simulated;
