//! What a simulator puts under the backend. No part of the stable interface.

use std::sync::Arc;

use tenure_core::{Clock, WallTime};

pub use super::planted::Mistake;
pub use crate::tasks::{Task, TaskGuard, Tasks};

/// A cluster's outside.
#[derive(Clone)]
pub struct World {
    /// For everything but watches.
    pub requests: kube::Client,
    /// For watches.
    pub watches: kube::Client,
    /// The candidate's clocks.
    pub clock: Arc<dyn Clock>,
    /// A mistake that the backend makes.
    pub planted: Option<Mistake>,
    /// When the candidate's container began, by its node's wall clock.
    pub process_began: WallTime,
    /// What runs watches.
    pub tasks: Arc<dyn Tasks>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
