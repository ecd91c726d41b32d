//! What operators ask through the lock.

use super::bench::*;
use crate::FencingToken;
use crate::Version;
use crate::backend::{
    Acquired, Grant, Hint, LockKind, OperatorRequest, Released, RenewalReceipt, Renewed,
    RequestKind,
};
use crate::event::{Event, StopReason, WaitReason};
use crate::machine::{Input, Outcome, State};

fn request(kind: RequestKind, token: Option<FencingToken>) -> Option<OperatorRequest> {
    Some(OperatorRequest { kind, token })
}

fn pause() -> Option<OperatorRequest> {
    request(RequestKind::Pause, Some(token(10)))
}

fn receipt(bench: &mut Bench, request: Option<OperatorRequest>) {
    assert_eq!(bench.call(), "renew");
    bench.answer(Outcome::Renewed(Renewed::Confirmed(RenewalReceipt {
        request,
        standing: None,
        version: Version(11),
    })));
}

#[test]
fn a_pause_is_seen_in_a_receipt_a_read_a_conflict_and_a_hint() {
    let ways: [fn(&mut Bench); 4] = [
        |bench| {
            bench.pass(5_000);
            receipt(bench, pause());
        },
        |bench| {
            bench.give(Input::Hinted(Hint::Changed));
            bench.observed(with_request(pause(), held(1, 1, 11)));
        },
        |bench| {
            bench.pass(5_000);
            bench.conflict(Some(with_request(pause(), held(1, 1, 11))));
        },
        |bench| {
            bench.give(Input::Hinted(Hint::Seen(with_request(
                pause(),
                held(1, 1, 11),
            ))))
        },
    ];
    for way in ways {
        let mut bench = Bench::leading_leased();
        way(&mut bench);
        assert_eq!(bench.told, [StopReason::Paused]);
        assert_eq!(bench.machine.state(), State::Draining);
    }
}

#[test]
fn nobody_tries_while_the_election_is_paused_and_everybody_after_it() {
    for kind in [LockKind::Leased, LockKind::Session] {
        let mut bench = Bench::with(settings(kind));
        let paused = with_request(pause(), vacant(Some(2), 10));
        match kind {
            LockKind::Leased => bench.observed(paused),
            LockKind::Session => {
                bench.busy(Some(paused));
                assert_eq!(bench.call(), "withdraw");
                bench.answer(Outcome::Done);
            }
        }
        assert!(bench.heard(|event| matches!(
            event,
            Event::Waiting {
                reason: WaitReason::Paused,
                ..
            }
        )));
        let calls = bench.calls_in(60_000, |operation| match operation.name() {
            "observe" => Outcome::Observed(with_request(pause(), vacant(Some(2), 10))),
            other => panic!("{other} while paused"),
        });
        assert!(calls < 40, "{calls}");
        bench.give(Input::Hinted(Hint::Changed));
        bench.observed(vacant(Some(2), 11));
        assert_eq!(bench.call(), "acquire", "{kind:?}");
    }
}

#[test]
fn a_pause_that_is_seen_first_in_a_grant_starts_nothing() {
    for kind in [LockKind::Leased, LockKind::Session] {
        let mut bench = Bench::claiming(settings(kind));
        bench.answer(Outcome::Acquired(Acquired::Granted(Grant {
            request: pause(),
            standing: None,
            ..grant(11)
        })));
        assert_eq!(bench.work, None);
        assert!(bench.heard(|event| matches!(
            event,
            Event::Waiting {
                reason: WaitReason::Paused,
                ..
            }
        )));
        assert_eq!(bench.call(), "release");
        bench.answer(Outcome::Released(Released::Vacated));
        bench.calls_in(60_000, |operation| match operation.name() {
            "observe" => Outcome::Observed(with_request(pause(), vacant(Some(1), 12))),
            "withdraw" => Outcome::Done,
            other => panic!("{other} while paused, {kind:?}"),
        });
    }
}

#[test]
fn a_pause_stands_although_later_receipts_do_not_repeat_it() {
    let mut bench = Bench::leading_session();
    bench.pass(5_000);
    receipt(&mut bench, pause());
    bench.pass(5_000);
    receipt(&mut bench, None);
    bench.stopped();
    bench.answer(Outcome::Released(Released::Vacated));
    assert_ne!(bench.call(), "acquire");
}

#[test]
fn a_resignation_concerns_the_leadership_that_it_names_only() {
    for (named, told) in [
        (Some(token(10)), vec![StopReason::Resigned]),
        (Some(token(9)), Vec::new()),
        (None, Vec::new()),
    ] {
        let mut bench = Bench::leading_leased();
        bench.pass(5_000);
        receipt(&mut bench, request(RequestKind::Resign, named));
        assert_eq!(bench.told, told);
    }
}

#[test]
fn a_resignation_that_still_stands_does_not_stop_the_next_leadership() {
    let mut bench = Bench::following(with_request(
        request(RequestKind::Resign, Some(token(10))),
        vacant(Some(2), 12),
    ));
    bench.answer(Outcome::Acquired(Acquired::Granted(Grant {
        request: request(RequestKind::Resign, Some(token(10))),
        standing: None,
        ..grant(13)
    })));
    assert_eq!(bench.work, Some(token(13)));
    assert!(bench.told.is_empty());
}

#[test]
fn a_resume_that_is_seen_stops_nobody() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    receipt(&mut bench, request(RequestKind::Resume, Some(token(10))));
    assert!(bench.leads());
    assert!(bench.told.is_empty());
}

#[test]
fn to_resign_without_leading_does_nothing() {
    let mut bench = Bench::following(held(2, 1, 10));
    bench.give(Input::Resign);
    assert_eq!(bench.machine.state(), State::Following);
    bench.give(Input::Hinted(Hint::Seen(vacant(Some(2), 11))));
    assert_eq!(bench.call(), "acquire");
}

#[test]
fn a_pause_is_told_once_to_who_waits_and_nothing_else_is() {
    let waits = |bench: &mut Bench| {
        bench.heard(|event| {
            matches!(
                event,
                Event::Waiting {
                    reason: WaitReason::Paused,
                    ..
                }
            )
        })
    };
    let mut bench = Bench::following(held(2, 1, 10));
    assert!(!waits(&mut bench));
    for (version, told) in [(11, true), (12, false)] {
        let seen = with_request(pause(), held(2, 1, version));
        bench.give(Input::Hinted(Hint::Seen(seen)));
        assert_eq!(waits(&mut bench), told);
    }
}
