//! Rule 8: stop, wait until stopped, then release.

use super::bench::*;
use crate::backend::{Hint, LockKind, Released};
use crate::event::{Event, StopReason};
use crate::machine::{Eligibility, Input, Outcome, State, WorkEnd};
use crate::{Effect, ErrorKind, Version};

fn released(bench: &mut Bench) {
    assert_eq!(bench.call(), "release");
    bench.answer(Outcome::Released(Released::Vacated));
}

#[test]
fn a_release_is_sent_only_after_the_work_has_ended() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Resign);
    assert_eq!(bench.machine.state(), State::Draining);
    assert!(bench.leads());
    bench.pass(2_000);
    assert_eq!(bench.call(), "");
    bench.stopped();
    assert_eq!(bench.release().hold.version, Version(10));
}

#[test]
fn work_that_ends_by_itself_is_followed_by_the_release() {
    for end in [WorkEnd::Returned, WorkEnd::Panicked] {
        let mut bench = Bench::leading_leased();
        bench.work = None;
        bench.give(Input::WorkEnded(end));
        assert!(!bench.leads());
        released(&mut bench);
        assert_eq!(bench.machine.state(), State::Following);
        assert!(bench.heard(|event| matches!(event, Event::Stopped { .. })));
        assert!(!bench.heard(|event| matches!(event, Event::Stopped { .. })));
    }
}

#[test]
fn a_planned_stop_renews_until_the_drain_timeout_and_then_aborts() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::ShutDown);
    let mut version = 10;
    bench.calls_in(29_999, |operation| {
        assert_eq!(operation.name(), "renew");
        version += 1;
        confirmed(version)
    });
    assert!(version > 14);
    assert!(bench.leads());
    assert!(!bench.aborted);
    bench.pass(1);
    assert!(bench.aborted);
    assert_eq!(bench.told, [StopReason::ShutDown, StopReason::ShutDown]);
}

#[test]
fn a_drain_does_not_outlive_the_deadline() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Resign);
    bench.pass(12_705);
    assert!(!bench.leads());
    assert_eq!(
        bench.told,
        [StopReason::Resigned, StopReason::DeadlinePassed]
    );
}

#[test]
fn loss_aborts_when_the_grace_is_over() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Hinted(Hint::Seen(held(2, 1, 11))));
    bench.pass(1_499);
    assert!(!bench.aborted);
    bench.pass(1);
    assert!(bench.aborted);
}

#[test]
fn loss_that_is_noticed_late_aborts_no_later_than_deadline_plus_grace() {
    let mut bench = Bench::leading_leased();
    bench.freeze(13_500);
    bench.give(Input::Tick);
    assert_eq!(bench.told, [StopReason::DeadlinePassed]);
    assert!(!bench.aborted);
    bench.pass(704);
    assert!(!bench.aborted);
    bench.pass(1);
    assert!(bench.aborted);
    let mut bench = Bench::leading_leased();
    bench.freeze(20_000);
    bench.give(Input::Tick);
    assert!(bench.aborted, "at once");
}

#[test]
fn work_that_cannot_be_ended_is_told_and_the_lock_is_kept_from_release() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WatchdogFired);
    bench.pass(60_000);
    let overrun = |event: &Event| matches!(event, Event::Overrun { .. });
    assert!(bench.heard(overrun));
    assert!(!bench.heard(overrun));
    assert_eq!(bench.call(), "");
    bench.stopped();
    assert_eq!(bench.call(), "release");
}

#[test]
fn a_release_of_unknown_outcome_is_settled_by_a_read() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(held(1, 1, 10));
    assert_eq!(bench.call(), "release");
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(vacant(Some(1), 11));
    assert_eq!(bench.machine.state(), State::Following);
}

#[test]
fn a_release_that_was_not_applied_or_of_a_session_is_made_again_without_a_read() {
    let benches = [
        (Bench::leading_leased(), Effect::NotApplied),
        (Bench::leading_session(), Effect::Unknown),
    ];
    for (mut bench, effect) in benches {
        bench.stopped();
        bench.fail(ErrorKind::Unavailable, effect);
        bench.pass(1_000);
        assert_eq!(bench.call(), "release");
    }
}

#[test]
fn a_release_waits_for_no_read_that_a_hint_has_asked_for() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Hinted(Hint::Changed));
    assert_eq!(bench.call(), "observe");
    bench.give(Input::Hinted(Hint::Changed));
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    assert_eq!(bench.call(), "release");
    bench.give(Input::Hinted(Hint::Changed));
    bench.fail(ErrorKind::Unavailable, Effect::NotApplied);
    bench.pass(1_000);
    assert_eq!(bench.call(), "release");
}

#[test]
fn a_release_that_meets_a_label_is_made_again_from_the_new_version() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    bench.conflict(Some(held(1, 1, 15)));
    assert_eq!(bench.release().hold.version, Version(15));
}

#[test]
fn a_release_that_meets_another_holder_leaves_it_alone() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    bench.conflict(Some(held(2, 1, 15)));
    assert_eq!(bench.machine.state(), State::Following);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_release_that_never_succeeds_is_given_up_and_told() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    bench.pass(7_500);
    assert!(bench.heard(|event| matches!(event, Event::ReleaseFailed { .. })));
    assert_eq!(bench.machine.state(), State::Following);
}

#[test]
fn a_release_that_was_sent_resurrects_nobody_when_it_was_not_applied() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    bench.pass(7_500);
    bench.pass(2_500);
    bench.observed(held(1, 1, 10));
    assert_eq!(
        bench.work.take(),
        Some(token(10)),
        "the old work, which has ended"
    );
    assert_eq!(
        bench.call(),
        "acquire",
        "only a new write may start another"
    );
}

#[test]
fn after_a_release_a_read_comes_before_the_next_claim() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WorkEnded(WorkEnd::Returned));
    released(&mut bench);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn shutting_down_ends_from_every_stage() {
    let mut benches = vec![
        ("starting", Bench::with(settings(LockKind::Leased))),
        ("reading", Bench::reading(settings(LockKind::Leased))),
        ("following", Bench::following(held(2, 1, 10))),
        ("claiming", Bench::following(vacant(Some(2), 10))),
        ("leading", Bench::leading_leased()),
        ("leading a session", Bench::leading_session()),
    ];
    let mut probation = Bench::following(missing());
    probation.answer(granted(10));
    benches.push(("probation", probation));
    let mut draining = Bench::leading_leased();
    draining.give(Input::Resign);
    benches.push(("draining", draining));
    let mut stopping = Bench::leading_leased();
    stopping.pass(12_705);
    benches.push(("stopping", stopping));
    let mut releasing = Bench::leading_leased();
    releasing.stopped();
    benches.push(("releasing", releasing));
    let mut giving_way = Bench::leading_leased();
    giving_way.give(Input::Resign);
    giving_way.stopped();
    benches.push(("giving way", giving_way));
    for (stage, mut bench) in benches {
        bench.give(Input::ShutDown);
        if bench.work.is_some() {
            bench.stopped();
        }
        // Nothing is ever answered.
        for _ in 0..40 {
            bench.pass(1_000);
        }
        assert!(bench.ended, "{stage}: {:?}", bench.machine);
        assert_eq!(bench.machine.wake_after(bench.now), None);
    }
}

#[test]
fn a_claim_that_is_granted_while_shutting_down_is_given_back() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    bench.give(Input::ShutDown);
    bench.answer(granted(11));
    assert_eq!(bench.work, None);
    released(&mut bench);
    assert!(bench.ended, "it was never shown as a member");
    assert_eq!(bench.machine.state(), State::Ended);
}

#[test]
fn a_follower_that_shuts_down_withdraws() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::ShutDown);
    assert_eq!(bench.call(), "withdraw");
    bench.answer(Outcome::Done);
    assert!(bench.ended);
}

#[test]
fn who_may_not_lead_gives_back_a_grant_and_tries_again_when_it_may() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    bench.give(Input::SetEligibility(Eligibility::Ineligible));
    bench.answer(granted(11));
    released(&mut bench);
    bench.observed(vacant(Some(1), 12));
    assert_eq!(bench.call(), "");
    bench.give(Input::SetEligibility(Eligibility::Eligible));
    bench.observed(vacant(Some(1), 12));
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn eligibility_that_comes_and_goes_stops_each_leadership_once() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::SetEligibility(Eligibility::Ineligible));
    bench.give(Input::SetEligibility(Eligibility::Eligible));
    bench.give(Input::SetEligibility(Eligibility::Ineligible));
    assert_eq!(bench.told, [StopReason::Ineligible]);
    bench.stopped();
    released(&mut bench);
    bench.observed(vacant(Some(1), 12));
    assert_eq!(bench.call(), "");
}

#[test]
fn who_has_resigned_gives_way_from_the_moment_of_the_release() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Resign);
    bench.calls_in(20_000, |_| confirmed(11));
    bench.stopped();
    released(&mut bench);
    bench.observed(vacant(Some(1), 12));
    assert_eq!(bench.call(), "", "others go first");
    let calls = bench.calls_in(4_999, |_| Outcome::Observed(vacant(Some(1), 12)));
    assert!(calls < 4, "{calls}");
    assert_ne!(bench.call(), "acquire");
    bench.pass(2);
    if bench.call() == "observe" {
        bench.observed(vacant(Some(1), 12));
    }
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn who_still_waits_for_a_former_leader_leaves_no_mark_that_vouches_for_it() {
    let ways: [fn(&mut Bench); 3] = [
        |bench| bench.give(Input::SetEligibility(Eligibility::Ineligible)),
        |bench| bench.give(Input::Resign),
        |bench| bench.pass(12_705),
    ];
    for way in ways {
        let mut bench = Bench::following(missing());
        bench.answer(granted(11));
        way(&mut bench);
        assert_ne!(bench.call(), "release");
        assert_eq!(bench.machine.state(), State::Following);
    }
}

#[test]
fn who_ends_before_it_has_begun_asks_the_store_for_nothing() {
    let mut bench = Bench::unstarted(settings(LockKind::Leased));
    bench.give(Input::ShutDown);
    assert!(bench.ended);
    assert_eq!(bench.calls, 0);
}
