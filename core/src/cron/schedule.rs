use std::fmt;
use std::str::FromStr;

use croner::Cron;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::fingerprint::Fingerprint;
use super::{Calendar, CalendarId};
use crate::WallTime;

/// A cron expression in a time zone.
///
/// Five fields (minute, hour, day of month, month, day of week), or six with seconds in front, or seven with the year at the end;
/// names, `L`, `W`, `#` and nicknames such as `@hourly` as the croner crate knows them. When both days are restricted, either
/// matches, as in Vixie cron.
///
/// Around a change of clocks (croner's rules, tested here): a fixed time that the day leaves out fires at the first moment after
/// the gap; a fixed time that the day has twice fires at the first one; a schedule with a wildcard or step in hours, minutes or
/// seconds goes by the clock on the wall, and so repeats in the hour that comes twice.
#[derive(Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    zone_name: String,
}

/// A schedule that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError {
    problem: String,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ScheduleError {}

impl Schedule {
    /// The schedule of `expression` in UTC.
    ///
    /// # Errors
    /// When the expression is not understood, or never fires.
    pub fn utc(expression: &str) -> Result<Self, ScheduleError> {
        Self::with_zone(expression, TimeZone::UTC, "UTC")
    }

    /// The schedule of `expression` in the time zone of this IANA name, such as `Europe/Berlin`.
    ///
    /// The zone's rules come from the system's database, or from one that is compiled in where the system has none. Keep it the
    /// same on all candidates: the ledger compares the names of zones, and not their rules.
    ///
    /// # Errors
    /// When the expression is not understood or never fires, or the zone is not known.
    pub fn in_zone(expression: &str, zone_name: &str) -> Result<Self, ScheduleError> {
        let zone = TimeZone::get(zone_name).map_err(|error| ScheduleError {
            problem: format!(
                "time zone {zone_name:?} is not known: use a name such as Europe/Berlin or UTC ({error})"
            ),
        })?;
        Self::with_zone(expression, zone, zone_name)
    }

    fn with_zone(expression: &str, zone: TimeZone, zone_name: &str) -> Result<Self, ScheduleError> {
        let cron = Cron::from_str(expression).map_err(|error| ScheduleError {
            problem: format!(
                "schedule {expression:?} is not understood: write minute, hour, day, month and weekday, such as \"0 2 * * *\" ({error})"
            ),
        })?;
        let schedule = Self {
            cron,
            zone,
            zone_name: zone_name.to_owned(),
        };
        if schedule.next_after(WallTime::default()).is_none() {
            return Err(ScheduleError {
                problem: format!(
                    "schedule {expression:?} never fires: no date has that day and month"
                ),
            });
        }
        Ok(schedule)
    }

    /// The name of the time zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// A moment in the schedule's time zone, to a second. The search of cron expressions knows no fractions.
    fn zoned(&self, time: WallTime) -> Option<Zoned> {
        let seconds = i64::try_from(time.unix_seconds()).ok()?;
        let timestamp = Timestamp::from_second(seconds).ok()?;
        Some(timestamp.to_zoned(self.zone.clone()))
    }
}

fn wall(zoned: &Zoned) -> Option<WallTime> {
    let seconds = u64::try_from(zoned.timestamp().as_second()).ok()?;
    Some(WallTime::from_unix_seconds(seconds))
}

impl Calendar for Schedule {
    fn id(&self) -> CalendarId {
        let mut hash = Fingerprint::new();
        hash.write(b"cron");
        hash.write(self.cron.as_str().as_bytes());
        hash.write(self.zone_name.as_bytes());
        CalendarId(hash.finish())
    }

    fn next_after(&self, time: WallTime) -> Option<WallTime> {
        let from = self.zoned(time)?;
        let found = self.cron.find_next_occurrence(&from, false).ok()?;
        wall(&found)
    }

    fn latest_until(&self, time: WallTime) -> Option<WallTime> {
        let from = self.zoned(time)?;
        let found = self.cron.find_previous_occurrence(&from, true).ok()?;
        wall(&found)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cron.as_str(), self.zone_name)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({self})")
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
