//! Until when a leader leads.

use super::bench::*;
use crate::backend::{Hint, LockKind, Note, Proof};
use crate::event::{Event, StopReason};
use crate::machine::{Input, Settings, State};
use crate::{Effect, ErrorKind};
use std::time::Duration;

/// D of the standard timing: 15 s / 1.01² - 2 s.
const VALIDITY_MS: u64 = 12_704;

#[test]
fn the_deadline_counts_from_the_send_of_the_claim_not_from_its_answer() {
    let mut bench = Bench::following(vacant(Some(2), 9));
    bench.freeze(2_000);
    bench.answer(granted(10));
    assert!(bench.leads());
    assert_eq!(bench.left_ms(), VALIDITY_MS - 2_000);
}

#[test]
fn a_renewal_extends_from_its_send() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    assert_eq!(bench.call(), "renew");
    bench.freeze(2_000);
    bench.answer(confirmed(11));
    assert_eq!(bench.left_ms(), VALIDITY_MS - 2_000);
}

#[test]
fn steps_down_at_the_deadline_without_any_answer() {
    let mut bench = Bench::leading_leased();
    bench.pass(VALIDITY_MS);
    assert!(bench.leads());
    assert!(bench.told.is_empty());
    bench.pass(1);
    assert!(!bench.leads());
    assert_eq!(bench.told, [StopReason::DeadlinePassed]);
    assert_eq!(bench.machine.state(), State::Stopping);
}

#[test]
fn leads_no_longer_after_the_deadline_even_when_nobody_runs_the_machine() {
    let mut bench = Bench::leading_leased();
    bench.freeze(VALIDITY_MS + 1);
    assert!(!bench.leads());
}

#[test]
fn an_answer_after_the_deadline_resurrects_nobody() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    let call = bench.call.clone();
    bench.freeze(VALIDITY_MS - 5_000 + 1);
    bench.answer(confirmed(11));
    assert_eq!(bench.told, [StopReason::DeadlinePassed]);
    assert!(!bench.leads());
    bench.call = call;
    bench.answer(confirmed(11));
    bench.stopped();
    assert_eq!(bench.machine.state(), State::Releasing);
}

#[test]
fn a_grant_that_took_longer_than_it_lasts_is_given_back_unused() {
    let settings = Settings {
        timing: crate::Timing::builder()
            .lease_duration(Duration::from_secs(15))
            .renew_interval(Duration::from_secs(1))
            .request_timeout(Duration::from_secs(11))
            .stop_timeout(Duration::from_secs(2))
            .build()
            .unwrap(),
        ..settings(LockKind::Leased)
    };
    let mut bench = Bench::claiming(settings);
    // The clock that nobody slews says that the answer was quick; the other one says that it was not.
    bench.move_clocks(10_999, 10_999);
    bench.answer(granted(10));
    assert!(bench.leads());
}

#[test]
fn an_unknown_outcome_never_extends() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    assert_eq!(bench.left_ms(), VALIDITY_MS - 5_000);
    bench.pass(1_000);
    assert_eq!(
        bench.call(),
        "observe",
        "an unknown outcome is settled by a read"
    );
}

#[test]
fn a_read_that_finds_the_nonce_extends_from_the_send_of_that_write() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    let nonce = bench.renewal().nonce;
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(held(1, nonce.0, 11));
    assert_eq!(bench.left_ms(), VALIDITY_MS - 1_000);
    bench.pass(4_000);
    assert_eq!(bench.renewal().hold.version, crate::Version(11));
}

#[test]
fn a_read_that_finds_an_older_nonce_does_not_extend() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.fail(ErrorKind::Timeout, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(held(1, 1, 10));
    assert_eq!(bench.left_ms(), VALIDITY_MS - 6_000);
    assert_eq!(bench.call(), "renew", "the renewal is still due");
    bench.answer(confirmed(11));
    assert_eq!(bench.left_ms(), VALIDITY_MS);
}

#[test]
fn a_renewal_that_was_not_applied_needs_no_read() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.fail(ErrorKind::Unavailable, Effect::NotApplied);
    bench.pass(1_000);
    assert_eq!(bench.call(), "renew");
}

#[test]
fn an_abandoned_answer_says_nothing_any_more() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    let late = bench.call.clone();
    bench.pass(2_500);
    assert_eq!(bench.call(), "observe", "the renewal was given up");
    let observe = std::mem::replace(&mut bench.call, late);
    bench.answer(confirmed(11));
    bench.call = observe;
    assert_eq!(bench.left_ms(), VALIDITY_MS - 7_500);
}

#[test]
fn a_driver_can_ask_when_the_machine_was_run_last_and_how_long_work_may_take() {
    let mut bench = Bench::leading_leased();
    bench.pass(1_234);
    assert_eq!(bench.machine.last_reading(), bench.now);
    assert_eq!(bench.machine.grace(), Duration::from_millis(1_500));
}

#[test]
fn suspend_ends_a_leadership_and_is_told() {
    let mut bench = Bench::leading_leased();
    bench.move_clocks(60_000, 10);
    bench.give(Input::Tick);
    assert_eq!(bench.told, [StopReason::DeadlinePassed]);
    assert!(
        bench.heard(
            |event| matches!(event, Event::Suspended { duration } if duration.as_secs() == 59)
        )
    );
}

#[test]
fn a_clock_that_is_slewed_costs_time_and_is_no_suspend() {
    let mut bench = Bench::leading_leased();
    bench.move_clocks(11_700, VALIDITY_MS + 1);
    assert!(!bench.leads());
    bench.give(Input::Tick);
    assert_eq!(bench.told, [StopReason::DeadlinePassed]);
    assert!(!bench.heard(|event| matches!(event, Event::Suspended { .. })));
}

#[test]
fn a_tenth_more_is_a_slewed_clock_and_a_second_above_it_is_suspend() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.move_clocks(12_050, 11_000);
    bench.give(Input::Tick);
    assert!(!bench.heard(|event| matches!(event, Event::Suspended { .. })));
    bench.move_clocks(4_000, 1_000);
    bench.give(Input::Tick);
    assert!(
        bench.heard(
            |event| matches!(event, Event::Suspended { duration } if duration.as_secs() == 3)
        )
    );
}

#[test]
fn jeopardy_begins_when_a_renewal_has_timed_out_and_ends_with_the_next_confirmation() {
    let mut bench = Bench::leading_leased();
    bench.pass(7_499);
    assert!(!bench.machine.in_jeopardy());
    bench.pass(1);
    assert!(bench.machine.in_jeopardy());
    assert!(bench.heard(|event| matches!(event, Event::JeopardyBegan { .. })));
    assert!(bench.leads());
    bench.observed(held(1, 1, 10));
    bench.pass(1_000);
    bench.answer(confirmed(11));
    assert!(!bench.machine.in_jeopardy());
    assert!(bench.heard(|event| matches!(event, Event::JeopardyEnded { .. })));
}

#[test]
fn a_lost_connection_is_jeopardy_at_once_until_a_renewal_is_confirmed() {
    let mut bench = Bench::leading_session();
    bench.give(Input::Hinted(Hint::Disconnected));
    assert!(bench.heard(|event| matches!(event, Event::JeopardyBegan { .. })));
    bench.give(Input::Hinted(Hint::Changed));
    assert!(bench.machine.in_jeopardy());
    bench.observed(held(1, 1, 10));
    assert!(bench.machine.in_jeopardy());
    bench.pass(5_000);
    bench.answer(confirmed(11));
    assert!(!bench.machine.in_jeopardy());
}

/// Three seconds of a store whose clock is slow by 1 %, by a clock that is fast by as much, in whole milliseconds.
const GAP_MS: u64 = 3_061;

fn proven_later() -> Settings {
    Settings {
        proof: Proof::Later {
            gap: Duration::from_secs(3),
        },
        ..settings(LockKind::Session)
    }
}

#[test]
fn what_is_proven_later_does_not_start_a_leadership_before_it_is() {
    let mut bench = Bench::claiming(proven_later());
    bench.freeze(100);
    bench.answer(granted(10));
    assert!(!bench.leads(), "the claim alone proves nothing");
    bench.pass(GAP_MS - 1);
    assert_eq!(bench.call(), "");
    bench.pass(1);
    assert_eq!(
        bench.call(),
        "renew",
        "the proof is asked for as soon as it can be one"
    );
    bench.freeze(100);
    bench.answer(confirmed(11));
    assert!(bench.leads());
    assert_eq!(
        bench.left_ms(),
        VALIDITY_MS - GAP_MS - 200,
        "counted from the claim's send"
    );
}

#[test]
fn a_proof_that_comes_too_early_by_the_clock_of_a_slow_store_proves_nothing() {
    let mut bench = Bench::claiming(proven_later());
    bench.answer(granted(10));
    bench.pass(GAP_MS);
    bench.answer(confirmed(11));
    let left = bench.left_ms();
    // A note makes a renewal due at once: sent 3 s after the last was acknowledged, and too early all the same.
    bench.pass(3_000);
    bench.give(Input::WriteNote(Note::new(b"x").expect("it is short")));
    assert_eq!(bench.call(), "renew");
    bench.answer(confirmed(12));
    assert_eq!(bench.left_ms(), left - 3_000, "the claim still counts");
}

#[test]
fn the_last_but_one_renewal_is_the_one_that_counts_when_proofs_come_later() {
    let mut bench = Bench::claiming(proven_later());
    bench.answer(granted(10));
    bench.pass(GAP_MS);
    bench.answer(confirmed(11));
    bench.pass(5_000);
    bench.freeze(50);
    bench.answer(confirmed(12));
    // The part of a millisecond by which the gap is longer than what it is rounded up from has passed as well.
    assert_eq!(bench.left_ms(), VALIDITY_MS - 5_051);
}

#[test]
fn a_renewal_that_was_answered_late_is_proven_by_the_next_one_all_the_same() {
    let mut bench = Bench::claiming(proven_later());
    bench.answer(granted(10));
    bench.pass(GAP_MS);
    bench.answer(confirmed(11));
    bench.pass(5_000);
    bench.freeze(2_400);
    bench.answer(confirmed(12));
    // An interval after the send it would be too early to prove anything.
    bench.pass(2_600);
    assert_eq!(bench.call(), "");
    bench.pass(GAP_MS - 2_600);
    assert_eq!(bench.call(), "renew");
    bench.answer(confirmed(13));
    let since_the_late_one = 2_400 + GAP_MS;
    assert_eq!(bench.left_ms(), VALIDITY_MS - since_the_late_one - 1);
}

#[test]
fn a_renewal_that_came_too_early_leaves_the_one_before_it_to_be_proven() {
    let mut bench = Bench::claiming(proven_later());
    bench.answer(granted(10));
    bench.pass(GAP_MS);
    bench.answer(confirmed(11));
    for (passed_ms, version) in [(2_000, 12), (1_100, 13)] {
        bench.pass(passed_ms);
        bench.give(Input::WriteNote(Note::new(&[1]).expect("it is short")));
        bench.answer(confirmed(version));
    }
    // What is not a whole millisecond of the gap has passed as well.
    assert_eq!(bench.left_ms(), VALIDITY_MS - 3_101);
}

#[test]
fn a_lock_that_is_lost_before_its_claim_was_proven_is_not_given_back() {
    let mut bench = Bench::claiming(proven_later());
    bench.answer(granted(10));
    bench.pass(GAP_MS);
    bench.conflict(Some(held(2, 1, 12)));
    assert_eq!(bench.machine.state(), State::Following);
    assert_ne!(bench.call(), "release");
}

#[test]
fn a_claim_that_is_never_proven_is_given_back() {
    let mut bench = Bench::claiming(proven_later());
    bench.answer(granted(10));
    bench.pass(VALIDITY_MS + 1);
    assert_eq!(bench.work, None);
    assert_eq!(bench.machine.state(), State::Releasing);
}

#[test]
fn a_leader_that_writes_notes_at_any_pace_is_proven_at_every_turn() {
    for every_ms in [40, 700, 1_900, 2_900, 3_100, 4_500, 5_000, 7_300] {
        let mut bench = Bench::claiming(proven_later());
        bench.answer(granted(10));
        bench.pass(GAP_MS);
        let mut least_left = VALIDITY_MS;
        for tens in 0..12_000 {
            if bench.leads() {
                least_left = least_left.min(bench.left_ms());
            }
            if bench.call() == "renew" {
                bench.freeze(10);
                bench.answer(confirmed(11 + tens));
                continue;
            }
            if (tens * 10).is_multiple_of(every_ms) {
                bench.give(Input::WriteNote(note(&tens.to_string())));
            }
            bench.pass(10);
        }
        assert!(bench.leads(), "with a note each {every_ms} ms");
        assert!(
            least_left >= VALIDITY_MS - 2 * 5_000 - 100,
            "{least_left} ms were left with a note each {every_ms} ms"
        );
    }
}
