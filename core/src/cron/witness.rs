use std::fmt;
use std::time::Duration;

use crate::{Nanos, Reading, WallTime};

/// How much a machine's own clocks may have run apart from true time since a witness spoke: 1 part in 100.
const DRIFT_DIVISOR: u64 = 100;

/// How long a step of the wall clock has to stay before it is believed without a witness.
const STEP_BELIEVED_AFTER: Nanos = Nanos::from_millis(10 * 60 * 1000);

/// Whose clock a [`Witness`] tells of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WitnessSource {
    /// The candidate that led before, in a write that this one saw arrive.
    LastLeader,
    /// The store's own clock.
    Store,
}

/// What another clock showed, and when that was by this machine's readings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Witness {
    /// Whose clock it was.
    pub source: WitnessSource,
    /// A moment before the other clock was read: the sending of the request, or the last observation that did not show the write.
    pub not_before: Reading,
    /// A moment after: the receipt of the answer.
    pub not_after: Reading,
    /// What the other clock showed.
    pub wall: WallTime,
}

impl Witness {
    /// Between which times the other clock is now, or nothing when that has become too uncertain to be worth `limit`.
    fn now_shows(&self, now: Reading, limit: Duration) -> Option<(WallTime, WallTime)> {
        let least = now.shortest_since(self.not_after);
        let most = now.longest_since(self.not_before);
        let slack = Duration::from(Nanos::new(most.get() / DRIFT_DIVISOR));
        let (least, most) = (Duration::from(least), Duration::from(most));
        if most.saturating_sub(least).saturating_add(slack) > limit {
            return None;
        }
        let early = self.wall.saturating_add(least.saturating_sub(slack));
        let late = self.wall.saturating_add(most.saturating_add(slack));
        Some((early, late))
    }

    /// How far `wall` is from what the other clock shows now.
    fn apart(&self, wall: WallTime, now: Reading, limit: Duration) -> Option<Duration> {
        let (early, late) = self.now_shows(now, limit)?;
        Some(
            early
                .saturating_since(wall)
                .max(wall.saturating_since(late)),
        )
    }
}

/// Why a wall clock is not trusted, so that nothing fires.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Doubt {
    /// The wall clock is apart from another one.
    Apart {
        /// From whose.
        from: WitnessSource,
        /// How far.
        by: Duration,
    },
    /// The wall clock is behind the newest time in the ledger.
    BehindLedger {
        /// How far.
        by: Duration,
    },
    /// The wall clock has jumped, against this machine's own other clocks.
    Stepped {
        /// How far.
        by: Duration,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apart {
                from: WitnessSource::Store,
                by,
            } => write!(f, "it is {by:?} apart from the store's clock"),
            Self::Apart {
                from: WitnessSource::LastLeader,
                by,
            } => {
                write!(
                    f,
                    "it is {by:?} apart from the clock of the candidate that led before"
                )
            }
            Self::BehindLedger { by } => {
                write!(f, "it is {by:?} behind the newest time in the ledger")
            }
            Self::Stepped { by } => write!(f, "it has jumped by {by:?}"),
        }
    }
}

/// What is thought of a wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Nothing may fire.
    Doubtful(Doubt),
    /// The wall clock is confirmed by another one, and the ledger's times are in its future: the ledger is wrong.
    LedgerFromFuture,
    /// Nothing speaks against the wall clock.
    Trusted,
}

/// Watches one candidate's wall clock during a leadership.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ClockGuard {
    anchor: Option<(WallTime, Reading)>,
    limit: Duration,
    stepped: Option<(WallTime, Reading)>,
}

impl ClockGuard {
    /// Two clocks that are more than this apart are not both right, unless set otherwise.
    pub const LIMIT: Duration = Duration::from_secs(60);

    /// A guard that takes clocks more than `limit` apart for wrong.
    pub const fn new(limit: Duration) -> Self {
        Self {
            anchor: None,
            limit,
            stepped: None,
        }
    }

    /// Judges the wall clock now, by the other clocks that are known and by the newest time in the ledger.
    ///
    /// The store's clock outweighs the last leader's. A step against this machine's own clocks is believed when another clock
    /// confirms it, or when it has stayed for ten minutes.
    pub fn judge(
        &mut self,
        wall: WallTime,
        now: Reading,
        ledger: Option<WallTime>,
        witnesses: &[Witness],
    ) -> Verdict {
        let confirmed = match self.hear(wall, now, witnesses) {
            Ok(confirmed) => confirmed,
            Err(doubt) => return Verdict::Doubtful(doubt),
        };
        if !confirmed && let Some(by) = self.step(wall, now) {
            return Verdict::Doubtful(Doubt::Stepped { by });
        }
        let ahead = ledger.map_or(Duration::ZERO, |ledger| ledger.saturating_since(wall));
        if ahead > self.limit && !confirmed {
            return Verdict::Doubtful(Doubt::BehindLedger { by: ahead });
        }
        self.anchor = Some((wall, now));
        self.stepped = None;
        if ahead > self.limit {
            Verdict::LedgerFromFuture
        } else {
            Verdict::Trusted
        }
    }

    /// Whether another clock confirms this one; who says it first counts, the store before the last leader.
    fn hear(&self, wall: WallTime, now: Reading, witnesses: &[Witness]) -> Result<bool, Doubt> {
        for source in [WitnessSource::Store, WitnessSource::LastLeader] {
            let heard = witnesses.iter().filter(|witness| witness.source == source);
            let nearest = heard
                .filter_map(|witness| witness.apart(wall, now, self.limit))
                .min();
            match nearest {
                Some(by) if by > self.limit => return Err(Doubt::Apart { from: source, by }),
                Some(_) => return Ok(true),
                None => {}
            }
        }
        Ok(false)
    }

    /// How far the wall clock has jumped since it was last trusted, unless the jump has lasted.
    fn step(&mut self, wall: WallTime, now: Reading) -> Option<Duration> {
        let by = self
            .anchor
            .and_then(|anchor| self.jump(anchor, wall, now))?;
        let same_step = |since: &(WallTime, Reading)| self.jump(*since, wall, now).is_none();
        let since = self.stepped.filter(same_step).unwrap_or((wall, now));
        self.stepped = Some(since);
        (now.shortest_since(since.1) < STEP_BELIEVED_AFTER).then_some(by)
    }

    /// How far the wall clock is from where it should be, `anchor` having been right; nothing within the limit.
    fn jump(&self, anchor: (WallTime, Reading), wall: WallTime, now: Reading) -> Option<Duration> {
        let (then, reading) = anchor;
        let least = Duration::from(now.shortest_since(reading));
        let most = Duration::from(now.longest_since(reading));
        let slack = most / u32::try_from(DRIFT_DIVISOR).unwrap_or(1);
        let early = then.saturating_add(least.saturating_sub(slack));
        let late = then.saturating_add(most.saturating_add(slack));
        let by = early
            .saturating_since(wall)
            .max(wall.saturating_since(late));
        (by > self.limit).then_some(by)
    }
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
