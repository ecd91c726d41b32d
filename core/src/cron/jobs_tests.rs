use std::num::NonZeroU8;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use super::world::{Log, World, job, seconds};
use super::*;
use crate::backend::Note;

const TEN: u64 = 10;

fn every_ten(world: &World, policy: Policy, takes: u64) -> (Job, Log) {
    job(world, "job", TEN, policy, seconds(takes))
}

fn all(at_most: u8) -> Missed {
    Missed::All {
        at_most: NonZeroU8::new(at_most).unwrap(),
    }
}

#[test]
fn each_fire_runs_once_at_its_time() {
    let mut world = World::new();
    let (job, log) = every_ten(&world, Policy::cautious(), 1);
    let jobs = world.jobs([job]);
    assert!(world.lead(&jobs).go(seconds(45)).is_pending());
    let expected = [10, 20, 30, 40].map(|at| (at, 1, "done"));
    assert_eq!(log.runs(), expected);
    let late: Vec<Duration> = world
        .told()
        .iter()
        .filter_map(|event| match event {
            CronEvent::FireStarted { late, .. } => Some(*late),
            _ => None,
        })
        .collect();
    assert_eq!(late, [Duration::ZERO; 4]);
}

#[test]
fn a_start_is_in_the_lock_before_the_job_runs() {
    let mut world = World::new();
    world.set_write_takes(seconds(4));
    let (job, log) = every_ten(&world, Policy::cautious(), 2);
    let jobs = world.jobs([job]);
    let mut led = world.lead(&jobs);
    assert!(led.go(seconds(13)).is_pending());
    assert!(log.runs().is_empty(), "the write is not confirmed yet");
    assert!(led.go(seconds(2)).is_pending());
    assert_eq!(log.runs(), [(10, 1, "running")]);
    let last = world.ledger().entries()[0].last.unwrap();
    assert_eq!((last.scheduled, last.ended), (World::at(10), None));
}

#[test]
fn the_end_and_the_outcome_are_in_the_lock_after_it() {
    let mut world = World::new();
    let (job, _) = every_ten(&world, Policy::cautious(), 2);
    let jobs = world.jobs([job]);
    assert!(world.lead(&jobs).go(seconds(15)).is_pending());
    let last = world.ledger().entries()[0].last.unwrap();
    assert_eq!(last.ended, Some((Outcome::Succeeded, seconds(2))));
    assert_eq!(world.writes(), 3); // the job's registration, the start, the end
}

#[test]
fn the_next_leader_goes_on_where_the_last_one_crashed() {
    for (fires, expected) in [
        (Fires::AtMostOnce, vec![(10, 1, "running"), (20, 1, "done")]),
        (
            Fires::AtLeastOnce,
            vec![(10, 1, "running"), (10, 2, "done"), (20, 1, "done")],
        ),
    ] {
        let mut world = World::new();
        let policy = Policy {
            fires,
            missed: all(9),
            ..Policy::cautious()
        };
        let (job, log) = every_ten(&world, policy, 2);
        let jobs = world.jobs([job]);
        assert!(world.lead(&jobs).go(seconds(11)).is_pending()); // and crashes
        world.pass(seconds(10));
        assert!(world.lead(&jobs).go(seconds(5)).is_pending());
        assert!(world.lead(&jobs).go(seconds(1)).is_pending());
        assert_eq!(log.runs(), expected, "{fires:?}");
    }
}

#[test]
fn a_drain_lets_the_run_finish_and_starts_nothing() {
    let mut world = World::new();
    let (job, log) = every_ten(&world, Policy::cautious(), 12);
    let jobs = world.jobs([job]);
    let mut led = world.lead(&jobs);
    assert!(led.go(seconds(11)).is_pending());
    world.set_stop(Some(Stop::Drain));
    assert!(led.go(seconds(10)).is_pending());
    assert!(matches!(led.go(seconds(2)), Poll::Ready(Ok(()))));
    assert_eq!(log.runs(), [(10, 1, "done")]);
    let last = world.ledger().entries()[0].last.unwrap();
    assert_eq!(last.ended, Some((Outcome::Succeeded, seconds(12))));
}

#[test]
fn the_end_of_the_leadership_stops_the_run_and_the_policy_decides_about_it() {
    for (fires, runs_again) in [(Fires::AtMostOnce, false), (Fires::AtLeastOnce, true)] {
        let mut world = World::new();
        let policy = Policy {
            fires,
            ..Policy::cautious()
        };
        let (job, log) = every_ten(&world, policy, 5);
        let jobs = world.jobs([job]);
        let mut led = world.lead(&jobs);
        assert!(led.go(seconds(11)).is_pending());
        world.set_stop(Some(Stop::AtOnce));
        assert!(matches!(led.go(seconds(1)), Poll::Ready(Ok(()))));
        assert_eq!(log.runs(), [(10, 1, "stopped")]);
        world.set_stop(None);
        assert!(world.lead(&jobs).go(seconds(1)).is_pending());
        let again = log.runs().contains(&(10, 2, "running"));
        assert_eq!(again, runs_again, "{fires:?}");
    }
}

#[test]
fn a_start_that_was_recorded_too_late_is_taken_back() {
    let mut world = World::new();
    world.set_write_takes(seconds(4));
    let policy = Policy {
        missed: Missed::Last,
        ..Policy::cautious()
    };
    let (job, log) = every_ten(&world, policy, 1);
    let jobs = world.jobs([job]);
    let mut led = world.lead(&jobs);
    assert!(led.go(seconds(11)).is_pending());
    world.set_stop(Some(Stop::Drain));
    assert!(matches!(led.go(seconds(10)), Poll::Ready(Ok(()))));
    assert!(log.runs().is_empty());
    assert_eq!(world.ledger().entries()[0].last, None);
    world.set_stop(None);
    assert!(world.lead(&jobs).go(seconds(6)).is_pending());
    assert_eq!(log.runs(), [(10, 1, "done")]);
}

#[test]
fn nothing_starts_in_jeopardy() {
    let mut world = World::new();
    let (job, log) = every_ten(&world, Policy::cautious(), 1);
    let jobs = world.jobs([job]);
    let mut led = world.lead(&jobs);
    assert!(led.go(seconds(5)).is_pending());
    world.set_may_start(false);
    assert!(led.go(seconds(10)).is_pending());
    assert!(log.runs().is_empty());
    world.set_may_start(true);
    assert!(led.go(seconds(2)).is_pending());
    assert_eq!(log.runs(), [(10, 1, "done")]);
}

#[test]
fn fires_that_come_while_others_are_caught_up_with_are_caught_up_with_too() {
    for overrun in [Overrun::Skip, Overrun::Cancel] {
        let mut world = World::new();
        let policy = Policy {
            missed: all(9),
            overrun,
            ..Policy::cautious()
        };
        let (job, log) = every_ten(&world, policy, 4);
        let jobs = world.jobs([job]);
        assert!(world.lead(&jobs).go(seconds(15)).is_pending());
        world.pass(seconds(50));
        assert!(world.lead(&jobs).go(seconds(50)).is_pending());
        let fires: Vec<u64> = log.runs().iter().map(|run| run.0).collect();
        assert_eq!(
            fires,
            [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110],
            "{overrun:?}"
        );
    }
}

#[test]
fn an_overrun_is_skipped_or_replaces_the_earlier_run() {
    for (overrun, expected) in [
        (Overrun::Skip, vec![(10, 1, "done"), (40, 1, "done")]),
        (
            Overrun::Cancel,
            vec![
                (10, 1, "stopped"),
                (20, 1, "stopped"),
                (30, 1, "stopped"),
                (40, 1, "stopped"),
                (50, 1, "stopped"),
                (60, 1, "running"),
            ],
        ),
    ] {
        let mut world = World::new();
        let policy = Policy {
            overrun,
            ..Policy::cautious()
        };
        let (job, log) = every_ten(&world, policy, 25);
        let jobs = world.jobs([job]);
        assert!(world.lead(&jobs).go(seconds(66)).is_pending());
        assert_eq!(log.runs(), expected, "{overrun:?}");
    }
}

#[test]
fn a_run_that_takes_too_long_is_stopped_and_tried_again() {
    let mut world = World::new();
    let policy = Policy {
        timeout: Some(seconds(2)),
        retries: Retries::times(1),
        ..Policy::cautious()
    };
    let (job, log) = every_ten(&world, policy, 5);
    let failures = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&failures);
    let job = job.on_failure(move |failed| {
        seen.lock()
            .unwrap()
            .push((failed.outcome, failed.tried_again))
    });
    let jobs = world.jobs([job]);
    assert!(world.lead(&jobs).go(seconds(19)).is_pending());
    assert_eq!(log.runs(), [(10, 1, "stopped"), (10, 2, "stopped")]);
    let timed_out = Outcome::TimedOut;
    assert_eq!(
        *failures.lock().unwrap(),
        [(timed_out, true), (timed_out, false)]
    );
    let last = world.ledger().entries()[0].last.unwrap();
    assert_eq!((last.attempts, last.ended.unwrap().0), (2, timed_out));
}

#[test]
fn a_run_that_does_not_stop_is_dropped() {
    let mut world = World::new();
    let policy = Policy {
        timeout: Some(seconds(2)),
        stop_within: seconds(3),
        ..Policy::cautious()
    };
    let deaf = Job::new("deaf", Every::new(seconds(TEN)), policy, |_| {
        std::future::pending()
    });
    let jobs = world.jobs([deaf]);
    assert!(world.lead(&jobs).go(seconds(16)).is_pending());
    let told = world.told();
    assert!(
        told.iter()
            .any(|event| matches!(event, CronEvent::FireDropped { .. }))
    );
    let last = world.ledger().entries()[0].last.unwrap();
    assert_eq!(last.ended, Some((Outcome::TimedOut, seconds(5))));
}

#[test]
fn a_failure_is_retried_by_the_next_leader_too_and_its_code_is_kept() {
    let mut world = World::new();
    let policy = Policy {
        retries: Retries::times(2),
        ..Policy::cautious()
    };
    let log = Log::default();
    let runs = log.clone();
    let failing = Job::new(
        "failing",
        Every::new(seconds(TEN)),
        policy,
        move |fire: Fire| {
            runs.push((
                fire.scheduled().unix_seconds() % 100,
                fire.attempt(),
                "failed",
            ));
            async { Err(JobFailed::with_code(7, "no")) }
        },
    );
    let jobs = world.jobs([failing]);
    assert!(
        world
            .lead(&jobs)
            .go(Duration::from_millis(10_500))
            .is_pending()
    );
    assert!(world.lead(&jobs).go(seconds(8)).is_pending());
    assert_eq!(
        log.runs().iter().map(|run| run.1).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let last = world.ledger().entries()[0].last.unwrap();
    assert_eq!(last.ended.unwrap().0, Outcome::Failed { code: 7 });
    assert_eq!(last.scheduled, World::at(10));
}

#[test]
fn a_panic_in_one_job_is_its_failure_and_no_other_jobs() {
    let mut world = World::new();
    let every = Every::new(seconds(TEN));
    let panicking = Job::new("panicking", every, Policy::cautious(), |_| async {
        panic!("as it must")
    });
    let (job, log) = every_ten(&world, Policy::cautious(), 1);
    let jobs = world.jobs([panicking, job]);
    assert!(world.lead(&jobs).go(seconds(15)).is_pending());
    assert_eq!(log.runs(), [(10, 1, "done")]);
    let entry = *world.ledger().entry(JobId::of("panicking")).unwrap();
    assert_eq!(
        entry.last.unwrap().ended.unwrap().0,
        Outcome::Failed { code: 101 }
    );
}

#[test]
fn a_ledger_that_cannot_be_written_stops_the_jobs() {
    let mut world = World::new();
    let (job, log) = every_ten(&world, Policy::cautious(), 30);
    let (other, others) = job_at(&world, 15);
    let jobs = world.jobs([job, other]);
    let mut led = world.lead(&jobs);
    assert!(led.go(seconds(12)).is_pending());
    world.set_write_fails(true);
    let Poll::Ready(Err(error)) = led.go(seconds(5)) else {
        panic!("it should have ended")
    };
    assert!(
        error
            .to_string()
            .contains("the ledger cannot be written: the store said no")
    );
    assert_eq!(log.runs(), [(10, 1, "stopped")]);
    assert!(others.runs().is_empty());
}

fn job_at(world: &World, period: u64) -> (Job, Log) {
    job(world, "other", period, Policy::cautious(), seconds(1))
}

#[test]
fn a_note_of_somebody_else_is_never_overwritten() {
    let mut world = World::new();
    world.set_note(Some(Note::new(b"mine").unwrap()));
    let (job, _) = every_ten(&world, Policy::cautious(), 1);
    let jobs = world.jobs([job]);
    assert!(matches!(
        world.lead(&jobs).go(seconds(1)),
        Poll::Ready(Err(JobsError::Ledger(LedgerError::Foreign)))
    ));
    assert_eq!(world.note().unwrap().as_bytes(), b"mine");
}

#[test]
fn a_lost_ledger_is_told_and_counting_starts_anew() {
    let mut world = World::new();
    let policy = Policy {
        missed: all(9),
        ..Policy::cautious()
    };
    let (job, log) = every_ten(&world, policy, 1);
    let jobs = world.jobs([job]);
    assert!(world.lead(&jobs).go(seconds(15)).is_pending());
    world.set_note(None);
    world.pass(seconds(40));
    world.told();
    assert!(world.lead(&jobs).go(seconds(8)).is_pending());
    assert_eq!(world.told()[0], CronEvent::LedgerMissing);
    assert_eq!(log.runs(), [(10, 1, "done"), (60, 1, "done")]);
}

#[test]
fn a_changed_schedule_counts_from_its_first_leadership() {
    let mut world = World::new();
    let policy = Policy {
        missed: all(9),
        ..Policy::cautious()
    };
    let (before, _) = job(&world, "job", 10, policy, seconds(1));
    let jobs = world.jobs([before]);
    assert!(world.lead(&jobs).go(seconds(15)).is_pending());
    world.pass(seconds(50));
    let (after, log) = job(&world, "job", 20, policy, seconds(1));
    let jobs = world.jobs([after]);
    assert!(world.lead(&jobs).go(seconds(20)).is_pending());
    assert_eq!(log.runs(), [(80, 1, "done")]);
}

#[test]
fn jobs_of_other_candidates_keep_their_entries() {
    let mut world = World::new();
    let (job, _) = every_ten(&world, Policy::cautious(), 1);
    let (other, _) = job_at(&world, 15);
    let both = world.jobs([job.clone(), other]);
    assert!(world.lead(&both).go(seconds(18)).is_pending());
    let one = world.jobs([job]);
    assert!(world.lead(&one).go(seconds(18)).is_pending());
    let kept = world
        .ledger()
        .entry(JobId::of("other"))
        .unwrap()
        .last
        .unwrap();
    assert_eq!(kept.scheduled, World::at(15));
}

#[test]
fn a_wrong_wall_clock_fires_nothing_says_so_and_poisons_nothing() {
    const YEAR: i64 = 365 * 86_400;
    let mut world = World::new();
    let policy = Policy {
        missed: all(9),
        ..Policy::cautious()
    };
    let (job, log) = every_ten(&world, policy, 1);
    let jobs = world.jobs([job]);
    world.hear_store();
    world.set_wall_ahead(YEAR);
    assert!(world.lead(&jobs).go(seconds(25)).is_pending());
    assert!(log.runs().is_empty());
    assert_eq!(world.note(), None);
    assert!(
        world
            .told()
            .iter()
            .any(|event| matches!(event, CronEvent::ClockDoubted { .. }))
    );
    world.set_wall_ahead(0);
    assert!(world.lead(&jobs).go(seconds(10)).is_pending());
    assert_eq!(log.runs(), [(30, 1, "done")]);
}

#[test]
fn a_ledger_from_the_future_is_put_right_when_two_clocks_say_so() {
    let mut world = World::new();
    let (job, log) = every_ten(&world, Policy::cautious(), 1);
    let jobs = world.jobs([job]);
    world.set_wall_ahead(1_000_000);
    assert!(world.lead(&jobs).go(seconds(15)).is_pending());
    assert_eq!(log.runs().len(), 1);
    world.set_wall_ahead(0);
    assert!(world.lead(&jobs).go(seconds(20)).is_pending());
    assert_eq!(log.runs().len(), 1, "alone, it is not believed");
    world.hear_store();
    assert!(world.lead(&jobs).go(seconds(20)).is_pending());
    assert_eq!(log.runs()[1..], [(40, 1, "done"), (50, 1, "done")]);
    assert!(world.told().contains(&CronEvent::LedgerFromFuture));
}

#[test]
fn one_job_too_many_is_refused_and_so_is_a_name_twice() {
    let world = World::new();
    let mut jobs = Jobs::new();
    for number in 0..JOBS_MAX {
        jobs.register(
            job(
                &world,
                &format!("job {number}"),
                TEN,
                Policy::cautious(),
                seconds(1),
            )
            .0,
        )
        .unwrap();
    }
    let name = |name| job(&world, name, TEN, Policy::cautious(), seconds(1)).0;
    let error = jobs.register(name("one more")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("one too many: an election's ledger has room for 21")
    );
    assert!(matches!(
        jobs.register(name("job 3")),
        Err(RegistrationError::NameTaken { .. })
    ));
    assert_eq!(jobs.register(name("")), Err(RegistrationError::Unnamed));
}

#[test]
fn twenty_one_jobs_fire_together() {
    let mut world = World::new();
    world.set_write_takes(Duration::from_millis(20));
    let (jobs, logs): (Vec<Job>, Vec<Log>) = (0..JOBS_MAX)
        .map(|number| {
            job(
                &world,
                &number.to_string(),
                TEN,
                Policy::cautious(),
                seconds(1),
            )
        })
        .unzip();
    let jobs = world.jobs(jobs);
    assert!(world.lead(&jobs).go(seconds(35)).is_pending());
    for log in logs {
        assert_eq!(log.runs(), [10, 20, 30].map(|at| (at, 1, "done")));
    }
    assert!(
        world.writes() < 12,
        "starts and ends share writes: {}",
        world.writes()
    );
}

#[path = "jobs_properties.rs"]
mod properties;
