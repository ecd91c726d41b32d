use std::time::Duration;

use super::scene::Scene;
use crate::TrueTime;

/// For how long two led at once, in true time, claimed or not.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Overlaps {
    /// How many times it began.
    pub count: u64,
    /// The longest of them.
    pub longest: Duration,
    /// All of them together.
    pub total: Duration,
}

/// Adds up for how long two lead.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    found: Overlaps,
    /// Until when it has been added up.
    until: TrueTime,
    /// Until when the two that led then lead, if nothing happens.
    both_until: TrueTime,
    /// How long the overlap in hand has lasted.
    current: Duration,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            found: Overlaps::default(),
            until: TrueTime::START,
            both_until: TrueTime::START,
            current: Duration::ZERO,
        }
    }

    /// All overlaps until the last record about leadership.
    pub(super) fn found(&self) -> Overlaps {
        self.found
    }

    /// Takes in that something about leadership has changed at `at`.
    pub(super) fn see(&mut self, scene: &Scene, at: TrueTime) {
        let end = at.min(self.both_until);
        let more = end.since(self.until);
        if more > Duration::ZERO {
            if self.current.is_zero() {
                self.found.count += 1;
            }
            self.current += more;
            self.found.total += more;
            self.found.longest = self.found.longest.max(self.current);
        }
        if at > self.both_until {
            self.current = Duration::ZERO;
        }
        self.until = at;
        self.both_until = second_longest(scene, at);
    }
}

/// Until when at least two lead, as things are; `at` when fewer than two do.
fn second_longest(scene: &Scene, at: TrueTime) -> TrueTime {
    let (mut longest, mut second) = (at, at);
    for node in &scene.nodes {
        let Some(until) = node.leads_until() else {
            continue;
        };
        if until > longest {
            (longest, second) = (until, longest);
        } else if until > second {
            second = until;
        }
    }
    second
}
