use std::sync::Arc;

use super::desk::{Desk, asks, lease, puts};
use crate::peers::GoTiming;
use crate::peers::client_go::{ClientGo, GoConfig};
use crate::peers::model::{Answer, Ask, Output};
use crate::plan::Span;
use tenure_core::Version;

fn candidate(release_on_cancel: bool, timing: GoTiming) -> Desk<ClientGo> {
    Desk::new(ClientGo::new(GoConfig {
        identity: Arc::from("me"),
        release_on_cancel,
        request_timeout: Some(Span::from_secs(5)),
        timing,
    }))
}

/// One that has just got the lock, at version 1, and whose first renewal made version 2.
fn leader(release_on_cancel: bool) -> Desk<ClientGo> {
    let mut desk = candidate(release_on_cancel, GoTiming::STANDARD);
    assert_eq!(asks(&desk.wait(0)), Some(&Ask::Get));
    assert!(matches!(
        asks(&desk.answer(Answer::Missing)),
        Some(Ask::Create(_))
    ));
    let outputs = desk.answer(Answer::Written(Version(1)));
    assert_eq!(outputs.first(), Some(&Output::Start));
    assert_eq!(puts(&outputs), Some((1, Some("me"))));
    assert_eq!(desk.answer(Answer::Written(Version(2))), []);
    desk
}

#[test]
fn gives_up_the_retry_period_and_the_renew_deadline_after_its_last_success() {
    let mut desk = leader(false);
    assert_eq!(desk.due(), Some(2_000));
    assert_eq!(puts(&desk.wait(2_000)), Some((2, Some("me"))));
    assert_eq!(asks(&desk.wait(5_000)), Some(&Ask::Get));
    assert_eq!(desk.wait(4_999), []);
    assert!(desk.wait(1).ends_with(&[Output::Stop, Output::Ended]));
}

#[test]
fn works_on_while_the_read_before_its_release_hangs() {
    let mut desk = leader(true);
    desk.wait(2_000);
    desk.wait(5_000);
    assert_eq!(asks(&desk.wait(5_000)), Some(&Ask::Get));
    assert_eq!(desk.wait(4_999), []);
    assert!(desk.wait(1).contains(&Output::Stop));
}

#[test]
fn takes_the_lock_from_a_new_holder_that_its_release_has_just_read() {
    let mut desk = leader(true);
    assert_eq!(asks(&desk.shut_down()), Some(&Ask::Get));
    let outputs = desk.answer(lease("somebody else", 15, 9));
    assert_eq!(puts(&outputs), Some((9, None)));
    let outputs = desk.answer(Answer::Written(Version(10)));
    assert_eq!(outputs, [Output::Stop, Output::Ended]);
}

#[test]
fn works_on_until_its_deadline_though_it_has_seen_another_holder() {
    let mut desk = leader(false);
    desk.wait(2_000);
    assert_eq!(asks(&desk.answer(Answer::Conflict)), Some(&Ask::Get));
    assert_eq!(desk.answer(lease("somebody else", 15, 9)), []);
    for _ in 0..4 {
        let wait = desk.due().unwrap();
        assert_eq!(asks(&desk.wait(wait)), Some(&Ask::Get));
        assert_eq!(desk.answer(lease("somebody else", 15, 9)), []);
    }
    let wait = desk.due().unwrap();
    assert!(desk.wait(wait).contains(&Output::Stop));
}

#[test]
fn writes_a_lease_duration_of_whole_seconds() {
    let timing = GoTiming {
        lease_duration: Span::from_millis(1_900),
        ..GoTiming::STANDARD
    };
    let mut desk = candidate(false, timing);
    desk.wait(0);
    let outputs = desk.answer(Answer::Missing);
    let Some(Ask::Create(lease)) = asks(&outputs) else {
        panic!("{outputs:?}");
    };
    assert_eq!(lease.duration.get(), 1_000_000_000);
}

#[test]
fn takes_who_has_its_name_for_itself() {
    let mut desk = candidate(false, GoTiming::STANDARD);
    desk.wait(0);
    assert_eq!(
        puts(&desk.answer(lease("me", 15, 4))),
        Some((4, Some("me")))
    );
}

#[test]
fn waits_until_a_record_has_not_changed_for_its_duration() {
    let mut desk = candidate(false, GoTiming::STANDARD);
    desk.wait(0);
    for (waits, version) in [(14_000, 4), (14_000, 5)] {
        assert_eq!(desk.answer(lease("somebody else", 15, version)), []);
        desk.wait(waits);
    }
    assert_eq!(desk.answer(lease("somebody else", 15, 5)), []);
    desk.wait(2_000);
    let outputs = desk.answer(lease("somebody else", 15, 5));
    assert_eq!(puts(&outputs), Some((5, Some("me"))));
}
