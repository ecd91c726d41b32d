//! Rule 9: a missing lock is not a free lock, and neither is an emptied one.

use std::time::Duration;

use super::bench::*;
use crate::backend::{
    Acquired, Basis, Grant, Hint, LockKind, LockState, Observation, ReleaseMark, Vacancy,
};
use crate::event::{Event, WaitReason};
use crate::machine::{Input, OnMissing, Operation, Outcome, Settings, State};
use crate::{Identity, Incarnation, Version};

/// A copy of a released record on another object.
fn copied_mark() -> Observation {
    let mut seen = vacant(Some(2), 10);
    if let LockState::Vacant { mark, .. } = &mut seen.lock {
        *mark = Some(ReleaseMark {
            by: Incarnation::from_bits(2),
            identity: Identity(6),
        });
    }
    seen
}

/// Claims what it has seen, is granted it, and says for how long it then waits.
fn waits_ms(bench: &mut Bench) -> u64 {
    bench.answer(granted(11));
    let mut waited = 0;
    while bench.work.is_none() {
        assert_eq!(bench.machine.state(), State::Probation);
        assert!(!bench.leads());
        let mut version = 100 + waited;
        bench.calls_in(100, |_| {
            version += 1;
            confirmed(version)
        });
        bench.give(Input::Tick);
        waited += 100;
        assert!(waited < 1_000_000);
    }
    waited
}

#[test]
fn a_missing_an_emptied_and_a_recreated_lock_are_claimed_at_once_and_led_after_the_duration() {
    for (seen, basis) in [
        (missing(), Basis::Missing),
        (vacant(None, 10), Basis::At(Version(10))),
        (copied_mark(), Basis::At(Version(10))),
    ] {
        let mut bench = Bench::following(seen);
        assert_eq!(bench.basis(), basis);
        assert_eq!(waits_ms(&mut bench), 15_000);
        assert!(bench.heard(|event| matches!(
            event,
            Event::Waiting { at_most: Some(span), reason: WaitReason::UnexplainedVacancy } if span.as_secs() == 15
        )));
    }
}

#[test]
fn probation_lasts_for_the_largest_duration_seen_before() {
    let mut bench = Bench::following(held_for(60, 2, 1, 10));
    bench.give(Input::Hinted(Hint::Seen(held_for(20, 3, 1, 11))));
    bench.give(Input::Hinted(Hint::Seen(missing())));
    assert_eq!(waits_ms(&mut bench), 60_000);
}

#[test]
fn probation_counts_by_the_clock_that_shows_less() {
    let mut bench = Bench::following(missing());
    bench.answer(granted(11));
    bench.move_clocks(9_000, 1_000);
    bench.give(Input::Tick);
    assert_eq!(bench.call(), "renew");
    bench.answer(confirmed(12));
    bench.move_clocks(9_000, 1_000);
    bench.give(Input::Tick);
    assert_eq!(bench.work, None);
}

#[test]
fn the_end_of_probation_is_waited_for_and_not_the_next_renewal() {
    let mut bench = Bench::following(missing());
    bench.answer(granted(11));
    for version in [12, 13] {
        bench.move_clocks(6_000, 6_000);
        bench.give(Input::Tick);
        bench.answer(confirmed(version));
    }
    assert_eq!(bench.machine.wake_after(bench.now), Some(ms(3_000)));
}

#[test]
fn a_properly_released_lock_is_led_at_once() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    assert_eq!(waits_ms(&mut bench), 0);
}

#[test]
fn a_lock_that_nobody_ever_held_is_led_at_once() {
    let mut bench = Bench::following(Observation::of(LockState::NeverHeld));
    assert_eq!(bench.basis(), Basis::Missing);
    assert_eq!(waits_ms(&mut bench), 0);
}

#[test]
fn who_gives_up_the_claim_about_deletion_leads_at_once() {
    for seen in [missing(), vacant(None, 10), copied_mark()] {
        let mut bench = Bench::reading(Settings {
            on_missing: OnMissing::AcquireAtOnce,
            ..settings(LockKind::Leased)
        });
        bench.observed(seen);
        assert_eq!(waits_ms(&mut bench), 0);
    }
}

#[test]
fn a_session_lock_that_had_vanished_is_waited_out_for_its_longest_duration() {
    for (on_missing, longest, waits) in [
        (OnMissing::Wait, Some(Duration::from_secs(40)), 40_000),
        (OnMissing::Wait, None, 15_000),
        (OnMissing::AcquireAtOnce, Some(Duration::from_secs(40)), 0),
    ] {
        let mut bench = Bench::claiming(Settings {
            on_missing,
            ..settings(LockKind::Session)
        });
        bench.answer(Outcome::Acquired(Acquired::Granted(Grant {
            vacancy: Vacancy::Unexplained {
                longest_lease: longest,
            },
            ..grant(11)
        })));
        bench.calls_in(waits, |_| confirmed(12));
        bench.give(Input::Tick);
        assert_eq!(bench.work, Some(token(11)), "{on_missing:?} {longest:?}");
    }
}

#[test]
fn a_lock_taken_from_us_in_probation_is_lost_without_a_leadership() {
    let mut bench = Bench::following(missing());
    bench.answer(granted(11));
    bench.give(Input::Hinted(Hint::Seen(held(3, 1, 12))));
    assert_eq!(bench.machine.state(), State::Following);
    assert!(!bench.heard(|event| matches!(event, Event::Started { .. } | Event::Stopped { .. })));
}

#[test]
fn probation_that_cannot_be_renewed_ends_at_the_deadline() {
    let mut bench = Bench::following(missing());
    bench.answer(granted(11));
    bench.pass(12_705);
    assert_eq!(bench.machine.state(), State::Following);
    assert_eq!(bench.work, None);
}

#[test]
fn a_record_in_probation_says_the_duration_that_is_waited_for() {
    let mut bench = Bench::following(held_for(60, 2, 1, 10));
    bench.give(Input::Hinted(Hint::Seen(missing())));
    let minute = Duration::from_secs(60);
    assert_eq!(bench.claim().lease_duration, minute);
    bench.answer(granted(11));
    let mut said = Vec::new();
    for until_ms in [55_000, 20_000] {
        bench.calls_in(until_ms, |operation| {
            if let Operation::Renew(renewal) = operation {
                said.push(renewal.lease_duration);
            }
            confirmed(100 + said.len() as u64)
        });
        bench.give(Input::Tick);
    }
    assert_eq!(bench.machine.state(), State::Leading);
    assert_eq!(said.first(), Some(&minute));
    assert_eq!(said.last(), Some(&Duration::from_secs(15)));
}

#[test]
fn who_waits_for_nobody_tells_of_no_wait() {
    let mut bench = Bench::leading_leased();
    assert!(!bench.heard(|event| matches!(event, Event::Waiting { .. })));
}
