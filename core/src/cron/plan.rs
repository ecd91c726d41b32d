use std::fmt;

use super::{Calendar, Entry, Fires, LastFire, Missed, Outcome, Overrun, Policy};
use crate::WallTime;

/// The most missed fires that are counted one by one.
const COUNTED_MAX: usize = 100;

/// Why a fire runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// Its time has come.
    Due,
    /// It was missed, and the policy wants it.
    Missed,
    /// It failed and has tries left.
    Retry,
    /// It was started, its end was never recorded, and the policy is [`Fires::AtLeastOnce`].
    Unfinished,
}

/// A fire to run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PlannedFire {
    /// Which try it is, from 1.
    pub attempt: u8,
    /// Not before this time of the wall clock.
    pub not_before: WallTime,
    /// Why it runs.
    pub reason: Reason,
    /// What it was scheduled for.
    pub scheduled: WallTime,
}

/// Fires that will not run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Skipped {
    /// How many; 100 stands for 100 or more.
    pub count: usize,
    /// The first of them.
    pub first: WallTime,
    /// The last of them.
    pub last: WallTime,
}

/// Something that a plan decided and that an operator should know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Finding {
    /// The schedule or time zone is not the one that the ledger knows: fires count from now, without catching up.
    CalendarChanged,
    /// A fire was started and its end was never recorded; the policy is that it counts as run.
    CountedAsRun {
        /// What it was scheduled for.
        scheduled: WallTime,
    },
    /// The ledger does not know the job: fires count from now.
    Unknown,
    /// Fires were missed, and the policy is not to run them.
    MissedSkipped(Skipped),
    /// Fires came while an earlier one ran, and the policy is to skip them.
    OverrunSkipped(Skipped),
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "the fire of {}", self.first),
            count => {
                let more = if count >= COUNTED_MAX { " or more" } else { "" };
                write!(
                    f,
                    "{count}{more} fires from {} to {}",
                    self.first, self.last
                )
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CalendarChanged => f.write_str(
                "its schedule or time zone has changed: fires count from now, nothing is caught up",
            ),
            Self::CountedAsRun { scheduled } => write!(
                f,
                "the fire of {scheduled} was started and its end never recorded: it counts as run"
            ),
            Self::Unknown => f.write_str("the ledger does not know it: fires count from now"),
            Self::MissedSkipped(skipped) => write!(f, "missed and skipped: {skipped}"),
            Self::OverrunSkipped(skipped) => {
                write!(f, "skipped, an earlier fire still runs: {skipped}")
            }
        }
    }
}

/// What to do about one job of which nothing runs.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Plan {
    /// What an operator should know.
    pub findings: Vec<Finding>,
    /// Whether counting starts anew: the ledger has to be told `settled` at once.
    pub restarts: bool,
    /// The fires to run, one after another.
    pub runs: Vec<PlannedFire>,
    /// Every fire up to here is decided once `runs` have been started.
    pub settled: WallTime,
    /// When there will be something to do again, if `runs` is empty.
    pub wake: Option<WallTime>,
}

/// Decides what to do about a job of which nothing runs, from what the ledger says. Pure.
///
/// `entry` is the job's entry, `now` the wall clock, which has been found to be trusted.
pub fn plan(
    entry: Option<&Entry>,
    calendar: &dyn Calendar,
    policy: &Policy,
    now: WallTime,
) -> Plan {
    let known = match entry {
        None => Err(Finding::Unknown),
        Some(entry) if entry.calendar != calendar.id() => Err(Finding::CalendarChanged),
        Some(entry) => Ok(entry),
    };
    match known {
        Err(finding) => Plan {
            findings: vec![finding],
            restarts: true,
            runs: Vec::new(),
            settled: now,
            wake: calendar.next_after(now),
        },
        Ok(entry) => {
            let mut plan = Plan::default();
            if let Some(last) = &entry.last {
                plan.finish(last, policy);
            }
            plan.catch_up(entry.settled, calendar, policy, now);
            plan.wake = calendar.next_after(plan.settled.max(now));
            plan
        }
    }
}

impl Plan {
    /// What becomes of the newest fire that was started.
    fn finish(&mut self, last: &LastFire, policy: &Policy) {
        let unfinished = matches!(last.ended, None | Some((Outcome::Interrupted, _)));
        match policy.fires {
            Fires::AtMostOnce if unfinished => self.findings.push(Finding::CountedAsRun {
                scheduled: last.scheduled,
            }),
            Fires::AtLeastOnce if unfinished => self.runs.push(PlannedFire {
                attempt: last.attempts.saturating_add(1),
                not_before: last.started,
                reason: Reason::Unfinished,
                scheduled: last.scheduled,
            }),
            _ => self.runs.extend(retry(last, policy)),
        }
    }

    /// What becomes of the fires that were never started.
    fn catch_up(
        &mut self,
        settled: WallTime,
        calendar: &dyn Calendar,
        policy: &Policy,
        now: WallTime,
    ) {
        self.settled = settled;
        let Some(newest) = latest_due(settled, calendar, now) else {
            return;
        };
        self.settled = newest;
        let on_time = now.saturating_since(newest) <= policy.start_within;
        let wanted = match policy.missed {
            Missed::Skip => usize::from(on_time),
            Missed::Last => 1,
            Missed::All { at_most } => at_most.get().into(),
        };
        let runs = newest_due(newest, settled, calendar, wanted);
        let oldest_run = runs.last().copied();
        if let Some(skipped) = skipped(settled, calendar, oldest_run, newest) {
            self.findings.push(Finding::MissedSkipped(skipped));
        }
        self.runs
            .extend(runs.into_iter().rev().map(|scheduled| PlannedFire {
                attempt: 1,
                not_before: scheduled,
                reason: if scheduled == newest && on_time {
                    Reason::Due
                } else {
                    Reason::Missed
                },
                scheduled,
            }));
    }
}

/// The next try of a fire that failed, if it has tries left.
pub(super) fn retry(last: &LastFire, policy: &Policy) -> Option<PlannedFire> {
    let (outcome, took) = last.ended?;
    let left = outcome.is_failure() && last.attempts <= policy.retries.count;
    left.then(|| {
        let wait = policy.retries.wait_after(last.attempts);
        PlannedFire {
            attempt: last.attempts.saturating_add(1),
            not_before: last.started.saturating_add(took.saturating_add(wait)),
            reason: Reason::Retry,
            scheduled: last.scheduled,
        }
    })
}

/// What becomes of fires whose time has come while an earlier one runs or waits to be tried again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Overtaken {
    /// The fire that takes its place, under [`Overrun::Cancel`].
    pub by: Option<PlannedFire>,
    /// The fires that will not run.
    pub skipped: Option<Skipped>,
    /// Every fire up to here is decided.
    pub settled: WallTime,
}

/// Decides about fires that came since `settled` while an earlier one runs. Pure. Nothing when none came.
pub fn overtaken(
    settled: WallTime,
    calendar: &dyn Calendar,
    policy: &Policy,
    now: WallTime,
) -> Option<Overtaken> {
    let newest = latest_due(settled, calendar, now)?;
    let replaces = policy.overrun == Overrun::Cancel
        && (now.saturating_since(newest) <= policy.start_within || policy.missed != Missed::Skip);
    Some(Overtaken {
        by: replaces.then_some(PlannedFire {
            attempt: 1,
            not_before: newest,
            reason: Reason::Due,
            scheduled: newest,
        }),
        skipped: skipped(settled, calendar, replaces.then_some(newest), newest),
        settled: newest,
    })
}

/// The newest fire in (settled, now].
fn latest_due(settled: WallTime, calendar: &dyn Calendar, now: WallTime) -> Option<WallTime> {
    calendar.latest_until(now).filter(|fire| *fire > settled)
}

/// The `wanted` newest fires up to `newest` and after `settled`, the newest first.
fn newest_due(
    newest: WallTime,
    settled: WallTime,
    calendar: &dyn Calendar,
    wanted: usize,
) -> Vec<WallTime> {
    let before = |fire: &WallTime| {
        let just_before = WallTime::from_unix_micros(fire.unix_micros().checked_sub(1)?);
        latest_due(settled, calendar, just_before)
    };
    std::iter::successors(Some(newest), before)
        .take(wanted)
        .collect()
}

/// The fires after `settled` and before `end`, or up to `newest` where there is no end.
fn skipped(
    settled: WallTime,
    calendar: &dyn Calendar,
    end: Option<WallTime>,
    newest: WallTime,
) -> Option<Skipped> {
    let is_skipped = |fire: &WallTime| match end {
        Some(end) => *fire < end,
        None => *fire <= newest,
    };
    let first = calendar.next_after(settled).filter(&is_skipped)?;
    let after = |fire: &WallTime| calendar.next_after(*fire).filter(&is_skipped);
    let count = std::iter::successors(Some(first), after)
        .take(COUNTED_MAX)
        .count();
    let last = match end {
        None => Some(newest),
        Some(end) => calendar.latest_until(WallTime::from_unix_micros(
            end.unix_micros().saturating_sub(1),
        )),
    };
    Some(Skipped {
        count,
        first,
        last: last.unwrap_or(first),
    })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
