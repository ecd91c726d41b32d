use std::fmt;
use std::time::Duration;

use super::fingerprint::Fingerprint;
use crate::WallTime;

/// What identifies a calendar in the ledger: a hash of everything that decides when it fires.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CalendarId(pub u64);

/// When a job fires, as times of a wall clock. A pure function: every candidate with the same calendar finds the same times.
///
/// `Schedule` (feature `cron`) is the one for cron expressions; [`Every`] needs no feature.
pub trait Calendar: fmt::Debug + Send + Sync + 'static {
    /// The same on every machine for the same times, another for other times.
    fn id(&self) -> CalendarId;

    /// The first fire after `time`, or nothing when there is none.
    fn next_after(&self, time: WallTime) -> Option<WallTime>;

    /// The last fire not after `time`, or nothing when there is none.
    fn latest_until(&self, time: WallTime) -> Option<WallTime>;
}

/// Fires at each whole multiple of a period, counted from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Every {
    period_micros: u64,
}

impl Every {
    /// A fire every `period`, which is rounded down to microseconds and is at least a millisecond.
    pub fn new(period: Duration) -> Self {
        let micros = u64::try_from(period.as_micros()).unwrap_or(u64::MAX);
        Self {
            period_micros: micros.max(1000),
        }
    }
}

impl Calendar for Every {
    fn id(&self) -> CalendarId {
        let mut hash = Fingerprint::new();
        hash.write(b"every");
        hash.write(&self.period_micros.to_le_bytes());
        CalendarId(hash.finish())
    }

    fn next_after(&self, time: WallTime) -> Option<WallTime> {
        let periods = time.unix_micros() / self.period_micros + 1;
        periods
            .checked_mul(self.period_micros)
            .map(WallTime::from_unix_micros)
    }

    fn latest_until(&self, time: WallTime) -> Option<WallTime> {
        let micros = time.unix_micros();
        Some(WallTime::from_unix_micros(
            micros - micros % self.period_micros,
        ))
    }
}
