use tenure_core::machine::{Moment, Settings};

use super::Peer;
use crate::machines::Candidate;

impl Peer {
    /// A candidate of this election in place of ours on the machine tier, where there is one: made at `now`, for a node that `settings`
    /// are for.
    pub(crate) fn candidate(self, now: Moment, settings: &Settings) -> Option<Box<dyn Candidate>> {
        let _ = (now, settings);
        None
    }
}
