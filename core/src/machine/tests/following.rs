//! What a follower may believe, and when it may take over.

use super::bench::*;
use crate::backend::{Basis, Hint, LockKind, LockState, Observation};
use crate::event::Event;
use crate::machine::{Input, Outcome, Settings};
use crate::{Effect, ErrorKind, Identity, Version};

/// Follows another's hold and reads `observation` whenever it reads, for so long.
fn watch(bench: &mut Bench, milliseconds: u64, observation: &Observation) {
    bench.calls_in(milliseconds, |_| Outcome::Observed(observation.clone()));
}

#[test]
fn takes_over_when_the_same_hold_was_seen_for_its_duration_and_not_before() {
    let mut bench = Bench::following(held(2, 1, 10));
    watch(&mut bench, 14_999, &held(2, 1, 10));
    assert_ne!(bench.call(), "acquire");
    watch(&mut bench, 1, &held(2, 1, 10));
    bench.give(Input::Tick);
    assert_eq!(bench.basis(), Basis::At(Version(10)));
}

#[test]
fn wakes_for_the_end_of_a_hold_that_comes_before_the_next_poll() {
    let seen = held_for(16, 2, 1, 10);
    let mut bench = Bench::following(seen.clone());
    watch(&mut bench, 15_100, &seen);
    assert_eq!(bench.machine.wake_after(bench.now), Some(ms(900)));
}

#[test]
fn the_age_counts_from_the_receipt_of_what_showed_it_first() {
    let mut bench = Bench::reading(settings(LockKind::Leased));
    bench.freeze(2_000);
    bench.observed(held(2, 1, 10));
    watch(&mut bench, 14_999, &held(2, 1, 10));
    assert_ne!(bench.call(), "acquire");
}

#[test]
fn a_foreign_edit_does_not_keep_a_dead_leader_young_and_its_version_is_the_basis() {
    let mut bench = Bench::following(held(2, 1, 10));
    watch(&mut bench, 14_000, &held(2, 1, 10));
    watch(&mut bench, 1_000, &held(2, 1, 44));
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 44))));
    assert_eq!(bench.basis(), Basis::At(Version(44)));
}

#[test]
fn each_part_of_a_hold_makes_it_young_again() {
    let other_object = {
        let mut seen = held(2, 1, 11);
        let LockState::Held(held) = &mut seen.lock else {
            unreachable!()
        };
        held.identity = Identity(8);
        seen
    };
    for younger in [
        held(3, 1, 11),
        held(2, 2, 11),
        held_for(16, 2, 1, 11),
        other_object,
    ] {
        let mut bench = Bench::following(held(2, 1, 10));
        watch(&mut bench, 14_000, &held(2, 1, 10));
        bench.give(Input::Hinted(Hint::Seen(younger.clone())));
        watch(&mut bench, 14_000, &younger);
        assert_ne!(bench.call(), "acquire", "{younger:?}");
    }
}

#[test]
fn a_longer_duration_is_believed_and_a_shorter_one_is_not() {
    for (seconds, waits) in [(60, 60_000), (1, 15_000)] {
        let seen = held_for(seconds, 2, 1, 10);
        let mut bench = Bench::following(seen.clone());
        watch(&mut bench, waits - 1, &seen);
        assert_ne!(bench.call(), "acquire", "{seconds} s");
        bench.calls_in(1, |_| Outcome::Observed(seen.clone()));
        bench.give(Input::Tick);
        assert_eq!(bench.call(), "acquire", "{seconds} s");
    }
}

#[test]
fn a_record_that_says_no_duration_is_waited_out_for_our_own() {
    let mut seen = held(2, 1, 10);
    if let LockState::Held(held) = &mut seen.lock {
        held.duration = None;
    }
    let mut bench = Bench::following(seen.clone());
    watch(&mut bench, 14_999, &seen);
    assert_ne!(bench.call(), "acquire");
}

#[test]
fn each_write_of_a_record_that_says_nothing_of_its_leadership_makes_it_young_again() {
    let says_nothing = |version| {
        let mut seen = held(2, 1, version);
        if let LockState::Held(held) = &mut seen.lock {
            held.duration = None;
        }
        seen
    };
    let mut bench = Bench::following(says_nothing(10));
    watch(&mut bench, 10_000, &says_nothing(10));
    watch(&mut bench, 14_999, &says_nothing(11));
    assert_ne!(bench.call(), "acquire");
}

#[test]
fn a_follower_counts_by_the_clock_that_shows_less() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.move_clocks(100_000, 14_000);
    bench.give(Input::Tick);
    assert_eq!(bench.call(), "observe");
    bench.observed(held(2, 1, 10));
    assert_ne!(bench.call(), "acquire");
    bench.move_clocks(0, 1_000);
    bench.give(Input::Tick);
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn what_is_older_than_what_is_known_is_dropped() {
    let mut bench = Bench::following(held(2, 5, 20));
    bench.give(Input::Hinted(Hint::Seen(vacant(Some(2), 19))));
    assert_eq!(bench.call(), "", "no try is made from the past");
    assert_eq!(**bench.machine.observation().unwrap(), held(2, 5, 20));
    bench.give(Input::Hinted(Hint::Seen(vacant(Some(2), 21))));
    assert_eq!(bench.basis(), Basis::At(Version(21)));
}

#[test]
fn a_read_that_shows_the_past_is_made_again_but_not_at_once() {
    let mut bench = Bench::following(held(2, 5, 20));
    bench.give(Input::Hinted(Hint::Changed));
    bench.observed(held(2, 4, 19));
    assert_eq!(bench.call(), "");
    bench.pass(1_000);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_change_that_is_told_during_a_read_is_read_after_it() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Changed));
    assert_eq!(bench.call(), "observe");
    bench.give(Input::Hinted(Hint::Changed));
    bench.observed(held(2, 1, 10));
    assert_eq!(
        bench.call(),
        "observe",
        "the read may have missed the change"
    );
}

#[test]
fn a_refused_claim_looks_at_what_was_seen_and_claims_from_nothing_else() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    bench.busy(Some(held(3, 1, 11)));
    assert_eq!(bench.call(), "");
    assert!(bench.heard(
        |event| matches!(event, Event::LeaderChanged { leader: Some(holder) } if holder.is(&candidate(3)))
    ));
}

#[test]
fn a_refused_claim_that_saw_nothing_is_followed_by_a_read_not_by_the_same_claim() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    bench.busy(None);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_claim_whose_answer_was_lost_is_followed_by_a_read_not_by_the_same_claim() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_claim_whose_answer_was_lost_starts_by_a_newly_confirmed_write_only() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    let nonce = bench.claim().nonce;
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(held(1, nonce.0, 11));
    assert_eq!(bench.work, None);
    assert_eq!(bench.basis(), Basis::At(Version(11)));
    assert_ne!(bench.claim().nonce, nonce);
    bench.answer(granted(12));
    assert_eq!(bench.work, Some(token(12)), "it owed no probation");
}

#[test]
fn a_claim_whose_answer_was_lost_still_owes_its_probation() {
    let mut bench = Bench::following(missing());
    let nonce = bench.claim().nonce;
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(held(1, nonce.0, 11));
    bench.answer(granted(12));
    assert_eq!(bench.work, None);
    bench.calls_in(14_999, |_| confirmed(13));
    assert_eq!(bench.work, None);
    bench.pass(1);
    assert_eq!(bench.work, Some(token(12)));
}

#[test]
fn a_record_of_ours_that_no_known_claim_wrote_owes_probation() {
    let mut bench = Bench::following(held(1, 99, 11));
    bench.answer(granted(12));
    assert_eq!(bench.work, None);
}

#[test]
fn a_lost_claim_excuses_neither_another_number_nor_a_copy_on_another_object() {
    for (identity, further) in [(LOCK, 1), (Identity(8), 0)] {
        let mut bench = Bench::following(vacant(Some(2), 10));
        let nonce = bench.claim().nonce.0 + further;
        bench.fail(ErrorKind::Unavailable, Effect::Unknown);
        bench.pass(1_000);
        let mut seen = held(1, nonce, 11);
        if let LockState::Held(held) = &mut seen.lock {
            held.identity = identity;
        }
        bench.observed(seen);
        bench.answer(granted(12));
        assert_eq!(bench.work, None);
    }
}

#[test]
fn an_age_seen_before_our_own_hold_is_not_remembered_after_it() {
    let mut bench = Bench::following(held(2, 1, 10));
    watch(&mut bench, 14_999, &held(2, 1, 10));
    bench.pass(1);
    bench.answer(granted(11));
    assert_eq!(bench.work, Some(token(11)));
    // Somebody puts the old record back, over whoever came after us.
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 12))));
    bench.stopped();
    bench.observed(held(2, 1, 12));
    assert_eq!(bench.call(), "", "it is waited out as any other");
}

#[test]
fn hints_that_go_on_make_polls_needless_and_silence_makes_one() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Watching(true)));
    bench.observed(held(2, 1, 10));
    let before = bench.calls;
    for write in 1..10 {
        bench.pass(5_000);
        bench.give(Input::Hinted(Hint::Seen(held(2, 1 + write, 10 + write))));
    }
    assert_eq!(bench.calls, before, "the watch is alive");
    bench.pass(7_500);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_read_that_a_watch_has_overtaken_delays_nothing() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Watching(true)));
    assert_eq!(bench.call(), "observe");
    bench.give(Input::Hinted(Hint::Seen(held(3, 1, 12))));
    bench.observed(vacant(Some(2), 11));
    assert_eq!(bench.call(), "", "nothing newer is to be learned by a read");
    bench.give(Input::Hinted(Hint::Seen(vacant(Some(3), 13))));
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn the_same_name_on_two_candidates_confuses_nobody() {
    let mut bench = Bench::reading(Settings {
        candidate: candidate(1),
        ..settings(LockKind::Leased)
    });
    assert_eq!(candidate(1).name, candidate(2).name);
    bench.observed(held(2, 1, 10));
    bench.pass(2_000);
    assert_ne!(bench.call(), "acquire");
    assert_eq!(
        bench
            .machine
            .leader()
            .map(|holder| holder.is(&candidate(2))),
        Some(true)
    );
}

#[test]
fn takes_over_after_the_record_duration_even_when_a_try_was_refused_long_ago() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    bench.busy(Some(held(3, 1, 11)));
    watch(&mut bench, 4_000, &held(3, 1, 11));
    bench.give(Input::Hinted(Hint::Seen(vacant(Some(3), 12))));
    bench.busy(Some(vacant(Some(3), 13)));
    assert_eq!(
        bench.call(),
        "acquire",
        "the first conflict of a new contest does not wait"
    );
}

#[test]
fn a_held_record_without_a_version_makes_no_busy_loop() {
    let seen = Observation {
        version: None,
        ..held_for(1, 2, 1, 1)
    };
    let mut bench = Bench::following(seen.clone());
    let calls = bench.calls_in(60_000, |_| Outcome::Observed(seen.clone()));
    assert!(calls < 40, "{calls}");
}
