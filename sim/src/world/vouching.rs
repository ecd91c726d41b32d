use crate::TrueTime;
use crate::plan::{Foreign, Plan};
use crate::trace::Deed;

/// When a store vouches again that former holders have stopped, after a stranger has removed the lock or made it unreadable: once somebody
/// has held it for twice the longest lease, as the file backend has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vouching {
    after: u64,
    granted_at: Option<TrueTime>,
}

impl Vouching {
    pub(crate) fn new(plan: &Plan) -> Self {
        let lease = |node: &crate::plan::NodePlan| node.lease.unwrap_or(plan.timing.lease).nanos();
        let longest = plan.nodes.iter().map(lease).max().unwrap_or(0);
        Self {
            // A tenth more, for clocks that run apart.
            after: (longest * 2).saturating_add(longest / 5),
            granted_at: None,
        }
    }

    /// Takes in what was done to the lock. Says whether the store vouches from now on.
    pub(crate) fn sees(&mut self, now: TrueTime, deed: Deed) -> bool {
        match deed {
            Deed::Acquired => self.granted_at = Some(now),
            Deed::Renewed => {
                return self
                    .granted_at
                    .is_some_and(|at| now.nanos() >= at.nanos().saturating_add(self.after));
            }
            Deed::Requested | Deed::Foreign(Foreign::EditLabel) => {}
            Deed::Expired | Deed::Foreign(_) | Deed::Released => self.granted_at = None,
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Backend, Span};

    #[test]
    fn who_holds_the_lock_long_enough_has_the_store_vouch_and_nobody_else() {
        let mut plan = Plan::generate(0, Backend::File);
        plan.nodes.iter_mut().for_each(|node| node.lease = None);
        plan.timing.lease = Span::from_secs(10);
        let at = |seconds| Span::from_secs(seconds).from_start();
        let mut vouching = Vouching::new(&plan);
        assert!(!vouching.sees(at(1), Deed::Renewed));
        assert!(!vouching.sees(at(1), Deed::Acquired));
        assert!(!vouching.sees(at(22), Deed::Renewed));
        assert!(vouching.sees(at(23), Deed::Renewed));
        assert!(!vouching.sees(at(24), Deed::Released));
        assert!(!vouching.sees(at(60), Deed::Renewed));
    }
}
