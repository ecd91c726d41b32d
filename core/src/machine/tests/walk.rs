//! Random inputs, also such as no honest store gives: nothing panics, nothing spins, nothing grows.

use proptest::prelude::*;

use super::bench::*;
use crate::backend::{
    Acquired, Grant, Held, Hint, Hold, Holder, LockKind, LockState, Observation, OperatorRequest,
    Proof, ReleaseMark, Released, RenewalReceipt, Renewed, RequestKind, Vacancy,
};
use crate::machine::{
    Eligibility, Failure, Input, Membership, OnMissing, Operation, Outcome, Settings, WorkEnd,
};
use crate::{Effect, ErrorKind, Identity, Incarnation, Nanos, Nonce, Version};
use std::time::Duration;

/// A number that decides all that is random about one step.
type Dice = u64;

fn pick<T: Clone>(dice: Dice, shift: u32, from: &[T]) -> T {
    let index = usize::try_from((dice >> shift) & 0xff).unwrap() % from.len();
    from[index].clone()
}

fn request(dice: Dice) -> Option<OperatorRequest> {
    let kinds = [RequestKind::Pause, RequestKind::Resign, RequestKind::Resume];
    (dice.is_multiple_of(8)).then(|| OperatorRequest {
        kind: pick(dice, 3, &kinds),
        token: Some(token(pick(dice, 5, &[9, 10, 20]))),
    })
}

/// Something that a store may show, around the version that is known.
fn observation(bench: &Bench, dice: Dice) -> Observation {
    let known = bench
        .machine
        .observation()
        .and_then(|seen| seen.version)
        .map_or(10, |version| version.0);
    let identity = pick(dice, 8, &[LOCK, LOCK, LOCK, Identity(8)]);
    let nonce = match &bench.call {
        Some((_, Operation::Renew(renewal))) if dice & 1 == 0 => renewal.nonce,
        _ => Nonce(pick(dice, 10, &[1, 2, 1_700_000_000_000_000])),
    };
    let held = LockState::Held(Held {
        duration: pick(
            dice,
            12,
            &[
                Some(Duration::from_secs(15)),
                None,
                Some(Duration::from_secs(40)),
            ],
        ),
        holder: Holder::from(&candidate(pick(dice, 14, &[1, 1, 2, 3]))),
        identity,
        nonce,
    });
    let vacant = LockState::Vacant {
        identity,
        mark: (dice & 2 == 0).then_some(ReleaseMark {
            by: Incarnation::from_bits(2),
            identity: LOCK,
        }),
    };
    let lock = pick(
        dice,
        16,
        &[
            held.clone(),
            held.clone(),
            held,
            vacant,
            LockState::Missing,
            LockState::NeverHeld,
        ],
    );
    let version = Version(
        (known + pick(dice, 20, &[0, 1, 1, 2, 5]))
            .saturating_sub(u64::from(dice.is_multiple_of(5))),
    );
    Observation {
        request: request(dice >> 24),
        version: (!dice.is_multiple_of(13)).then_some(version),
        ..Observation::of(lock)
    }
}

fn failure(dice: Dice) -> Outcome {
    let kinds = [
        ErrorKind::Timeout,
        ErrorKind::Unavailable,
        ErrorKind::PermissionDenied,
        ErrorKind::Throttled {
            retry_after: Some(Duration::from_secs(20)),
        },
    ];
    Outcome::Failed(Failure {
        effect: pick(dice, 2, &[Effect::Unknown, Effect::NotApplied]),
        kind: pick(dice, 4, &kinds),
    })
}

fn answer(bench: &Bench, operation: &Operation, dice: Dice) -> Outcome {
    if dice.is_multiple_of(6) {
        return failure(dice >> 8);
    }
    let seen = observation(bench, dice >> 8);
    let maybe = (dice & 2 == 0).then_some(seen.clone());
    let version = Version(10 + (dice >> 40) % 100);
    match operation {
        Operation::Acquire(_) if dice & 0x70 == 0 => Outcome::Acquired(Acquired::Busy(maybe)),
        Operation::Acquire(_) => Outcome::Acquired(Acquired::Granted(Grant {
            hold: Hold {
                identity: LOCK,
                token: token(version.0),
                version,
            },
            note: None,
            request: request(dice >> 30),
            standing: None,
            vacancy: pick(
                dice,
                32,
                &[
                    Vacancy::AsClaimed,
                    Vacancy::Proven,
                    Vacancy::Unexplained {
                        longest_lease: Some(Duration::from_secs(20)),
                    },
                ],
            ),
        })),
        Operation::Enlist | Operation::Withdraw => Outcome::Done,
        Operation::Members => Outcome::Members(Vec::new()),
        Operation::Observe => Outcome::Observed(seen),
        Operation::Release(_) if dice & 1 == 0 => Outcome::Released(Released::Vacated),
        Operation::Release(_) => Outcome::Released(Released::Conflict(maybe)),
        Operation::Renew(_) if dice & 0x30 == 0 => Outcome::Renewed(Renewed::Conflict(maybe)),
        Operation::Renew(renewal) => Outcome::Renewed(Renewed::Confirmed(RenewalReceipt {
            request: request(dice >> 30),
            standing: None,
            version: Version(renewal.hold.version.0 + 1),
        })),
    }
}

fn hint(bench: &Bench, dice: Dice) -> Hint {
    pick(
        dice,
        0,
        &[
            Hint::Changed,
            Hint::Disconnected,
            Hint::MembersChanged,
            Hint::Seen(observation(bench, dice >> 8)),
            Hint::Seen(observation(bench, dice >> 8)),
            Hint::Watching(dice & 0x100 == 0),
        ],
    )
}

fn input(bench: &mut Bench, dice: Dice) -> Input {
    let rest = dice >> 8;
    match dice % 64 {
        0..30 => match bench.call.take() {
            Some((id, operation)) => Input::Completed {
                operation: id,
                outcome: answer(bench, &operation, rest),
            },
            None => Input::Tick,
        },
        30..38 => Input::Hinted(hint(bench, rest)),
        38 => Input::GiveWay(Duration::from_secs(rest % 20)),
        39 => Input::Resign,
        40 => Input::SetEligibility(Eligibility::Ineligible),
        41..44 => Input::SetEligibility(Eligibility::Eligible),
        44 => Input::WatchdogFired,
        45..48 => Input::WriteNote(note(pick(rest, 0, &["a", "b"]))),
        48..52 if bench.work.is_some() && (bench.aborted || !bench.told.is_empty()) => {
            bench.work = None;
            Input::WorkEnded(WorkEnd::Returned)
        }
        52 if bench.work.is_some() => {
            bench.work = None;
            Input::WorkEnded(WorkEnd::Panicked)
        }
        53 if rest.is_multiple_of(16) => Input::ShutDown,
        _ => {
            let scale = pick(rest, 0, &[1, 10, 100, 1_000, 5_000]);
            let jump = rest.is_multiple_of(29);
            let passed = (rest >> 8) % 1_000 * scale;
            bench.move_clocks(passed + if jump { 20_000 } else { 0 }, passed);
            Input::Tick
        }
    }
}

/// Two benches that were given the same are the same; what wants to be woken at once has something to do.
fn step(bench: &mut Bench, dice: Dice) {
    let input = input(bench, dice);
    let before = bench.work;
    let mut twin = bench.clone();
    bench.give(input.clone());
    twin.give(input);
    assert!(*bench == twin, "clones differ");
    if let (None, Some(_)) = (before, bench.work) {
        bench.told.clear();
    }
    for again in 0.. {
        if bench.machine.wake_after(bench.now) != Some(Nanos::ZERO) {
            break;
        }
        assert!(again < 4, "woken at once without end: {:?}", bench.machine);
        bench.give(Input::Tick);
    }
    bench.events.clear();
    bench.notes.clear();
}

fn kinds() -> impl Strategy<Value = Settings> {
    let gap = Duration::from_secs(3);
    (
        prop_oneof![Just(LockKind::Leased), Just(LockKind::Session)],
        prop_oneof![Just(Proof::Itself), Just(Proof::Later { gap })],
        prop_oneof![Just(OnMissing::Wait), Just(OnMissing::AcquireAtOnce)],
        prop_oneof![Just(Membership::Followed), Just(Membership::Ignored)],
    )
        .prop_map(|(kind, proof, on_missing, membership)| Settings {
            membership,
            on_missing,
            proof,
            ..settings(kind)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_inputs_leave_a_machine_that_keeps_its_invariants_and_does_not_spin(
        settings in kinds(),
        dice in prop::collection::vec(any::<u64>(), 1..400),
    ) {
        let mut bench = Bench::with(settings);
        let mut newest = None;
        for dice in dice {
            let before = bench.work;
            step(&mut bench, dice);
            if let (None, Some(token)) = (before, bench.work) {
                assert!(newest < Some(token), "a token is used twice");
                newest = Some(token);
            }
        }
    }

    #[test]
    fn whatever_happened_before_shutting_down_ends(
        settings in kinds(),
        dice in prop::collection::vec(any::<u64>(), 1..100),
        answers in prop::collection::vec(any::<u64>(), 100..101),
    ) {
        let mut bench = Bench::with(settings);
        for dice in dice {
            step(&mut bench, dice);
        }
        bench.give(Input::ShutDown);
        for dice in answers {
            if bench.work.is_some() && bench.aborted {
                bench.stopped();
            }
            if dice.is_multiple_of(2)
                && let Some((_, operation)) = bench.call.clone()
            {
                let outcome = answer(&bench, &operation, dice >> 8);
                bench.answer(outcome);
            }
            bench.pass(2_000);
        }
        assert!(bench.ended, "{:?}", bench.machine);
    }
}
