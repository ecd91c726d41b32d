use super::{Facts, NodeFacts};
use crate::plan::Backend;

/// How long the fault-free part of a run may take for what, in nanoseconds of true time.
///
/// Everything is made from the longest durations that any candidate is configured with, and grows by ρ. What a call takes is at most
/// its timeout, and a refused one is made again after the retry interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    /// From the end of a leadership, or of the last fault, until another begins.
    pub(super) converge: u64,
    /// From a release until another candidate leads.
    pub(super) handover: u64,
    /// What the wait for a vacancy that nobody explains adds to a handover.
    pub(super) probation: u64,
    /// For how long a candidate lets others go first after its work has ended by itself.
    pub(super) give_way: u64,
}

/// The longest back-off of work that ends by itself, and the longest wait that a store asks for: what worlds are made with.
const GIVE_WAY_MS: u64 = 8_000;
const RETRY_AFTER_MS: u64 = 5_000;
const MILLISECOND: u64 = 1_000_000;

impl Bounds {
    pub(super) fn of(facts: &Facts) -> Self {
        let most = |of: fn(&NodeFacts) -> u64| facts.nodes.iter().map(of).max().unwrap_or(0);
        let drift = most(|node| u64::from(node.drift_ppm));
        let grown = |nanos: u64| nanos.saturating_add(nanos / 1_000_000 * drift);
        let lease = most(|node| node.lease.get());
        let renew = most(|node| node.renew.get());
        let call = most(|node| node.request_timeout.get().saturating_add(node.retry.get()));
        // A follower that is told nothing looks again after one and a half renew intervals.
        let poll = renew + renew / 2;
        // A session's claim starts a leadership only once a later renewal has proven it.
        let proof = if facts.server.late_proof {
            lease / 4 + call
        } else {
            0
        };
        // The record ages from the moment at which it is seen, or the server finds that the session is gone. Meanwhile whoever lets
        // others go first, or was told to come later, has done so.
        let tick = if facts.backend == Backend::Session {
            facts.server.tick.nanos()
        } else {
            0
        };
        // What was sent before, and is held back, may take a place or give it up when it arrives.
        let late = facts.on_its_way.get();
        let aging = (lease + poll + tick)
            .max((GIVE_WAY_MS + RETRY_AFTER_MS).saturating_mul(MILLISECOND) + poll);
        Self {
            // Rule 9: a vacancy that nobody explains is waited out.
            converge: grown(late + aging + lease + proof + 4 * call),
            handover: grown(late + poll + proof + 3 * call),
            probation: grown(lease),
            give_way: grown(GIVE_WAY_MS.saturating_mul(MILLISECOND)),
        }
    }
}
