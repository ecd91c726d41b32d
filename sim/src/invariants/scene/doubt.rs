use super::{Facts, Lock};
use crate::TrueTime;
use crate::plan::Backend;
use crate::trace::Deed;

/// Whether a store that vouches for the end of former holders does so, or has to wait because a stranger has touched the lock: until
/// somebody has held it for two and a half leases.
#[derive(Clone, Copy, Debug)]
pub(in crate::invariants) struct Doubt {
    enough: u64,
    granted_at: Option<TrueTime>,
    is_there: bool,
    vouches: bool,
}

impl Doubt {
    pub(super) fn new(facts: &Facts) -> Self {
        let longest = facts.nodes.iter().map(|node| node.lease.get()).max();
        Self {
            enough: longest.unwrap_or(0).saturating_mul(5) / 2,
            granted_at: None,
            is_there: false,
            vouches: facts.backend != Backend::Lease,
        }
    }

    pub(in crate::invariants) fn is_there(&self) -> bool {
        self.is_there
    }

    pub(super) fn see(&mut self, at: TrueTime, deed: Deed) {
        match deed {
            Deed::Acquired => self.granted_at = Some(at),
            Deed::Expired | Deed::Released => self.granted_at = None,
            Deed::Renewed => {
                let enough = self.enough;
                let long = |granted: TrueTime| at.nanos() >= granted.nanos().saturating_add(enough);
                self.is_there &= !self.granted_at.is_some_and(long);
            }
            Deed::Foreign(foreign) if Lock::is_disturbed_by(foreign) => {
                self.granted_at = None;
                self.is_there = self.vouches;
            }
            Deed::Foreign(_) | Deed::Requested => {}
        }
    }
}
