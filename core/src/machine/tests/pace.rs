//! How often the store is asked, and that nothing spins.

use std::time::Duration;

use super::bench::*;
use crate::backend::{Acquired, Hint, LockKind, Member, Released, Renewed};
use crate::event::Event;
use crate::machine::{Failure, Input, Membership, Operation, Outcome, Settings, WorkEnd};
use crate::timing::Timing;
use crate::{Effect, ErrorKind};

fn failed(kind: ErrorKind) -> Outcome {
    Outcome::Failed(Failure {
        effect: Effect::NotApplied,
        kind,
    })
}

fn throttled(seconds: u64) -> ErrorKind {
    ErrorKind::Throttled {
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn with_members() -> Settings {
    Settings {
        membership: Membership::Followed,
        ..settings(LockKind::Leased)
    }
}

fn members() -> Vec<Member> {
    vec![Member {
        incarnation: None,
        name: "pod".into(),
    }]
}

#[test]
fn a_leader_renews_once_an_interval() {
    let mut bench = Bench::leading_leased();
    let mut version = 10;
    let calls = bench.calls_in(50_000, |operation| {
        assert_eq!(operation.name(), "renew");
        version += 1;
        confirmed(version)
    });
    assert_eq!(calls, 9);
}

#[test]
fn a_store_that_asks_for_fewer_requests_gets_fewer() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Changed));
    bench.fail(throttled(4), Effect::NotApplied);
    bench.give(Input::Hinted(Hint::Changed));
    bench.pass(3_999);
    assert_eq!(bench.call(), "");
    bench.pass(1);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_leader_waits_no_longer_than_its_deadline_allows_when_throttled() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.fail(throttled(60), Effect::NotApplied);
    bench.pass(1_000);
    assert_eq!(bench.call(), "", "it waits");
    bench.pass(4_500);
    assert_eq!(
        bench.call(),
        "renew",
        "it tries once more while that can help"
    );
    bench.answer(confirmed(11));
    assert!(bench.leads());
}

#[test]
fn conflicts_do_not_spin() {
    let calls: [fn(&Operation) -> Outcome; 3] = [
        |operation| match operation.name() {
            "renew" => Outcome::Renewed(Renewed::Conflict(None)),
            _ => Outcome::Observed(held(1, 1, 10)),
        },
        |operation| match operation.name() {
            "renew" => Outcome::Renewed(Renewed::Conflict(Some(held(1, 1, 10)))),
            _ => Outcome::Observed(held(1, 1, 10)),
        },
        |operation| match operation.name() {
            "renew" => Outcome::Renewed(Renewed::Conflict(Some(held(1, 1, 9)))),
            _ => Outcome::Observed(held(1, 1, 9)),
        },
    ];
    for answer in calls {
        let mut bench = Bench::leading_leased();
        let calls = bench.calls_in(12_000, answer);
        assert!(calls < 40, "{calls}");
    }
}

#[test]
fn releases_that_conflict_do_not_spin() {
    let calls: [fn(&Operation) -> Outcome; 2] = [
        |operation| match operation.name() {
            "release" => Outcome::Released(Released::Conflict(None)),
            _ => Outcome::Observed(held(1, 1, 10)),
        },
        |operation| match operation.name() {
            "release" => Outcome::Released(Released::Conflict(Some(held(1, 1, 10)))),
            _ => Outcome::Observed(held(1, 1, 10)),
        },
    ];
    for answer in calls {
        let mut bench = Bench::leading_leased();
        bench.give(Input::WorkEnded(WorkEnd::Returned));
        let calls = bench.calls_in(7_400, answer);
        assert!((3..60).contains(&calls), "{calls}");
    }
}

#[test]
fn claims_that_are_refused_without_a_holder_do_not_spin() {
    for seen in [None, Some(vacant(Some(2), 10)), Some(missing())] {
        let mut bench = Bench::following(vacant(Some(2), 10));
        let calls = bench.calls_in(10_000, |operation| match operation.name() {
            "acquire" => Outcome::Acquired(Acquired::Busy(seen.clone())),
            _ => Outcome::Observed(vacant(Some(2), 10)),
        });
        assert!((3..60).contains(&calls), "{seen:?}: {calls}");
    }
}

#[test]
fn a_claim_that_may_not_be_made_does_not_spin() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    let calls = bench.calls_in(10_000, |operation| match operation.name() {
        "acquire" => failed(ErrorKind::PermissionDenied),
        _ => Outcome::Observed(vacant(Some(2), 10)),
    });
    assert!((10..50).contains(&calls), "{calls}");
}

#[test]
fn a_free_lock_is_taken_before_the_candidate_is_shown_as_a_member() {
    let mut bench = Bench::unstarted(settings(LockKind::Session));
    bench.enlists_by_hand = true;
    bench.give(Input::Tick);
    assert_eq!(bench.call(), "acquire");
    bench.answer(granted(10));
    assert!(bench.leads());
    assert_eq!(bench.call(), "enlist");
}

#[test]
fn to_be_shown_as_a_member_is_tried_again_and_holds_nothing_up() {
    let mut bench = Bench::enlisting();
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(3_000);
    assert_eq!(bench.call(), "observe", "the election goes on without it");
    bench.observed(held(2, 1, 10));
    let (mut enlisted, mut nonce) = (1, 1);
    let calls = bench.calls_in(60_000, |operation| match operation.name() {
        "enlist" => {
            enlisted += 1;
            if enlisted < 3 {
                failed(ErrorKind::Unavailable)
            } else {
                Outcome::Done
            }
        }
        _ => {
            nonce += 1;
            Outcome::Observed(held(2, nonce, 10 + nonce))
        }
    });
    assert_eq!(enlisted, 3);
    assert!(calls < 40, "{calls}");
}

#[test]
fn members_are_read_at_the_start_and_when_they_change() {
    let mut bench = Bench::reading(with_members());
    bench.observed(held(2, 1, 10));
    assert_eq!(bench.call(), "members");
    bench.answer(Outcome::Members(members()));
    assert_eq!(bench.machine.members(), members());
    assert!(bench.heard(|event| matches!(event, Event::MembersChanged { .. })));
    bench.give(Input::Hinted(Hint::Watching(true)));
    bench.observed(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::MembersChanged));
    assert_eq!(bench.call(), "members");
    bench.answer(Outcome::Members(members()));
    assert!(!bench.heard(|event| matches!(event, Event::MembersChanged { .. })));
}

/// How often members are read in so many milliseconds in which another candidate goes on leading.
fn members_read_in(bench: &mut Bench, milliseconds: u64) -> u32 {
    let (mut read, mut nonce) = (0, 1);
    bench.calls_in(milliseconds, |operation| match operation.name() {
        "members" => {
            read += 1;
            Outcome::Members(members())
        }
        _ => {
            nonce += 1;
            Outcome::Observed(held(2, nonce, 10 + nonce))
        }
    });
    read
}

#[test]
fn members_are_read_now_and_then_when_nobody_tells_of_changes() {
    let mut bench = Bench::reading(with_members());
    bench.observed(held(2, 1, 10));
    let read = members_read_in(&mut bench, 60_000);
    assert!((3..=6).contains(&read), "{read}");
}

#[test]
fn members_that_cannot_be_read_never_hold_up_a_renewal() {
    let mut bench = Bench::leading(with_members());
    assert_eq!(bench.call(), "members");
    bench.fail(throttled(60), Effect::NotApplied);
    bench.pass(5_000);
    assert_eq!(bench.call(), "renew");
    bench.answer(confirmed(11));
    bench.pass(4_000);
    bench.give(Input::Hinted(Hint::MembersChanged));
    assert_eq!(
        bench.call(),
        "",
        "a renewal is due before the answer has to be there"
    );
    bench.pass(1_000);
    assert_eq!(bench.call(), "renew");
    bench.answer(confirmed(12));
    assert_eq!(bench.call(), "members");
}

#[test]
fn half_an_interval_before_a_renewal_is_time_enough_for_a_call_though_it_may_take_longer() {
    let timing = Timing::builder()
        .renew_interval(Duration::from_secs(5))
        .request_timeout(Duration::from_secs(4));
    let mut bench = Bench::leading(Settings {
        timing: timing.build().unwrap(),
        ..with_members()
    });
    bench.answer(Outcome::Members(members()));
    bench.pass(2_400);
    bench.give(Input::Hinted(Hint::MembersChanged));
    assert_eq!(bench.call(), "members");
}

#[test]
fn a_watch_that_ends_is_followed_by_a_read_and_by_polls() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Watching(true)));
    bench.observed(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Watching(false)));
    assert_eq!(bench.call(), "observe");
    bench.observed(held(2, 2, 11));
    bench.pass(5_000);
    assert_eq!(bench.call(), "observe");
}

#[test]
fn a_hung_store_costs_one_call_a_timeout() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Hinted(Hint::Changed));
    let before = bench.calls;
    bench.pass(25_000);
    assert!(bench.calls - before <= 11, "{}", bench.calls - before);
}

#[test]
fn members_that_could_not_be_read_are_read_again_a_lease_later() {
    let mut bench = Bench::reading(with_members());
    bench.observed(held(2, 1, 10));
    assert_eq!(bench.call(), "members");
    bench.fail(ErrorKind::Unavailable, Effect::NotApplied);
    let read = members_read_in(&mut bench, 20_000);
    assert_eq!(read, 1);
}

#[test]
fn a_call_that_fails_is_told_by_its_name() {
    let benches: [fn() -> Bench; 6] = [
        Bench::enlisting,
        || Bench::reading(settings(LockKind::Leased)),
        || Bench::following(vacant(Some(2), 10)),
        || {
            let mut bench = Bench::reading(with_members());
            bench.observed(held(2, 1, 10));
            bench
        },
        || {
            let mut bench = Bench::leading_leased();
            bench.pass(5_000);
            bench
        },
        || {
            let mut bench = Bench::leading_leased();
            bench.stopped();
            bench
        },
    ];
    let mut told = Vec::new();
    for bench in benches {
        let mut bench = bench();
        let name = bench.call();
        bench.fail(ErrorKind::Unavailable, Effect::NotApplied);
        assert!(bench.heard(
            |event| matches!(event, Event::BackendFailed { operation, .. } if *operation == name)
        ));
        told.push(name);
    }
    assert_eq!(
        told,
        [
            "enlist", "observe", "acquire", "members", "renew", "release"
        ]
    );
}

#[test]
fn each_write_has_a_number_above_the_last_one_though_the_wall_clock_stands() {
    let mut bench = Bench::following(vacant(Some(2), 10));
    let mut last = bench.claim().nonce;
    bench.answer(granted(11));
    for version in 12..15 {
        bench.pass(5_000);
        assert!(last.0 < bench.renewal().nonce.0);
        last = bench.renewal().nonce;
        bench.answer(confirmed(version));
    }
}
