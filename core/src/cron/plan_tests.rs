use std::num::NonZeroU8;
use std::time::Duration;

use super::super::{Every, JobId, Retries};
use super::*;

const HOUR: u64 = 3600;

fn at(hours: u64, seconds: u64) -> WallTime {
    WallTime::from_unix_seconds(hours * HOUR + seconds)
}

fn hourly() -> Every {
    Every::new(Duration::from_secs(HOUR))
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Last {
    EndedFailed,
    EndedOk,
    Interrupted,
    NoEntry,
    StartedNoEnd,
}

/// A job whose newest started fire was that of 10 o'clock.
fn entry(last: Last) -> Option<Entry> {
    let ended = match last {
        Last::NoEntry => return None,
        Last::StartedNoEnd => None,
        Last::EndedOk => Some(Outcome::Succeeded),
        Last::EndedFailed => Some(Outcome::Failed { code: 1 }),
        Last::Interrupted => Some(Outcome::Interrupted),
    };
    Some(Entry {
        calendar: hourly().id(),
        job: JobId::of("job"),
        last: Some(LastFire {
            attempts: 1,
            ended: ended.map(|outcome| (outcome, Duration::from_secs(5))),
            scheduled: at(10, 0),
            started: at(10, 0),
        }),
        settled: at(10, 0),
    })
}

fn policy(missed: Missed, fires: Fires, retries: Retries) -> Policy {
    Policy {
        missed,
        fires,
        retries,
        ..Policy::cautious()
    }
}

/// What runs, in order: hours and why.
fn runs(plan: &Plan) -> Vec<(u64, u8, Reason)> {
    let of = |run: &PlannedFire| (run.scheduled.unix_seconds() / HOUR, run.attempt, run.reason);
    plan.runs.iter().map(of).collect()
}

const ALL_2: Missed = Missed::All {
    at_most: NonZeroU8::new(2).unwrap(),
};

/// All combinations, at 13:30, when the fires of 11, 12 and 13 o'clock were missed: how the fire of 10 o'clock stands in the ledger,
/// tries left, policies, and what runs. `all` is bounded to 2 here. docs/cron.md has the same table in words.
const TABLE: &str = "\
none         0 at-most-once   skip  | -
none         0 at-most-once   last  | -
none         0 at-most-once   all   | -
none         0 at-least-once  skip  | -
none         0 at-least-once  last  | -
none         0 at-least-once  all   | -
started      0 at-most-once   skip  | -
started      0 at-most-once   last  | 13
started      0 at-most-once   all   | 12, 13
started      0 at-least-once  skip  | 10 again
started      0 at-least-once  last  | 10 again, 13
started      0 at-least-once  all   | 10 again, 12, 13
interrupted  0 at-most-once   skip  | -
interrupted  0 at-most-once   last  | 13
interrupted  0 at-most-once   all   | 12, 13
interrupted  0 at-least-once  skip  | 10 again
interrupted  0 at-least-once  last  | 10 again, 13
interrupted  0 at-least-once  all   | 10 again, 12, 13
succeeded    0 at-most-once   skip  | -
succeeded    0 at-most-once   last  | 13
succeeded    0 at-most-once   all   | 12, 13
succeeded    0 at-least-once  skip  | -
succeeded    0 at-least-once  last  | 13
succeeded    0 at-least-once  all   | 12, 13
failed       0 at-most-once   skip  | -
failed       0 at-most-once   last  | 13
failed       0 at-most-once   all   | 12, 13
failed       0 at-least-once  skip  | -
failed       0 at-least-once  last  | 13
failed       0 at-least-once  all   | 12, 13
failed       1 at-most-once   skip  | 10 retry
failed       1 at-most-once   last  | 10 retry, 13
failed       1 at-most-once   all   | 10 retry, 12, 13
failed       1 at-least-once  skip  | 10 retry
failed       1 at-least-once  last  | 10 retry, 13
failed       1 at-least-once  all   | 10 retry, 12, 13";

fn parsed(row: &str) -> (Last, Policy, String) {
    let (case, expected) = row.split_once(" | ").unwrap();
    let [last, retries, fires, missed] = case.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{row}")
    };
    let last = match last {
        "none" => Last::NoEntry,
        "started" => Last::StartedNoEnd,
        "interrupted" => Last::Interrupted,
        "succeeded" => Last::EndedOk,
        _ => Last::EndedFailed,
    };
    let fires = match fires {
        "at-most-once" => Fires::AtMostOnce,
        _ => Fires::AtLeastOnce,
    };
    let missed = match missed {
        "skip" => Missed::Skip,
        "last" => Missed::Last,
        _ => ALL_2,
    };
    let retries = Retries::times(retries.parse().unwrap());
    (last, policy(missed, fires, retries), expected.to_owned())
}

fn told(plan: &Plan) -> String {
    let of = |(hour, attempt, reason): &(u64, u8, Reason)| match (attempt, reason) {
        (1, Reason::Missed) => hour.to_string(),
        (2, Reason::Retry) => format!("{hour} retry"),
        (2, Reason::Unfinished) => format!("{hour} again"),
        other => format!("{hour} {other:?}"),
    };
    let told: Vec<String> = runs(plan).iter().map(of).collect();
    match told.is_empty() {
        true => "-".to_owned(),
        false => told.join(", "),
    }
}

#[test]
fn every_combination_of_policies_and_ledgers_is_decided_as_the_table_says() {
    assert_eq!(TABLE.lines().count(), 36);
    for row in TABLE.lines() {
        let (last, policy, expected) = parsed(row);
        let plan = plan(entry(last).as_ref(), &hourly(), &policy, at(13, 1800));
        assert_eq!(told(&plan), expected, "{row}");
        assert_eq!(plan.restarts, last == Last::NoEntry, "{row}");
        assert_eq!(plan.wake, Some(at(14, 0)), "{row}");
        let counted = plan.findings.contains(&Finding::CountedAsRun {
            scheduled: at(10, 0),
        });
        let unfinished = matches!(last, Last::StartedNoEnd | Last::Interrupted);
        let at_most_once = policy.fires == Fires::AtMostOnce;
        assert_eq!(counted, unfinished && at_most_once, "{row}");
    }
}

#[test]
fn a_fire_within_a_minute_is_on_time_and_runs_under_every_policy() {
    for missed in [Missed::Skip, Missed::Last, ALL_2] {
        let policy = policy(missed, Fires::AtMostOnce, Retries::NONE);
        let plan = plan(
            entry(Last::EndedOk).as_ref(),
            &hourly(),
            &policy,
            at(11, 60),
        );
        assert_eq!(runs(&plan), [(11, 1, Reason::Due)]);
        assert_eq!((plan.settled, plan.findings.len()), (at(11, 0), 0));
    }
}

#[test]
fn what_is_skipped_is_said_and_counted() {
    let policy = policy(Missed::Last, Fires::AtMostOnce, Retries::NONE);
    let plan = plan(
        entry(Last::EndedOk).as_ref(),
        &hourly(),
        &policy,
        at(13, 1800),
    );
    let skipped = Skipped {
        count: 2,
        first: at(11, 0),
        last: at(12, 0),
    };
    assert_eq!(plan.findings, [Finding::MissedSkipped(skipped)]);
    assert_eq!(
        plan.findings[0].to_string(),
        "missed and skipped: 2 fires from 1970-01-01T11:00:00Z to 1970-01-01T12:00:00Z"
    );
    assert_eq!(plan.settled, at(13, 0));
}

#[test]
fn years_of_missed_fires_cost_a_bounded_time() {
    let secondly = Every::new(Duration::from_secs(1));
    let old = Entry {
        calendar: secondly.id(),
        ..entry(Last::EndedOk).unwrap()
    };
    let all = Missed::All {
        at_most: NonZeroU8::MAX,
    };
    let policy = policy(all, Fires::AtMostOnce, Retries::NONE);
    let plan = plan(Some(&old), &secondly, &policy, at(200_000, 0));
    assert_eq!(plan.runs.len(), 255);
    let Finding::MissedSkipped(skipped) = plan.findings[0] else {
        panic!("{plan:?}")
    };
    assert_eq!(skipped.count, 100);
    assert!(skipped.to_string().starts_with("100 or more fires"));
    assert_eq!(
        skipped.last.saturating_add(Duration::from_secs(1)),
        plan.runs[0].scheduled
    );
}

#[test]
fn a_changed_calendar_counts_from_now_and_catches_nothing_up() {
    let before = Entry {
        calendar: Every::new(Duration::from_secs(60)).id(),
        ..entry(Last::StartedNoEnd).unwrap()
    };
    for fires in [Fires::AtMostOnce, Fires::AtLeastOnce] {
        let policy = policy(ALL_2, fires, Retries::times(3));
        let plan = plan(Some(&before), &hourly(), &policy, at(13, 1800));
        assert_eq!(plan.findings, [Finding::CalendarChanged]);
        assert!(plan.restarts && plan.runs.is_empty());
        assert_eq!((plan.settled, plan.wake), (at(13, 1800), Some(at(14, 0))));
    }
}

#[test]
fn retries_wait_twice_as_long_each_time_and_end() {
    let mut last = entry(Last::EndedFailed).unwrap().last.unwrap();
    let policy = policy(
        Missed::Skip,
        Fires::AtMostOnce,
        Retries {
            count: 3,
            first: Duration::from_secs(10),
            longest: Duration::from_secs(25),
        },
    );
    let waits: Vec<Option<u64>> = (1..=4)
        .map(|attempts| {
            last.attempts = attempts;
            retry(&last, &policy)
                .map(|run| run.not_before.unix_seconds() - at(10, 5).unix_seconds())
        })
        .collect();
    assert_eq!(waits, [Some(10), Some(20), Some(25), None]);
}

#[test]
fn what_succeeded_or_was_replaced_is_never_run_again() {
    for outcome in [Outcome::Succeeded, Outcome::Replaced] {
        for fires in [Fires::AtMostOnce, Fires::AtLeastOnce] {
            let mut entry = entry(Last::EndedOk).unwrap();
            entry.last.as_mut().unwrap().ended = Some((outcome, Duration::ZERO));
            let policy = policy(Missed::Skip, fires, Retries::times(9));
            assert!(
                plan(Some(&entry), &hourly(), &policy, at(10, 10))
                    .runs
                    .is_empty()
            );
        }
    }
}

#[test]
fn a_wall_clock_that_went_back_runs_nothing_again() {
    let policy = policy(ALL_2, Fires::AtMostOnce, Retries::NONE);
    let plan = plan(
        entry(Last::EndedOk).as_ref(),
        &hourly(),
        &policy,
        at(9, 3590),
    );
    assert!(plan.runs.is_empty());
    assert_eq!((plan.settled, plan.wake), (at(10, 0), Some(at(11, 0))));
}

#[test]
fn a_fire_that_comes_while_another_runs_is_skipped_or_takes_its_place() {
    let mut policy = policy(Missed::Skip, Fires::AtMostOnce, Retries::NONE);
    assert_eq!(overtaken(at(10, 0), &hourly(), &policy, at(10, 3599)), None);
    let over = overtaken(at(10, 0), &hourly(), &policy, at(12, 10)).unwrap();
    assert_eq!((over.by, over.settled), (None, at(12, 0)));
    assert_eq!(
        over.skipped,
        Some(Skipped {
            count: 2,
            first: at(11, 0),
            last: at(12, 0)
        })
    );
    policy.overrun = Overrun::Cancel;
    let over = overtaken(at(10, 0), &hourly(), &policy, at(12, 10)).unwrap();
    assert_eq!(over.by.map(|run| run.scheduled), Some(at(12, 0)));
    assert_eq!(
        over.skipped,
        Some(Skipped {
            count: 1,
            first: at(11, 0),
            last: at(11, 0)
        })
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Over any sequence of looks at any times, no fire is planned twice or out of order, and under `All` with enough room
        /// none is lost.
        #[test]
        fn fires_are_planned_once_and_in_order(
            looks in proptest::collection::vec(0u64..20_000, 1..40),
            missed in prop_oneof![Just(Missed::Skip), Just(Missed::Last), Just(Missed::All { at_most: NonZeroU8::MAX })],
        ) {
            let minutely = Every::new(Duration::from_secs(60));
            let policy = policy(missed, Fires::AtMostOnce, Retries::NONE);
            let start = at(100, 0);
            let mut entry = Entry { calendar: minutely.id(), job: JobId(1), last: None, settled: start };
            let mut ran = Vec::new();
            let mut latest = start;
            for look in looks {
                let now = start.saturating_add(Duration::from_secs(look));
                latest = latest.max(now);
                if ran.len() > 200 { break; }
                let plan = plan(Some(&entry), &minutely, &policy, now);
                ran.extend(plan.runs.iter().map(|run| run.scheduled));
                prop_assert!(plan.settled >= entry.settled);
                entry.settled = plan.settled;
            }
            prop_assert!(ran.is_sorted_by(|a, b| a < b));
            prop_assert!(ran.iter().all(|fire| *fire > start && *fire <= latest));
            if matches!(missed, Missed::All { .. }) && ran.len() < 200 {
                let due = (latest.unix_seconds() - start.unix_seconds()) / 60;
                prop_assert!(ran.len() as u64 >= due.min(200));
            }
        }
    }
}
