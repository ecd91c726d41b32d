//! What holds for any history at all.

use proptest::prelude::*;

use super::history::{History, moment};
use super::{Invariant, Jury};
use crate::executor::NodeId;
use crate::plan::{Backend, Fault, Foreign, Plan, PlannedFault, Refusal, Span, Who};
use crate::trace::{
    Answer, Ask, Deed, Down, FireDeed, Frozen, Life, Mark, Operation, Record, RequestId, Told,
    What, WorkEnd,
};

fn operation() -> impl Strategy<Value = Operation> {
    prop::sample::select(vec![
        Operation::Acquire,
        Operation::Observe,
        Operation::Release,
        Operation::Renew,
        Operation::Withdraw,
    ])
}

fn deed() -> impl Strategy<Value = Deed> {
    prop::sample::select(vec![
        Deed::Acquired,
        Deed::Renewed,
        Deed::Released,
        Deed::Expired,
        Deed::Requested,
        Deed::Foreign(Foreign::Delete),
        Deed::Foreign(Foreign::Recreate),
    ])
}

fn about_requests() -> impl Strategy<Value = What> {
    let number = 0..600_u32;
    let version = prop::option::of(0..9_u64);
    prop_oneof![
        (number.clone(), operation(), version.clone()).prop_map(|(request, operation, basis)| {
            let request = RequestId(request);
            What::Sent {
                request,
                operation,
                basis,
            }
        }),
        (number.clone(), any::<bool>()).prop_map(|(request, zombie)| {
            let request = RequestId(request);
            What::Landed { request, zombie }
        }),
        (number.clone(), 0..4).prop_map(|(request, answer)| {
            let answers = [
                Answer::Done,
                Answer::Conflict,
                Answer::Failed,
                Answer::Unknown,
            ];
            let answer = answers[usize::try_from(answer).unwrap()];
            What::Answered {
                request: RequestId(request),
                answer,
            }
        }),
        number.prop_map(|request| What::Abandoned {
            request: RequestId(request)
        }),
        (version.clone(), version.clone(), any::<bool>()).prop_map(
            |(token, version, maybe_stale)| What::Observed {
                token,
                version,
                maybe_stale
            }
        ),
        (
            deed(),
            version.clone(),
            version.clone(),
            prop::option::of(0..5_u32),
            version
        )
            .prop_map(|(deed, basis, version, holder, token)| {
                let holder = holder.map(Life);
                What::Wrote {
                    deed,
                    basis,
                    version,
                    holder,
                    token,
                }
            }),
    ]
}

fn about_leadership() -> impl Strategy<Value = What> {
    let token = 0..9_u64;
    let told = prop::sample::select(vec![
        Told::Started,
        Told::JeopardyBegan,
        Told::Draining,
        Told::Stopping,
        Told::Stopped,
        Told::Waiting,
    ]);
    let how = prop::sample::select(vec![WorkEnd::Returned, WorkEnd::Aborted, WorkEnd::Died]);
    prop_oneof![
        (token.clone(), any::<u64>(), any::<u64>()).prop_map(|(token, sent, until)| {
            let [sent, until] = [sent, until].map(crate::TrueTime::from_nanos);
            What::Leads { token, sent, until }
        }),
        (token.clone(), 0..200_000_u64, 0..200_000_u64).prop_map(|(token, sent, until)| {
            let [sent, until] = [sent, until].map(moment);
            What::Leads { token, sent, until }
        }),
        token.clone().prop_map(|token| What::LeadsNot { token }),
        (told, token.clone()).prop_map(|(event, token)| What::Told { event, token }),
        token.clone().prop_map(|token| What::WorkBegan { token }),
        token.clone().prop_map(|token| What::WorkTold { token }),
        (how, token.clone()).prop_map(|(how, token)| What::WorkEnded { how, token }),
        (any::<bool>(), token.clone())
            .prop_map(|(accepted, token)| What::Touched { accepted, token }),
        (token.clone(), token.clone()).prop_map(|(note, token)| What::NoteWanted { note, token }),
        (token.clone(), token.clone())
            .prop_map(|(note, token)| What::NoteConfirmed { note, token }),
        (prop::option::of(token.clone()), token)
            .prop_map(|(note, token)| What::NoteFound { note, token }),
    ]
}

fn about_the_world() -> impl Strategy<Value = What> {
    let frozen = prop::sample::select(vec![
        Frozen::Stopped,
        Frozen::Suspended,
        Frozen::VirtualMachine,
    ]);
    let asks = prop::sample::select(vec![Ask::Resign, Ask::ShutDown, Ask::Ineligible]);
    let fires = prop::sample::select(vec![FireDeed::Began, FireDeed::Ended, FireDeed::Missed]);
    prop_oneof![
        (0..5_u32).prop_map(|fault| What::FaultBegan { fault }),
        (0..5_u32).prop_map(|fault| What::FaultEnded { fault }),
        Just(What::Quiet),
        Just(What::End),
        (0..6_u32).prop_map(|life| What::Up { life: Life(life) }),
        Just(What::Down { how: Down::Crashed }),
        Just(What::Down { how: Down::Ended }),
        frozen.prop_map(|by| What::Frozen { by }),
        Just(What::Thawed),
        (-200_000..200_000_i64, any::<i32>()).prop_map(|(rate_ppm, slew_ppm)| {
            let slew_ppm = slew_ppm.into();
            What::Clock { rate_ppm, slew_ppm }
        }),
        (0..6_u32).prop_map(|life| What::SessionEnded { life: Life(life) }),
        asks.prop_map(|ask| What::Asked { ask }),
        Just(What::ShutDown),
        (fires, any::<u64>()).prop_map(|(deed, due_s)| What::Fire {
            deed,
            due_s,
            token: 1
        }),
        (1..100_u64).prop_map(|due_s| What::Fire {
            deed: FireDeed::Began,
            due_s,
            token: 1
        }),
        Just(What::LedgerLost { token: 1 }),
        Just(What::Seen {
            mark: Mark::Conflict
        }),
        Just(What::Panicked),
    ]
}

fn record() -> impl Strategy<Value = (u64, Option<u16>, What)> {
    let what = prop_oneof![about_requests(), about_leadership(), about_the_world()];
    (0..700_u64, prop::option::weighted(0.9, 0..4_u16), what)
}

fn plan(backend: Backend, least_once: bool) -> Plan {
    let delivery = if least_once {
        crate::plan::DeliveryPlan::AtLeastOnce
    } else {
        crate::plan::DeliveryPlan::AtMostOnce
    };
    let mut plan = History::with_cron(delivery).plan;
    plan.backend = backend;
    let with = Refusal::Throttled;
    let faults = [
        Fault::Clog { node: Who::Leader },
        Fault::Starve {
            node: Who::Follower,
            most: Span::from_secs(1),
        },
        Fault::ExpireSession { node: Who::Node(9) },
        Fault::Refuse { with },
    ];
    plan.faults = faults
        .into_iter()
        .map(|what| PlannedFault {
            at: Span::ZERO,
            lasts: None,
            what,
        })
        .collect();
    plan
}

fn judged(plan: &Plan, records: &[(u64, Option<u16>, What)]) -> Jury {
    let mut jury = Jury::new(plan.facts());
    let mut ms = 0;
    for (later, node, what) in records.iter().copied() {
        ms += later;
        let node = node.map(NodeId);
        jury.see(&Record {
            at: moment(ms),
            node,
            what,
        });
    }
    jury
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_history_makes_the_jury_panic(
        records in prop::collection::vec(record(), 0..300),
        backend in prop::sample::select(Backend::ALL.to_vec()),
        least_once in any::<bool>(),
    ) {
        let jury = judged(&plan(backend, least_once), &records);
        prop_assert_eq!(jury.breach(), jury.breaches().first());
        let overlaps = jury.overlaps();
        prop_assert!(overlaps.longest <= overlaps.total);
    }

    #[test]
    fn two_that_lead_at_once_are_always_found(
        began in 1_000..20_000_u64,
        after in 1..4_999_u64,
        nodes in prop::sample::select(vec![(0, 1), (1, 0), (2, 1)]),
        backend in prop::sample::select(Backend::ALL.to_vec()),
        before in prop::collection::vec(about_requests(), 0..20),
    ) {
        let mut history = History::of(backend);
        for what in before {
            history.at(500, 2, what);
        }
        history.elects(began, nodes.0);
        history.elects(began + after, nodes.1);
        prop_assert!(history.broken().contains(&Invariant::SingleLeader));
        let overlap = history.judged().overlaps();
        // Nothing was told after both began, so that nothing has been added up yet.
        prop_assert_eq!(overlap.count, 0);
    }

    #[test]
    fn one_that_leads_after_the_other_is_never_found(
        began in 1_000..20_000_u64,
        lasts in 3..4_999_u64,
        pause in 1..10_000_u64,
        backend in prop::sample::select(Backend::ALL.to_vec()),
    ) {
        let mut history = History::of(backend);
        history.elects(began, 0).stops(began + lasts, 0);
        history.elects(began + lasts + pause, 1);
        prop_assert!(!history.broken().contains(&Invariant::SingleLeader));
    }
}
