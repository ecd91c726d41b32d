use std::sync::Arc;

use super::hub::Events;
use super::shared::{Shared, View};
use crate::ElectionName;
use crate::machine::Eligibility;

/// Watches and steers an election from elsewhere. Any number of them; cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The election.
    pub fn election(&self) -> &ElectionName {
        &self.shared.election
    }

    /// What the election shows of itself now.
    pub fn view(&self) -> View {
        self.shared.view()
    }

    /// A reader of the events from now on.
    pub fn events(&self) -> Events {
        self.shared.hub.subscribe()
    }

    /// Asks this candidate, if it leads, to stop its work in a planned way and let another lead. Does nothing otherwise.
    pub fn resign(&self) {
        self.shared.resign();
    }

    /// Says whether this candidate may lead. A leader that may not resigns.
    pub fn set_eligibility(&self, eligibility: Eligibility) {
        self.shared.set_eligibility(eligibility);
    }

    /// Ends the election in a planned way: the work stops, the lock is given back, and then the `run` returns.
    pub fn shut_down(&self) {
        self.shared.shut_down();
    }
}
