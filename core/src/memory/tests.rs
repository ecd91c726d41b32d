//! What is particular to the stores in memory: faults, effects without callers, strangers' writes, hints. What every backend
//! promises is in the conformance suite.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::*;
use crate::backend::{
    Acquired, Grant, Hint, LockBackend, LockState, Note, OperatorRequest, Released, Renewed,
    RequestKind, Submitted, Vacancy,
};
use crate::testing::{Contender, Executor, block_on, poll_once};
use crate::{Effect, ElectionName, ErrorKind, Nonce};

fn election() -> ElectionName {
    ElectionName::new("nightly").unwrap()
}

fn leased() -> LeasedStore {
    LeasedStore::new(election())
}

fn sessions() -> SessionStore {
    SessionStore::new(election(), SessionMode::EndsWhenTold)
}

fn contender(lock: MemoryLock, bits: u128) -> (Contender, Arc<MemoryLock>) {
    let lock = Arc::new(lock);
    let shared = Arc::clone(&lock);
    (Contender::new(shared, "pod", bits).unwrap(), lock)
}

fn leads(contender: &Contender) -> Grant {
    block_on(contender.try_lead())
        .unwrap()
        .expect("the lock is free")
}

#[test]
fn a_claim_wins_only_from_the_version_it_was_decided_on() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let (second, _) = contender(store.handle(), 2);
    let from_nothing = second.claim(None);
    let grant = leads(&first);
    assert!(matches!(
        block_on(second.lock.acquire(&from_nothing)).unwrap(),
        Acquired::Busy(Some(seen)) if seen.version == Some(grant.hold.version)
    ));
    assert!(leads(&second).hold.token > grant.hold.token);
    assert!(matches!(
        block_on(first.lock.renew(&first.renewal(grant.hold))).unwrap(),
        Renewed::Conflict(Some(seen)) if seen.holder().unwrap().is(&second.candidate)
    ));
}

#[test]
fn tokens_grow_over_deletion_and_identities_differ() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let before = leads(&first).hold;
    store.delete();
    assert_eq!(store.observation().lock, LockState::Missing);
    let after = leads(&first).hold;
    assert!(after.token > before.token);
    assert_ne!(after.identity, before.identity);
}

#[test]
fn a_label_bumps_the_version_and_leaves_the_holder() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let grant = leads(&first);
    let before = store.observation();
    store.edit_label();
    let after = store.observation();
    assert_eq!(after.lock, before.lock);
    assert!(after.version > before.version);
    assert!(matches!(
        block_on(first.lock.renew(&first.renewal(grant.hold))).unwrap(),
        Renewed::Conflict(_)
    ));
}

#[test]
fn a_recreated_record_carries_a_mark_that_names_another_object() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let hold = leads(&first).hold;
    let release = first.releasing(hold);
    assert_eq!(
        block_on(first.lock.release(&release)).unwrap(),
        Released::Vacated
    );
    store.delete();
    store.recreate();
    let LockState::Vacant { identity, mark } = store.observation().lock else {
        panic!("the record came back without holder");
    };
    let mark = mark.expect("the mark was copied");
    assert_eq!(mark.by, first.candidate.incarnation);
    assert_eq!(mark.identity, hold.identity);
    assert_ne!(identity, hold.identity);
}

#[test]
fn an_emptied_record_has_no_mark_and_an_unreadable_one_is_not_free() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    leads(&first);
    store.empty();
    assert!(matches!(
        store.observation().lock,
        LockState::Vacant { mark: None, .. }
    ));
    store.corrupt();
    assert!(matches!(
        store.observation().lock,
        LockState::Held(held) if held.duration.is_none() && held.holder.incarnation().is_none()
    ));
}

#[test]
fn a_foreign_holder_keeps_the_newest_token() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let hold = leads(&first).hold;
    store.overwrite_holder("pod-7", Nonce(1), None);
    let seen = store.observation();
    assert_eq!(seen.holder().unwrap().as_str(), "pod-7");
    assert_eq!(seen.token, Some(hold.token));
}

#[test]
fn no_token_follows_the_last_one() {
    let store = LeasedStore::starting_at(election(), i64::MAX.unsigned_abs());
    let (first, _) = contender(store.handle(), 1);
    let error = block_on(first.try_lead()).unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::Exhausted, Effect::NotApplied)
    );
}

#[test]
fn a_lost_reply_lands_and_a_lost_request_does_not() {
    let store = leased();
    let (first, handle) = contender(store.handle(), 1);
    for (fault, lands) in [(Fault::LoseRequest, false), (Fault::LoseReply, true)] {
        handle.inject(PlannedFault::next(Operation::Acquire, fault));
        let error = block_on(first.acquire()).unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown);
        assert_eq!(store.observation().holder().is_some(), lands);
    }
    assert_eq!(store.calls(Operation::Acquire), 2);
}

#[test]
fn a_delayed_request_lands_when_its_caller_has_gone() {
    let store = leased();
    let (first, handle) = contender(store.handle(), 1);
    let gate = Gate::new();
    handle.inject(PlannedFault::next(
        Operation::Acquire,
        Fault::Delay(gate.clone()),
    ));
    let claim = first.claim(None);
    {
        let mut call = pin!(first.lock.acquire(&claim));
        assert!(poll_once(call.as_mut()).is_pending());
    }
    assert_eq!(
        (store.observation().lock, gate.waiting()),
        (LockState::Missing, 1)
    );
    gate.open();
    assert!(store.observation().holder().unwrap().is(&first.candidate));
}

#[test]
fn a_future_that_was_never_polled_sends_nothing() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    drop(first.lock.acquire(&first.claim(None)));
    assert_eq!(store.calls(Operation::Acquire), 0);
}

#[test]
fn a_delayed_answer_arrives_when_the_gate_opens() {
    let store = leased();
    let (first, handle) = contender(store.handle(), 1);
    let gate = Gate::new();
    handle.inject(PlannedFault::next(
        Operation::Acquire,
        Fault::DelayReply(gate.clone()),
    ));
    let claim = first.claim(None);
    let mut call = pin!(first.lock.acquire(&claim));
    assert!(poll_once(call.as_mut()).is_pending());
    assert!(store.observation().holder().is_some());
    gate.open();
    assert!(matches!(
        poll_once(call),
        Poll::Ready(Ok(Acquired::Granted(_)))
    ));
}

#[test]
fn a_late_or_doubled_write_fails_its_comparison() {
    let store = leased();
    let (first, handle) = contender(store.handle(), 1);
    let (second, _) = contender(store.handle(), 2);
    let late = Gate::new();
    handle.inject(PlannedFault::next(
        Operation::Acquire,
        Fault::LandLater(late.clone()),
    ));
    block_on(first.acquire()).unwrap_err();
    let hold = leads(&second).hold;
    late.open();
    assert!(store.observation().holder().unwrap().is(&second.candidate));

    let again = Gate::new();
    store.inject(PlannedFault::next(
        Operation::Release,
        Fault::Duplicate(again.clone()),
    ));
    block_on(second.lock.release(&second.releasing(hold))).unwrap();
    leads(&first);
    again.open();
    assert!(store.observation().holder().unwrap().is(&first.candidate));
}

#[test]
fn a_stale_read_shows_what_was_before_the_last_change() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    leads(&first);
    store.inject(PlannedFault::next(Operation::Observe, Fault::Stale));
    assert_eq!(block_on(first.observe()).unwrap().lock, LockState::Missing);
    assert!(block_on(first.observe()).unwrap().holder().is_some());
}

#[test]
fn a_refusal_changes_nothing_and_says_so() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let kind = ErrorKind::Throttled { retry_after: None };
    store.inject(PlannedFault::next(Operation::Acquire, Fault::Refuse(kind)));
    let error = block_on(first.acquire()).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (kind, Effect::NotApplied));
    assert_eq!(store.observation().lock, LockState::Missing);
}

#[test]
fn handles_are_told_in_the_order_in_which_they_began_to_wait() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let order: Arc<std::sync::Mutex<Vec<usize>>> = Arc::default();
    let mut executor = Executor::new();
    for waiter in [2, 0, 1] {
        let (handle, order) = (store.handle(), Arc::clone(&order));
        executor.spawn(async move {
            assert_eq!(handle.changed().await, Hint::Watching(true));
            assert_eq!(handle.changed().await, Hint::Changed);
            order.lock().unwrap().push(waiter);
        });
    }
    assert_eq!(executor.run_until_stalled(), 3);
    leads(&first);
    assert_eq!(executor.run_until_stalled(), 0);
    assert_eq!(*order.lock().unwrap(), [2, 0, 1]);
}

#[test]
fn a_store_that_tells_nothing_says_that_it_does_not() {
    let store = leased();
    let handle = store.handle();
    assert_eq!(block_on(handle.changed()), Hint::Watching(true));
    store.set_watch(Watch::Off);
    assert_eq!(block_on(handle.changed()), Hint::Watching(false));
    store.edit_label();
    assert!(poll_once(pin!(handle.changed())).is_pending());
    store.set_watch(Watch::Observations);
    assert_eq!(block_on(handle.changed()), Hint::Watching(true));
    store.edit_label();
    assert_eq!(block_on(handle.changed()), Hint::Seen(store.observation()));
    store.disconnect(handle.session());
    assert_eq!(block_on(handle.changed()), Hint::Disconnected);
}

#[test]
fn two_stores_with_the_same_history_are_equal() {
    let run = || {
        let store = leased();
        let (first, _) = contender(store.handle(), 1);
        leads(&first);
        store.edit_label();
        store.state()
    };
    assert_eq!(run(), run());
    let store = leased();
    store.edit_label();
    assert_ne!(run(), store.state());
}

#[test]
fn a_queue_grants_first_come_first_and_tokens_grow() {
    let store = sessions();
    let (first, _) = contender(store.handle(), 1);
    let (second, _) = contender(store.handle(), 2);
    let (third, _) = contender(store.handle(), 3);
    let hold = leads(&first).hold;
    assert_eq!(block_on(second.try_lead()).unwrap(), None);
    assert_eq!(block_on(third.try_lead()).unwrap(), None);
    block_on(first.lock.release(&first.releasing(hold))).unwrap();
    assert_eq!(block_on(third.try_lead()).unwrap(), None);
    let next = leads(&second);
    assert!(next.hold.token > hold.token);
    assert_eq!(next.vacancy, Vacancy::Proven);
    block_on(second.lock.withdraw(&second.candidate)).unwrap();
    assert!(leads(&third).hold.token > next.hold.token);
}

#[test]
fn a_session_that_ends_frees_its_lock_and_keeps_its_note() {
    let store = sessions();
    let (first, handle) = contender(store.handle(), 1);
    let (second, waiter) = contender(store.handle(), 2);
    let hold = leads(&first).hold;
    let note = Note::new(b"three fires done").unwrap();
    let mut renewal = first.renewal(hold);
    renewal.note = Some(note.clone());
    block_on(first.lock.renew(&renewal)).unwrap();
    assert_eq!(block_on(waiter.changed()), Hint::Watching(true));
    assert_eq!(block_on(second.try_lead()).unwrap(), None);
    store.end_session(handle.session());
    assert_eq!(block_on(waiter.changed()), Hint::Changed);
    assert!(matches!(
        block_on(first.lock.renew(&renewal)).unwrap(),
        Renewed::Conflict(_)
    ));
    assert_eq!(leads(&second).note, Some(note));
}

#[test]
fn a_crash_ends_a_kernels_lock_at_once_and_a_servers_when_told() {
    let server = sessions();
    let kernel = SessionStore::new(election(), SessionMode::EndsWithHandle);
    for (store, freed) in [(server, false), (kernel, true)] {
        let (first, handle) = contender(store.handle(), 1);
        let (second, _) = contender(store.handle(), 2);
        leads(&first);
        assert_eq!(block_on(second.try_lead()).unwrap(), None);
        let session = handle.session();
        drop((first, handle));
        assert_eq!(block_on(second.try_lead()).unwrap().is_some(), freed);
        store.end_session(session);
        assert!(block_on(second.try_lead()).unwrap().is_some());
    }
}

#[test]
fn a_request_of_an_ended_session_gets_no_lock() {
    let store = sessions();
    let (first, handle) = contender(store.handle(), 1);
    let gate = Gate::new();
    handle.inject(PlannedFault::next(
        Operation::Acquire,
        Fault::LandLater(gate.clone()),
    ));
    block_on(first.acquire()).unwrap_err();
    store.end_session(handle.session());
    gate.open();
    assert_eq!(store.observation().lock, LockState::NeverHeld);
}

#[test]
fn a_node_that_may_have_been_led_on_is_never_granted_again() {
    let store = sessions();
    let (first, _) = contender(store.handle(), 1);
    let before = leads(&first).hold;
    assert!(leads(&first).hold.token > before.token);
}

#[test]
fn a_vanished_session_lock_stays_unexplained_until_somebody_vouches() {
    let store = sessions();
    let (first, _) = contender(store.handle(), 1);
    let (second, _) = contender(store.handle(), 2);
    leads(&first);
    store.delete();
    assert_eq!(store.observation().lock, LockState::Missing);
    let unexplained = Vacancy::Unexplained {
        longest_lease: Some(first.lease_duration),
    };
    for vacancy in [unexplained, unexplained, Vacancy::Proven] {
        let grant = leads(&second);
        assert_eq!(grant.vacancy, vacancy);
        block_on(second.lock.release(&second.releasing(grant.hold))).unwrap();
        if store.calls(Operation::Release) == 2 {
            store.vouch();
        }
    }
}

#[test]
fn a_request_stands_until_resumed_and_only_for_the_token_it_names() {
    let store = leased();
    let (first, _) = contender(store.handle(), 1);
    let hold = leads(&first).hold;
    let ask = |kind, token| block_on(first.lock.submit(&OperatorRequest { kind, token })).unwrap();
    assert!(matches!(
        ask(RequestKind::Pause, None),
        Submitted::Outdated(_)
    ));
    assert_eq!(
        ask(RequestKind::Pause, Some(hold.token)),
        Submitted::Accepted
    );
    assert_eq!(
        store.observation().request.unwrap().kind,
        RequestKind::Pause
    );
    assert_eq!(
        ask(RequestKind::Resume, Some(hold.token)),
        Submitted::Accepted
    );
    assert_eq!(store.observation().request, None);
}

#[test]
fn a_sessions_requests_never_overtake_each_other() {
    let store = sessions();
    let (first, handle) = contender(store.handle(), 1);
    let gate = Gate::new();
    handle.inject(PlannedFault::next(
        Operation::Withdraw,
        Fault::LandLater(gate.clone()),
    ));
    block_on(first.lock.withdraw(&first.candidate)).unwrap_err();
    let hold = leads(&first).hold;
    gate.open();
    assert!(matches!(
        block_on(first.lock.renew(&first.renewal(hold))).unwrap(),
        Renewed::Confirmed(_)
    ));
}
