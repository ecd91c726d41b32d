//! What a simulator puts under the backend. No part of the stable interface.

use std::sync::Arc;

use tenure_core::Clock;

pub use super::planted::Mistake;
pub use super::session::{
    Ending, Event, Failed, Mode, Pending, Servers, Session, Snapshot, Stat, State, Step,
};
pub use crate::tasks::{Task, TaskGuard, Tasks};

/// An ensemble's outside.
#[derive(Clone, Debug)]
pub struct World {
    /// The servers.
    pub servers: Arc<dyn Servers>,
    /// The candidate's clocks.
    pub clock: Arc<dyn Clock>,
    /// A mistake that the backend makes.
    pub planted: Option<Mistake>,
    /// What runs heartbeats and watches.
    pub tasks: Arc<dyn Tasks>,
}
