use std::time::Duration;

use tenure_core::backend::{LockKind, Proof};
use tenure_core::machine::{Membership, OnMissing, Settings};
use tenure_core::timing::{Timing, TimingBuilder};
use tenure_core::{CandidateId, CandidateName, Incarnation};

/// The smallest step of all clocks.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// What keeps a span that ends at a tick from ending a rounding error after it.
const SLACK: Duration = Duration::from_millis(100);
/// The shortest span of a timing.
const SHORTEST: Duration = Duration::from_millis(1);

/// What the lock is before anybody has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Before {
    /// There is no record, which nobody explains.
    Missing,
    /// A former leader has released it.
    Released,
}

/// A world that is small enough to be searched whole, or as far as its limits allow. Spans are in ticks of the candidates' clocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// Its name.
    pub name: &'static str,
    /// What it covers, in a sentence.
    pub sentence: &'static str,
    /// How many candidates there are.
    pub candidates: u8,
    /// How far the ticks of two candidates' clocks may differ over any span of time, however long.
    pub drift: u8,
    /// How long a record stays valid (L).
    pub lease: u8,
    /// How often a leader renews (R), and a follower looks.
    pub renew: u8,
    /// How long a request may take; an answer may come in any tick before.
    pub request_timeout: u8,
    /// How long work may take to stop (σ), 0 or 1. With 0 it stops in the tick that tells it to.
    pub stop_timeout: u8,
    /// What the lock is at first.
    pub before: Before,
    /// How many writes of each candidate whose caller waits no longer may still land at any later time. Of more, the newest are kept.
    pub delayed_writes: u8,
    /// Whether a candidate may crash, and start anew, at any time.
    pub crashes: bool,
    /// Whether somebody may delete the record at any time.
    pub deletions: bool,
    /// Whether somebody may take the holder out of the record at any time.
    pub emptyings: bool,
    /// Whether a leader may be asked to resign at any time, and drains.
    pub resigns: bool,
    /// Whether work may end by itself.
    pub work_ends: bool,
    /// How many ticks may pass unnoticed by a candidate's machine. Its work is stopped by the watchdog all the same.
    pub starved: u8,
    /// How many actions are looked ahead; nothing when the search ends only with the last state.
    pub depth: Option<usize>,
}

impl Configuration {
    /// The smallest world in which every stage of a leadership occurs, and a leader has the time to read what became of a renewal.
    pub const fn smallest() -> Self {
        Self {
            name: "smallest",
            sentence: "two candidates: every stage of a leadership, requests and answers lost, a delayed write each, crashes, clocks that differ by a tick",
            candidates: 2,
            drift: 1,
            lease: 5,
            renew: 1,
            request_timeout: 1,
            stop_timeout: 1,
            before: Before::Missing,
            delayed_writes: 1,
            crashes: true,
            deletions: false,
            emptyings: false,
            resigns: false,
            work_ends: true,
            starved: 0,
            depth: None,
        }
    }

    /// The smallest world, and somebody who deletes the record.
    pub const fn deletions() -> Self {
        Self {
            name: "deletions",
            sentence: "the smallest world, and the record may be deleted at any time, any number of times",
            deletions: true,
            ..Self::smallest()
        }
    }

    /// The smallest world, and somebody who empties the record.
    pub const fn emptyings() -> Self {
        Self {
            name: "emptyings",
            sentence: "the smallest world, and somebody may take the holder out of the record at any time, any number of times",
            emptyings: true,
            ..Self::smallest()
        }
    }

    /// The smallest world with answers that take a tick.
    pub const fn late_answers() -> Self {
        Self {
            name: "late-answers",
            sentence: "the smallest world with longer timeouts: answers may arrive a tick after they were given, when the lock has moved on",
            lease: 6,
            request_timeout: 2,
            ..Self::smallest()
        }
    }

    /// Clocks that run further apart, and more delayed writes.
    pub const fn drift() -> Self {
        Self {
            name: "drift",
            sentence: "the smallest world with clocks that differ by two ticks, and two delayed writes of each candidate",
            drift: 2,
            lease: 6,
            delayed_writes: 2,
            ..Self::smallest()
        }
    }

    /// The smallest world, and leaders that are asked to resign.
    pub const fn resigns() -> Self {
        Self {
            name: "resigns",
            sentence: "the smallest world, and a leader may be asked to resign at any time: it drains, releases and lets others go first",
            resigns: true,
            ..Self::smallest()
        }
    }

    /// The smallest world, and machines that do not notice every tick.
    pub const fn starved() -> Self {
        Self {
            name: "starved",
            sentence: "the smallest world, and a tick may pass that a machine does not notice: the watchdog ends its work",
            starved: 1,
            ..Self::smallest()
        }
    }

    /// Three candidates, as far as a depth.
    pub const fn three() -> Self {
        Self {
            name: "three",
            sentence: "the smallest world with three candidates, as far as 40 actions",
            candidates: 3,
            depth: Some(40),
            ..Self::smallest()
        }
    }

    /// All worlds.
    pub fn all() -> Vec<Self> {
        vec![
            Self::smallest(),
            Self::deletions(),
            Self::emptyings(),
            Self::late_answers(),
            Self::drift(),
            Self::resigns(),
            Self::starved(),
            Self::three(),
        ]
    }

    /// The world of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|configuration| configuration.name == name)
    }

    /// How long after a send a leader believes, in ticks.
    pub const fn validity(&self) -> u8 {
        self.lease - self.drift - self.stop_timeout
    }

    /// The timing, with the clock drift that makes a leader stop so many ticks early.
    pub(super) fn timing(&self) -> Timing {
        let ticks = |ticks: u8| TICK * u32::from(ticks);
        let stop = ticks(self.stop_timeout).max(2 * SHORTEST);
        let timing = TimingBuilder::default()
            .lease_duration(ticks(self.lease))
            .renew_interval(ticks(self.renew).saturating_sub(SLACK))
            .request_timeout(ticks(self.request_timeout).saturating_sub(SLACK))
            .retry_interval(SHORTEST)
            .stop_timeout(stop)
            .kill_allowance(SHORTEST)
            .drain_timeout(stop.max(TICK))
            .clock_drift_ppm(drift_ppm(self.lease, self.drift))
            .build();
        timing.expect("a test builds the timing of each world")
    }

    /// Whether the timing leaves a leader at least a tick to renew.
    #[cfg(test)]
    pub(super) fn is_sound(&self) -> bool {
        let validity = self.timing().validity().get();
        let tick = u64::try_from(TICK.as_nanos()).expect("a second fits");
        validity.div_ceil(tick) == u64::from(self.validity())
    }

    pub(super) fn settings(&self, node: usize) -> Settings {
        Settings {
            candidate: candidate(node),
            kind: LockKind::Leased,
            membership: Membership::Ignored,
            on_missing: OnMissing::Wait,
            proof: Proof::Itself,
            timing: self.timing(),
        }
    }
}

/// The candidate with this label. All have one name: it decides nothing.
pub(super) fn candidate(label: usize) -> CandidateId {
    CandidateId {
        name: CandidateName::new("c").expect("a short name"),
        incarnation: Incarnation::from_bits(label as u128 + 1),
    }
}

/// The smallest ρ for which L / (1+ρ)² is at most L − drift.
fn drift_ppm(lease: u8, drift: u8) -> u32 {
    const MILLION: u64 = 1_000_000;
    let (lease, left) = (u64::from(lease), u64::from(lease - drift));
    let fits = |ppm: &u32| {
        let factor = MILLION + u64::from(*ppm);
        lease * MILLION * MILLION <= left * factor * factor
    };
    (0..=500_000).find(fits).unwrap_or(500_000)
}
