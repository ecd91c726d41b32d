use std::sync::Arc;

use super::desk::{Desk, asks, lease, puts};
use crate::peers::camel::{Camel, CamelConfig};
use crate::peers::model::{Answer, Ask, Output};
use crate::plan::Span;
use tenure_core::Version;

fn candidate() -> Desk<Camel> {
    Desk::new(Camel::new(CamelConfig {
        lease_duration: Span::from_secs(15),
        pod: Arc::from("me"),
    }))
}

fn pods(names: &[&str]) -> Answer {
    Answer::Pods(names.iter().map(|name| Arc::from(*name)).collect())
}

/// One that leads and has just sent a renewal, which a Lease that was renewed long ago makes it do at its first poll as the leader.
fn leader() -> Desk<Camel> {
    let mut desk = candidate();
    assert_eq!(asks(&desk.wait(0)), Some(&Ask::Get));
    assert_eq!(asks(&desk.answer(Answer::Missing)), Some(&Ask::Pods));
    let outputs = desk.answer(pods(&["me"]));
    assert!(matches!(asks(&outputs), Some(Ask::Create(_))));
    assert_eq!(
        asks(&desk.answer(Answer::Written(Version(1)))),
        Some(&Ask::Get)
    );
    desk.answer(lease("me", 15, 1));
    let outputs = desk.answer(pods(&["me"]));
    assert_eq!(puts(&outputs), Some((1, Some("me"))));
    desk
}

#[test]
fn one_refused_renewal_ends_its_election_for_good() {
    for refusal in [Answer::Conflict, Answer::Failed, Answer::Missing] {
        let mut desk = leader();
        assert_eq!(desk.answer(refusal), []);
        assert_eq!(desk.due(), Some(995));
        assert_eq!(desk.wait(995), [Output::Start]);
        let wait = desk.due().unwrap();
        assert!((8_000..=9_010).contains(&wait), "{wait}");
        assert_eq!(desk.wait(wait), [Output::Stop]);
        assert_eq!(desk.due(), None);
        assert_eq!(desk.wait(1_000_000), []);
    }
}

#[test]
fn a_belief_of_less_than_a_second_starts_nothing() {
    let mut desk = leader();
    desk.answer(Answer::Written(Version(2)));
    desk.wait(900);
    assert_eq!(desk.shut_down(), [Output::Ended]);
}

#[test]
fn a_holder_whose_pod_is_left_ready_is_never_replaced() {
    let mut desk = candidate();
    desk.wait(0);
    for _ in 0..100 {
        assert_eq!(asks(&desk.answer(lease("dead", 15, 1))), Some(&Ask::Pods));
        assert_eq!(desk.answer(pods(&["dead", "me"])), []);
        let wait = desk.due().unwrap();
        assert_eq!(asks(&desk.wait(wait)), Some(&Ask::Get));
    }
}

#[test]
fn waits_for_the_lease_duration_when_it_replaces_a_holder() {
    let mut desk = candidate();
    desk.wait(0);
    desk.answer(lease("gone", 15, 1));
    assert_eq!(puts(&desk.answer(pods(&["me"]))), Some((1, Some("me"))));
    assert_eq!(desk.answer(Answer::Written(Version(2))), []);
    assert_eq!(desk.due(), Some(15_000));
    desk.wait(15_000);
    desk.answer(lease("me", 15, 100_015));
    assert_eq!(desk.answer(pods(&["me"])), []);
    assert_eq!(desk.wait(1_000), [Output::Start]);
}

#[test]
fn stops_at_its_next_poll_when_the_lease_was_deleted() {
    let mut desk = leader();
    desk.answer(Answer::Written(Version(2)));
    assert_eq!(desk.wait(995), [Output::Start]);
    assert_eq!(desk.due(), Some(1_005));
    desk.wait(1_005);
    desk.answer(Answer::Missing);
    let outputs = desk.answer(pods(&["me"]));
    assert_eq!(outputs.first(), Some(&Output::Stop));
}
