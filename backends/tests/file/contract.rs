use tenure_core::backend::{
    Hint, LockBackend, LockState, OperatorRequest, Released, Renewed, RequestKind, Submitted,
    Vacancy,
};
use tenure_core::{ErrorKind, FencingToken};

use crate::scene::{
    LEASE, Scene, acquire, acquire_with_hints, begin_and_drop, candidate, claim, drain, is_refused,
    is_told, release, renewal, token, wait,
};

#[test]
fn a_lock_never_seen_is_granted_at_once_and_its_tokens_begin_at_the_wall_clock() {
    let scene = Scene::new();
    assert_eq!(scene.observe().lock, LockState::NeverHeld);
    let (lock, one) = (scene.lock(), candidate(1));
    let grant = acquire(&lock, &one);
    assert_eq!(grant.vacancy, Vacancy::Proven);
    assert_eq!(grant.hold.token.value(), claim(&one).wall.unix_micros() + 1);
    let seen = scene.observe();
    assert!(seen.holder().unwrap().is(&one), "{seen:?}");
    assert_eq!(seen.token, Some(grant.hold.token));
    assert_eq!(seen.version, Some(grant.hold.version));
}

#[test]
fn a_held_lock_refuses_others_and_a_released_one_does_not() {
    let scene = Scene::new();
    let (first, second) = (scene.lock(), scene.lock());
    let (one, two) = (candidate(1), candidate(2));
    let grant = acquire(&first, &one);
    is_refused(&second, &two);
    let released = wait(first.release(&release(&one, &grant))).unwrap();
    assert_eq!(released, Released::Vacated);
    let LockState::Vacant { identity, mark } = scene.observe().lock else {
        panic!("{:?}", scene.observe());
    };
    assert_eq!(identity, grant.hold.identity);
    assert_eq!(mark.unwrap().by, one.incarnation);
    let next = acquire(&second, &two);
    assert_eq!(next.vacancy, Vacancy::Proven);
    assert!(next.hold.token > grant.hold.token);
    assert!(next.hold.version > grant.hold.version);
}

#[test]
fn a_waiting_candidate_is_told_of_a_release_without_polling() {
    let scene = Scene::new();
    let (first, second) = (scene.lock(), scene.lock());
    let (one, two) = (candidate(1), candidate(2));
    let grant = acquire(&first, &one);
    is_refused(&second, &two);
    is_told(&second, &Hint::Watching(true));
    wait(first.release(&release(&one, &grant))).unwrap();
    acquire_with_hints(&second, &two);
}

#[test]
fn a_note_is_confirmed_durably_and_survives_release_and_loss() {
    let scene = Scene::new();
    let (first, one) = (scene.lock(), candidate(1));
    let grant = acquire(&first, &one);
    let noted = wait(first.renew(&renewal(&one, &grant, Some(b"ledger")))).unwrap();
    let Renewed::Confirmed(receipt) = noted else {
        panic!("{noted:?}");
    };
    assert!(receipt.version > grant.hold.version);
    assert_eq!(scene.observe().note.unwrap().as_bytes(), b"ledger");
    wait(first.release(&release(&one, &grant))).unwrap();
    let (second, two) = (scene.lock(), candidate(2));
    assert_eq!(acquire(&second, &two).note.unwrap().as_bytes(), b"ledger");
    drop(second);
    let (third, three) = (scene.lock(), candidate(3));
    assert_eq!(
        acquire_with_hints(&third, &three).note.unwrap().as_bytes(),
        b"ledger"
    );
}

#[test]
fn a_renewal_shows_a_heartbeat_and_rewrites_neither_record_nor_token() {
    let scene = Scene::new();
    let (lock, one) = (scene.lock(), candidate(1));
    let grant = acquire(&lock, &one);
    let files = || [".tenure", ".token"].map(|suffix| std::fs::read(scene.path(suffix)).unwrap());
    let before = files();
    let kept = renewal(&one, &grant, None);
    let Renewed::Confirmed(receipt) = wait(lock.renew(&kept)).unwrap() else {
        panic!("not confirmed");
    };
    assert_eq!(receipt.version, grant.hold.version);
    assert_eq!(files(), before);
    assert_eq!(scene.observe().written, Some(kept.wall));
    assert_eq!(scene.observe().version, Some(grant.hold.version));
}

#[test]
fn a_hold_is_renewed_and_released_only_by_who_has_it() {
    let scene = Scene::new();
    let (first, one) = (scene.lock(), candidate(1));
    let grant = acquire(&first, &one);
    let (second, two) = (scene.lock(), candidate(2));
    let renewed = wait(second.renew(&renewal(&two, &grant, None))).unwrap();
    assert!(matches!(renewed, Renewed::Conflict(Some(_))), "{renewed:?}");
    let released = wait(second.release(&release(&one, &grant))).unwrap();
    assert!(
        matches!(released, Released::Conflict(Some(_))),
        "{released:?}"
    );
    let mut older = grant.clone();
    older.hold.token = token(1);
    let renewed = wait(first.renew(&renewal(&one, &older, None))).unwrap();
    assert!(matches!(renewed, Renewed::Conflict(Some(_))), "{renewed:?}");
    is_refused(&second, &two);
    wait(first.renew(&renewal(&one, &grant, None))).unwrap();
}

#[test]
fn a_grant_that_nobody_waited_for_is_given_back() {
    let scene = Scene::new();
    let (first, one) = (scene.lock(), candidate(1));
    begin_and_drop(first.acquire(&claim(&one)));
    let (second, two) = (scene.lock(), candidate(2));
    acquire_with_hints(&second, &two);
    assert!(scene.observe().holder().unwrap().is(&two));
    assert!(first.descriptor().unwrap().is_none());
}

#[test]
fn an_abandoned_lock_is_free() {
    let scene = Scene::new();
    let (first, one) = (scene.lock(), candidate(1));
    wait(first.enlist(&one)).unwrap();
    acquire(&first, &one);
    first.abandon();
    let (second, two) = (scene.lock(), candidate(2));
    assert_eq!(acquire_with_hints(&second, &two).vacancy, Vacancy::Proven);
    wait(async {
        while !second.members().await.unwrap().is_empty() {
            second.changed().await;
        }
    });
}

#[test]
fn a_lock_stays_held_while_a_duplicate_of_its_descriptor_is_open() {
    let scene = Scene::new();
    let (first, one) = (scene.lock(), candidate(1));
    assert!(first.descriptor().unwrap().is_none());
    let grant = acquire(&first, &one);
    let inherited = first.descriptor().unwrap().expect("the lock is held");
    wait(first.release(&release(&one, &grant))).unwrap();
    let (second, two) = (scene.lock(), candidate(2));
    is_refused(&second, &two);
    is_refused(&first, &one);
    drop(inherited);
    acquire_with_hints(&second, &two);
}

#[test]
fn members_come_and_go_and_each_change_is_told() {
    let scene = Scene::new();
    let (first, second) = (scene.lock(), scene.lock());
    let (one, two) = (candidate(1), candidate(2));
    wait(first.enlist(&one)).unwrap();
    let names = || {
        let members = wait(first.members()).unwrap();
        let names = members.iter().map(|member| member.name.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(), ["candidate-1"]);
    drain(&first);
    wait(second.enlist(&two)).unwrap();
    is_told(&first, &Hint::MembersChanged);
    assert_eq!(names(), ["candidate-1", "candidate-2"]);
    wait(second.withdraw(&two)).unwrap();
    is_told(&first, &Hint::MembersChanged);
    assert_eq!(names(), ["candidate-1"]);
    assert_eq!(
        std::fs::read_dir(scene.path(".members")).unwrap().count(),
        1
    );
}

#[test]
fn a_request_is_told_to_the_leader_and_seen_at_its_next_renewal() {
    let scene = Scene::new();
    let (lock, one) = (scene.lock(), candidate(1));
    let grant = acquire(&lock, &one);
    drain(&lock);
    let operator = scene.lock();
    let pause = OperatorRequest {
        kind: RequestKind::Pause,
        token: Some(grant.hold.token),
    };
    assert_eq!(wait(operator.submit(&pause)).unwrap(), Submitted::Accepted);
    is_told(&lock, &Hint::Changed);
    let Renewed::Confirmed(receipt) = wait(lock.renew(&renewal(&one, &grant, None))).unwrap()
    else {
        panic!("a request deposes nobody by itself");
    };
    assert_eq!(receipt.request, Some(pause));
    wait(lock.release(&release(&one, &grant))).unwrap();
    assert_eq!(
        scene.observe().request,
        Some(pause),
        "a pause outlives the leadership"
    );
    let resume = OperatorRequest {
        kind: RequestKind::Resume,
        ..pause
    };
    assert_eq!(wait(operator.submit(&resume)).unwrap(), Submitted::Accepted);
    assert_eq!(scene.observe().request, None);
}

#[test]
fn a_request_for_another_token_changes_nothing() {
    let scene = Scene::new();
    let (lock, one) = (scene.lock(), candidate(1));
    acquire(&lock, &one);
    let late = OperatorRequest {
        kind: RequestKind::Resign,
        token: Some(token(7)),
    };
    let submitted = wait(scene.lock().submit(&late)).unwrap();
    assert!(matches!(submitted, Submitted::Outdated(_)), "{submitted:?}");
    assert_eq!(scene.observe().request, None);
}

#[test]
fn a_configured_floor_is_below_every_token() {
    let floor = FencingToken::new(4_000_000_000_000_000).unwrap();
    let scene = Scene::with(|builder| builder.token_floor(floor));
    let lock = scene.lock();
    assert!(acquire(&lock, &candidate(1)).hold.token > floor);
}

#[test]
fn an_event_about_one_election_wakes_no_other() {
    let scene = Scene::new();
    let elsewhere = scene
        .root
        .lock(tenure_core::ElectionName::new("other").unwrap())
        .unwrap();
    let (lock, one) = (scene.lock(), candidate(1));
    is_told(&elsewhere, &Hint::Watching(true));
    drain(&elsewhere);
    let grant = acquire(&lock, &one);
    drain(&lock);
    wait(lock.release(&release(&one, &grant))).unwrap();
    is_told(&lock, &Hint::Changed);
    assert_eq!(drain(&elsewhere), 0);
}

#[test]
fn a_heartbeat_wakes_nobody() {
    let scene = Scene::new();
    let (lock, one) = (scene.lock(), candidate(1));
    let (waiting, two) = (scene.lock(), candidate(2));
    let grant = acquire(&lock, &one);
    is_refused(&waiting, &two);
    for _ in 0..10 {
        wait(lock.renew(&renewal(&one, &grant, None))).unwrap();
    }
    // A change that is told comes after whatever the heartbeats would have raised.
    let scout = scene.lock();
    is_told(&scout, &Hint::Watching(true));
    drain(&waiting);
    for _ in 0..10 {
        wait(lock.renew(&renewal(&one, &grant, None))).unwrap();
    }
    std::fs::write(scene.path(".request"), b"").unwrap();
    is_told(&scout, &Hint::Changed);
    assert!(drain(&waiting) <= 1, "only the request was told");
}

#[test]
fn colliding_names_are_refused_with_advice() {
    let scene = Scene::new();
    for name in ["nightly.tenure", "nightly.dat", ".nightly"] {
        let election = tenure_core::ElectionName::new(name).unwrap();
        let error = scene.root.lock(election).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_lease_duration_is_shown_as_it_was_claimed() {
    let scene = Scene::new();
    let lock = scene.lock();
    acquire(&lock, &candidate(1));
    let LockState::Held(held) = scene.observe().lock else {
        panic!("{:?}", scene.observe());
    };
    assert_eq!(held.duration, Some(LEASE));
}

#[test]
fn many_waiting_candidates_do_not_wake_each_other_for_ever() {
    let scene = Scene::new();
    let (leader, one) = (scene.lock(), candidate(1));
    let grant = acquire(&leader, &one);
    let waiting: Vec<_> = (2..12)
        .map(|number| (scene.lock(), candidate(number)))
        .collect();
    for (lock, candidate) in &waiting {
        is_refused(lock, candidate);
    }
    wait(leader.release(&release(&one, &grant))).unwrap();
    let (next, two) = &waiting[0];
    acquire_with_hints(next, two);
    // Each follows its hints until there are no more: the release, the next record, and at most the few reminders of one close.
    let mut tries = 0;
    for (lock, candidate) in &waiting[1..] {
        while drain(lock) > 0 {
            is_refused(lock, candidate);
            tries += 1;
        }
    }
    assert!(tries <= 9 * 10, "{tries} tries after one release");
}
