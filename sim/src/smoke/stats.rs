use std::ops::AddAssign;
use std::sync::{Arc, Mutex};

/// How often things happened that a set of runs must have seen: a run in which nothing goes wrong proves nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Work that was aborted or dropped instead of stopping by itself.
    pub aborted: u64,
    /// Leaderships whose node was stopped or suspended until after their deadline.
    pub frozen_past_deadline: u64,
    /// Leaderships.
    pub leaderships: u64,
    /// Leaderships that ended because their deadline passed.
    pub lost_by_deadline: u64,
    /// Leaderships that ended because the lock was seen in other hands, or gone.
    pub lost_by_sight: u64,
    /// Steps of the executor.
    pub steps: u64,
    /// Requests of unknown outcome.
    pub unknown: u64,
    /// Waits for former leaders after an unexplained absence.
    pub waits: u64,
    /// Requests that landed when their caller had gone.
    pub zombies: u64,
}

impl AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.aborted += other.aborted;
        self.frozen_past_deadline += other.frozen_past_deadline;
        self.leaderships += other.leaderships;
        self.lost_by_deadline += other.lost_by_deadline;
        self.lost_by_sight += other.lost_by_sight;
        self.steps += other.steps;
        self.unknown += other.unknown;
        self.waits += other.waits;
        self.zombies += other.zombies;
    }
}

impl Stats {
    /// What never happened, of all that a set of runs must have seen.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("aborted", self.aborted),
            ("frozen past the deadline", self.frozen_past_deadline),
            ("lost by deadline", self.lost_by_deadline),
            ("lost by sight", self.lost_by_sight),
            ("unknown outcome", self.unknown),
            ("wait after an absence", self.waits),
            ("zombie request", self.zombies),
        ];
        let never = all.into_iter().filter(|(_, times)| *times == 0);
        never.map(|(name, _)| name).collect()
    }
}

/// The counters of one run, shared by all that count.
#[derive(Clone, Default, Debug)]
pub(super) struct Tally(Arc<Mutex<Stats>>);

impl Tally {
    pub(super) fn count(&self, count: impl FnOnce(&mut Stats)) {
        count(&mut self.0.lock().expect("nothing panics while it counts"));
    }

    pub(super) fn stats(&self) -> Stats {
        *self.0.lock().expect("nothing panics while it counts")
    }
}
