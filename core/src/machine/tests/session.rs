//! Locks that a session holds: only a try tells whether they are free.

use super::bench::*;
use crate::backend::{Hint, LockKind, LockState, Observation, Released};
use crate::event::StopReason;
use crate::machine::{Eligibility, Input, Outcome, State, WorkEnd};
use crate::{Effect, ErrorKind};
use std::time::Duration;

fn following() -> Bench {
    let mut bench = Bench::with(settings(LockKind::Session));
    assert_eq!(
        bench.call(),
        "acquire",
        "a place in the queue is asked for at once, without a read"
    );
    bench.busy(Some(held(2, 1, 10)));
    assert_eq!(bench.call(), "");
    bench
}

#[test]
fn a_follower_tries_when_it_is_told_of_a_change_and_otherwise_polls() {
    let mut bench = following();
    bench.give(Input::Hinted(Hint::Changed));
    assert_eq!(bench.call(), "acquire");
    bench.busy(Some(held(2, 1, 10)));
    let calls = bench.calls_in(60_000, |operation| {
        assert_eq!(operation.name(), "acquire");
        Outcome::Acquired(crate::backend::Acquired::Busy(Some(held(2, 1, 10))))
    });
    assert!((12..=25).contains(&calls), "{calls}");
}

#[test]
fn a_change_that_is_told_during_a_try_is_followed_by_another() {
    let mut bench = following();
    bench.give(Input::Hinted(Hint::Changed));
    bench.give(Input::Hinted(Hint::Changed));
    bench.busy(Some(held(2, 1, 10)));
    assert_eq!(
        bench.call(),
        "acquire",
        "the holder may have left during the try"
    );
}

#[test]
fn an_age_means_nothing_to_a_session_lock() {
    let mut bench = following();
    for _ in 0..100 {
        bench.pass(1_000);
        if bench.call() == "acquire" {
            bench.busy(Some(held(2, 1, 10)));
        }
    }
    assert_eq!(bench.machine.state(), State::Following);
}

#[test]
fn tries_that_are_refused_without_a_holder_do_not_spin() {
    for seen in [None, Some(vacant(Some(2), 10))] {
        let mut bench = following();
        bench.give(Input::Hinted(Hint::Changed));
        let calls = bench.calls_in(10_000, |_| {
            Outcome::Acquired(crate::backend::Acquired::Busy(seen.clone()))
        });
        assert!((2..=25).contains(&calls), "{calls}");
    }
}

#[test]
fn a_try_that_is_refused_though_nobody_holds_is_made_again_soon() {
    let mut bench = following();
    bench.give(Input::Hinted(Hint::Changed));
    bench.busy(Some(vacant(Some(2), 10)));
    assert_eq!(bench.call(), "acquire");
    bench.busy(Some(vacant(Some(2), 10)));
    bench.pass(1_000);
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn a_place_in_the_queue_that_nobody_uses_is_given_up() {
    let mut bench = following();
    bench.give(Input::SetEligibility(Eligibility::Ineligible));
    assert_eq!(bench.call(), "withdraw");
    bench.answer(Outcome::Done);
    let calls = bench.calls_in(30_000, |operation| match operation.name() {
        "observe" => Outcome::Observed(held(2, 1, 10)),
        other => panic!("{other}"),
    });
    assert!(calls < 20, "{calls}");
    bench.give(Input::SetEligibility(Eligibility::Eligible));
    if bench.call() == "observe" {
        bench.observed(held(2, 1, 10));
    }
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn a_withdrawal_that_fails_is_tried_again_without_spinning() {
    let mut bench = following();
    bench.give(Input::SetEligibility(Eligibility::Ineligible));
    let calls = bench.calls_in(10_000, |operation| match operation.name() {
        "withdraw" => Outcome::Failed(crate::machine::Failure {
            effect: Effect::Unknown,
            kind: ErrorKind::Unavailable,
        }),
        _ => Outcome::Done,
    });
    assert!((5..=25).contains(&calls), "{calls}");
}

#[test]
fn who_gives_way_neither_spins_nor_keeps_a_place() {
    let mut bench = Bench::leading_session();
    bench.give(Input::Resign);
    bench.stopped();
    bench.answer(Outcome::Released(Released::Vacated));
    let calls = bench.calls_in(4_900, |operation| match operation.name() {
        "observe" => Outcome::Observed(vacant(Some(1), 11)),
        "withdraw" | "enlist" => Outcome::Done,
        other => panic!("{other} while giving way"),
    });
    assert!(calls < 8, "{calls}");
    bench.pass(200);
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn a_failed_release_that_gives_way_gives_up_its_place() {
    let mut bench = Bench::leading_session();
    bench.give(Input::Resign);
    bench.stopped();
    bench.pass(7_600);
    bench.pass(2_500);
    assert_eq!(bench.call(), "withdraw");
}

#[test]
fn a_session_that_ended_ends_the_leadership() {
    let mut bench = Bench::leading_session();
    bench.pass(5_000);
    bench.conflict(Some(Observation::of(LockState::Missing)));
    assert_eq!(bench.told, [StopReason::LockVanished]);
}

#[test]
fn a_renewal_of_unknown_outcome_is_simply_made_again() {
    let mut bench = Bench::leading_session();
    bench.pass(5_000);
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    assert_eq!(bench.call(), "renew");
    bench.answer(confirmed(12));
    assert!(bench.left_ms() >= 12_204);
}

#[test]
fn work_that_failed_lets_others_go_first_for_as_long_as_it_says() {
    let mut bench = Bench::leading_session();
    bench.work = None;
    bench.give(Input::WorkEnded(WorkEnd::Panicked));
    bench.give(Input::GiveWay(Duration::from_secs(20)));
    bench.answer(Outcome::Released(Released::Vacated));
    let calls = bench.calls_in(19_900, |operation| match operation.name() {
        "observe" => Outcome::Observed(vacant(Some(1), 11)),
        "withdraw" | "enlist" => Outcome::Done,
        other => panic!("{other}"),
    });
    assert!(calls < 14, "{calls}");
    bench.pass(200);
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn who_has_released_leaves_the_lock_to_others_for_a_moment() {
    let released = || {
        let mut bench = Bench::leading_session();
        bench.work = None;
        bench.give(Input::WorkEnded(WorkEnd::Returned));
        bench
    };
    let mut bench = released();
    bench.answer(Outcome::Released(Released::Vacated));
    bench.give(Input::Hinted(Hint::Changed));
    assert_eq!(bench.call(), "observe");
    bench.answer(Outcome::Observed(vacant(Some(1), 11)));
    bench.pass(19);
    assert_eq!(bench.call(), "");
    bench.pass(1);
    assert_eq!(bench.call(), "acquire");
    // Whom the work has told to wait for longer looks in time who is next.
    let mut bench = released();
    bench.give(Input::GiveWay(Duration::from_secs(1)));
    bench.answer(Outcome::Released(Released::Vacated));
    bench.pass(19);
    assert_eq!(bench.call(), "");
    bench.pass(1);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_try_whose_answer_was_lost_may_have_a_place_in_a_queue_and_a_lease_has_no_queue() {
    let session = Bench::claiming(settings(LockKind::Session));
    let leased = Bench::claiming(settings(LockKind::Leased));
    for (mut bench, next) in [(session, "withdraw"), (leased, "observe")] {
        assert_eq!(bench.call(), "acquire");
        bench.fail(ErrorKind::Timeout, Effect::Unknown);
        bench.give(Input::SetEligibility(Eligibility::Ineligible));
        bench.pass(1_000);
        assert_eq!(bench.call(), next);
    }
}

#[test]
fn an_older_write_that_is_found_extends_as_long_as_no_newer_one_is_confirmed() {
    let mut bench = Bench::leading_session();
    bench.pass(5_000);
    let first = bench.renewal().nonce.0;
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(500);
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.give(Input::Hinted(Hint::Changed));
    bench.pass(500);
    bench.observed(held(1, first, 11));
    assert_eq!(bench.left_ms(), 12_704 - 1_000);
}

#[test]
fn an_older_write_that_is_found_takes_nothing_back_from_a_newer_one() {
    // Once with both clocks, once with the one alone that counts suspended time.
    for raw_ms in [1_000, 0] {
        let mut bench = Bench::leading_session();
        bench.move_clocks(5_000, 5 * raw_ms);
        bench.give(Input::Tick);
        let first = bench.renewal().nonce.0;
        bench.fail(ErrorKind::Unavailable, Effect::Unknown);
        bench.move_clocks(1_000, raw_ms);
        bench.give(Input::Tick);
        bench.answer(confirmed(12));
        assert_eq!(bench.left_ms(), 12_704);
        bench.give(Input::Hinted(Hint::Changed));
        bench.observed(held(1, first, 12));
        assert_eq!(bench.left_ms(), 12_704);
    }
}
