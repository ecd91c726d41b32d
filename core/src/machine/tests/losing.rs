//! Rule 7: what ends a leadership at once, and what does not.

use super::bench::*;
use crate::backend::{Hint, Holder, LockState, Note, Observation, Renewed};
use crate::event::{Event, StopReason};
use crate::machine::{Input, Outcome, State};
use crate::{Identity, Version};

fn usurped(by: u128) -> StopReason {
    StopReason::Usurped {
        by: Holder::from(&candidate(by)),
    }
}

/// The record names us, but on another object.
fn ours_elsewhere(version: u64) -> Observation {
    let mut seen = held(1, 1, version);
    if let LockState::Held(held) = &mut seen.lock {
        held.identity = Identity(99);
    }
    seen
}

#[test]
fn a_conflict_that_shows_the_lock_gone_ends_the_leadership_now() {
    for (seen, reason) in [
        (held(2, 1, 11), usurped(2)),
        (vacant(None, 11), StopReason::LockVanished),
        (missing(), StopReason::LockVanished),
        (ours_elsewhere(11), StopReason::LockVanished),
    ] {
        let mut bench = Bench::leading_leased();
        bench.pass(5_000);
        bench.conflict(Some(seen));
        assert_eq!(bench.told, [reason]);
        assert!(!bench.leads());
    }
}

#[test]
fn a_read_that_shows_the_lock_gone_ends_the_leadership_now() {
    for (seen, reason) in [
        (held(2, 1, 11), usurped(2)),
        (vacant(None, 11), StopReason::LockVanished),
        (missing(), StopReason::LockVanished),
        (ours_elsewhere(11), StopReason::LockVanished),
    ] {
        let mut bench = Bench::leading_leased();
        bench.give(Input::Hinted(Hint::Changed));
        bench.observed(seen);
        assert_eq!(bench.told, [reason]);
    }
}

#[test]
fn another_holder_in_a_hint_ends_the_leadership_now_and_an_empty_lock_is_read() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 11))));
    assert_eq!(bench.told, [usurped(2)]);
    for seen in [vacant(None, 11), missing(), ours_elsewhere(11)] {
        let mut bench = Bench::leading_leased();
        bench.give(Input::Hinted(Hint::Seen(seen.clone())));
        assert!(bench.told.is_empty());
        bench.observed(seen);
        assert_eq!(bench.told, [StopReason::LockVanished]);
    }
}

#[test]
fn what_is_older_than_our_own_write_deposes_nobody() {
    for seen in [held(2, 1, 9), vacant(Some(2), 9)] {
        let mut bench = Bench::leading_leased();
        bench.give(Input::Hinted(Hint::Seen(seen.clone())));
        assert_eq!(bench.call(), "");
        bench.give(Input::Hinted(Hint::Changed));
        bench.observed(seen.clone());
        assert!(bench.leads());
        assert_eq!(bench.call(), "", "it is read again, but not at once");
        bench.pass(1_000);
        bench.observed(held(1, 1, 10));
        bench.pass(4_000);
        bench.conflict(Some(seen));
        assert!(bench.leads());
        bench.pass(1_000);
        assert_eq!(
            bench.call(),
            "observe",
            "a conflict that shows the past is looked into"
        );
    }
}

#[test]
fn a_label_is_adopted_and_deposes_nobody() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.conflict(Some(held(1, 1, 15)));
    assert!(bench.told.is_empty());
    assert_eq!(bench.renewal().hold.version, Version(15));
    bench.answer(confirmed(16));
    assert!(bench.leads());
    assert_eq!(bench.left_ms(), 12_704);
}

#[test]
fn a_conflict_that_saw_nothing_is_settled_by_a_read() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.conflict(None);
    assert!(bench.leads());
    bench.observed(held(1, 1, 15));
    assert_eq!(bench.renewal().hold.version, Version(15));
}

#[test]
fn nothing_is_released_that_is_not_ours_any_more() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 11))));
    bench.stopped();
    assert_eq!(bench.machine.state(), State::Following);
    assert_eq!(bench.call(), "observe");
    assert!(bench.heard(|event| matches!(
        event,
        Event::Stopped {
            reason: StopReason::Usurped { .. },
            ..
        }
    )));
}

#[test]
fn a_usurper_that_is_seen_while_the_work_stops_is_not_released_either() {
    let mut bench = Bench::leading_leased();
    bench.pass(12_705);
    assert_eq!(bench.told, [StopReason::DeadlinePassed]);
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 11))));
    bench.call = None;
    bench.pass(1);
    bench.stopped();
    assert_ne!(bench.call(), "release");
}

#[test]
fn nothing_leads_again_on_the_hold_that_was_lost() {
    let mut bench = Bench::leading_leased();
    bench.pass(12_705);
    bench.pass(1_000);
    bench.stopped();
    bench.pass(60_000);
    assert_eq!(
        bench.work, None,
        "no answer has come, and no claim was granted"
    );
    let started = |event: &Event| matches!(event, Event::Started { .. });
    assert!(bench.heard(started));
    assert!(!bench.heard(started));
}

#[test]
fn a_token_that_is_not_new_reaches_no_work() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Hinted(Hint::Seen(vacant(None, 11))));
    bench.observed(missing());
    bench.stopped();
    bench.observed(vacant(Some(3), 11));
    let mut old = grant(12);
    old.hold.token = token(10);
    bench.answer(Outcome::Acquired(crate::backend::Acquired::Granted(old)));
    assert_eq!(bench.work, None);
    assert_eq!(bench.call(), "release");
    assert!(bench.heard(|event| matches!(event, Event::TokenWentBack { .. })));
}

#[test]
fn the_watchdog_ends_a_leadership_in_the_proper_order() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WatchdogFired);
    assert_eq!(bench.told, [StopReason::Watchdog]);
    assert_eq!(bench.call(), "");
    bench.stopped();
    assert_eq!(bench.call(), "release");
}

#[test]
fn an_answer_to_the_last_renewal_that_comes_when_the_hold_is_gone_does_nothing() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 11))));
    bench.stopped();
    assert_eq!(bench.machine.state(), State::Following);
    assert_eq!(bench.call(), "renew");
    bench.answer(Outcome::Renewed(Renewed::Conflict(Some(held(2, 1, 11)))));
    assert_eq!(bench.call(), "observe");
    assert_eq!(bench.work, None);
}

#[test]
fn a_note_that_somebody_else_wrote_is_no_reason_to_stop() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Hinted(Hint::Seen(Observation {
        note: Some(Note::new(b"foreign").unwrap()),
        ..held(1, 1, 12)
    })));
    assert!(bench.leads());
    assert!(bench.told.is_empty());
}
