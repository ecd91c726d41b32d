//! Every line of the table of failures in docs/backends.md.

use std::path::Path;

use tenure_backends::file::{FileLock, FileRoot, NodeLocalLocks};
use tenure_core::backend::{
    Acquired, Grant, Hint, LockBackend, LockState, Released, Renewed, Vacancy,
};
use tenure_core::{CandidateId, Effect, Error, ErrorKind};

use crate::machine::{fill, read_only, set_mode, small_disk, without_rights};
use crate::scene::{
    LEASE, Led, Scene, acquire, acquire_with_hints, candidate, claim, drain, is_refused, is_told,
    led, refusal, release, renewal, sealed, wait, with_holder,
};

const UNEXPLAINED: Vacancy = Vacancy::Unexplained {
    longest_lease: Some(LEASE),
};

/// The leader is told at once, sees that it leads no longer, and its renewal is refused.
fn learns_of_its_loss(lock: &FileLock, leader: &CandidateId, grant: &Grant) {
    is_told(lock, &Hint::Changed);
    let seen = wait(lock.observe()).unwrap();
    let ours = matches!(&seen.lock, LockState::Held(held) if held.holder.is(leader));
    assert!(!ours, "{seen:?}");
    let renewed = wait(lock.renew(&renewal(leader, grant, None))).unwrap();
    assert!(matches!(renewed, Renewed::Conflict(Some(_))), "{renewed:?}");
    let noted = wait(lock.renew(&renewal(leader, grant, Some(b"late")))).unwrap();
    assert!(matches!(noted, Renewed::Conflict(Some(_))), "{noted:?}");
    let released = wait(lock.release(&release(leader, grant))).unwrap();
    assert!(
        matches!(released, Released::Conflict(Some(_))),
        "{released:?}"
    );
}

#[test]
fn a_deleted_lock_file_stops_its_leader_at_once_and_is_not_free_to_others() {
    let led = led();
    std::fs::remove_file(led.scene.path("")).unwrap();
    learns_of_its_loss(&led.lock, &led.candidate, &led.grant);
    assert_eq!(led.scene.observe().lock, LockState::Missing);
    let next = acquire(&led.scene.lock(), &candidate(2));
    assert_eq!(next.vacancy, UNEXPLAINED);
    assert!(next.hold.token > led.grant.hold.token);
}

#[test]
fn a_replaced_lock_file_stops_its_leader_at_once_and_is_not_free_to_others() {
    let led = led();
    let other = led.scene.path("-other");
    std::fs::write(&other, b"").unwrap();
    std::fs::rename(&other, led.scene.path("")).unwrap();
    learns_of_its_loss(&led.lock, &led.candidate, &led.grant);
    let second = led.scene.lock();
    let next = acquire(&second, &candidate(2));
    assert_eq!(next.vacancy, UNEXPLAINED);
    assert!(next.hold.token > led.grant.hold.token);
    // A crash before that leadership could begin leaves it as open as it was.
    drop(second);
    let third = acquire_with_hints(&led.scene.lock(), &candidate(3));
    assert_eq!(third.vacancy, UNEXPLAINED);
}

#[test]
fn a_truncated_or_written_lock_file_changes_nothing() {
    let led = led();
    for content in [&b"scribble"[..], b""] {
        std::fs::write(led.scene.path(""), content).unwrap();
        let renewed = wait(led.lock.renew(&renewal(&led.candidate, &led.grant, None))).unwrap();
        assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
        is_refused(&led.scene.lock(), &candidate(2));
    }
}

#[test]
fn a_renamed_directory_stops_its_leader_at_once_and_gives_nobody_the_lock() {
    let led = led();
    let elsewhere = led.scene.directory.with_extension("moved");
    std::fs::rename(&led.scene.directory, &elsewhere).unwrap();
    is_told(&led.lock, &Hint::Watching(false));
    learns_of_its_loss(&led.lock, &led.candidate, &led.grant);
    let second = led.scene.lock();
    let error = refusal(&second, &candidate(2));
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    // A new one in its place is not a first start for a process that knew the old one.
    std::fs::create_dir(&led.scene.directory).unwrap();
    is_told(&led.lock, &Hint::Watching(true));
    assert_eq!(wait(second.observe()).unwrap().lock, LockState::Missing);
    let next = acquire(&second, &candidate(2));
    assert!(
        matches!(next.vacancy, Vacancy::Unexplained { .. }),
        "{next:?}"
    );
}

#[test]
fn a_deleted_record_stops_its_leader_and_keeps_the_token_growing() {
    let led = led();
    std::fs::remove_file(led.scene.path(".tenure")).unwrap();
    learns_of_its_loss(&led.lock, &led.candidate, &led.grant);
    let second = led.scene.lock();
    is_refused(&second, &candidate(2));
    led.lock.abandon();
    let next = acquire_with_hints(&second, &candidate(2));
    let unknown = Vacancy::Unexplained {
        longest_lease: None,
    };
    assert_eq!(next.vacancy, unknown);
    assert!(next.hold.token > led.grant.hold.token);
    assert!(next.hold.version > led.grant.hold.version);
}

/// The record becomes `bytes` under its leader; the error or grant of the next one after the leader's end.
fn with_record(bytes: &[u8]) -> (Result<Acquired, Error>, Led) {
    let led = led();
    std::fs::write(led.scene.path(".tenure"), bytes).unwrap();
    learns_of_its_loss(&led.lock, &led.candidate, &led.grant);
    let seen = led.scene.observe();
    let LockState::Held(held) = &seen.lock else {
        panic!("never shown as free: {seen:?}");
    };
    assert_eq!(held.holder.as_str(), "unreadable record");
    assert_eq!(held.duration, None);
    let second = led.scene.lock();
    is_refused(&second, &candidate(2));
    led.lock.abandon();
    let next = wait(async {
        loop {
            match second.acquire(&claim(&candidate(2))).await {
                Ok(Acquired::Busy(_)) => second.changed().await,
                answer => return answer,
            };
        }
    });
    (next, led)
}

#[test]
fn a_torn_or_damaged_record_stops_its_leader_and_is_not_free_to_others() {
    for bytes in [&b""[..], b"\0\0\0\0", b"tenure-record 1\nversion 3\n"] {
        let (next, led) = with_record(bytes);
        let Ok(Acquired::Granted(grant)) = next else {
            panic!("{next:?}");
        };
        assert!(
            matches!(grant.vacancy, Vacancy::Unexplained { .. }),
            "{grant:?}"
        );
        assert!(grant.hold.token > led.grant.hold.token);
        assert!(grant.hold.version > led.grant.hold.version);
    }
}

#[test]
fn a_record_from_a_newer_version_is_left_alone() {
    let newer = sealed("tenure-record 2\nanything new\n");
    let (next, led) = with_record(newer.as_bytes());
    let error = next.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(
        error.to_string().contains("upgrade this program"),
        "{error}"
    );
    let kept = std::fs::read_to_string(led.scene.path(".tenure")).unwrap();
    assert_eq!(kept, newer);
}

#[test]
fn a_record_of_somebody_else_deposes_its_leader() {
    let led = led();
    let record = std::fs::read_to_string(led.scene.path(".tenure")).unwrap();
    std::fs::write(led.scene.path(".tenure"), with_holder(&record, "mallory")).unwrap();
    learns_of_its_loss(&led.lock, &led.candidate, &led.grant);
    let seen = led.scene.observe();
    assert_eq!(seen.holder().unwrap().as_str(), "mallory");
}

#[test]
fn a_record_written_again_with_the_same_content_is_adopted() {
    let led = led();
    let record = std::fs::read(led.scene.path(".tenure")).unwrap();
    std::fs::write(led.scene.path(".tenure"), record).unwrap();
    let renewed = wait(led.lock.renew(&renewal(&led.candidate, &led.grant, None))).unwrap();
    assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
}

#[test]
fn files_that_this_user_may_not_open_are_refused_with_advice() {
    without_rights(|| {
        for suffix in ["", ".tenure", ".token"] {
            let led = led();
            set_mode(&led.scene.path(suffix), 0);
            let kept = renewal(&led.candidate, &led.grant, None);
            let renewed = wait(led.lock.renew(&kept)).unwrap();
            assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
            wait(led.lock.release(&release(&led.candidate, &led.grant))).unwrap();
            let error = refusal(&led.scene.lock(), &candidate(2));
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            let path = led.scene.path(suffix).display().to_string();
            assert!(error.to_string().contains(&path), "{error}");
            assert!(error.to_string().contains("as one user"), "{error}");
        }
    });
}

#[test]
fn a_directory_that_this_user_may_not_write_gives_nobody_the_lock() {
    without_rights(|| {
        let led = led();
        set_mode(&led.scene.directory, 0o555);
        let renewed = wait(led.lock.renew(&renewal(&led.candidate, &led.grant, None))).unwrap();
        assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
        let noted = wait(
            led.lock
                .renew(&renewal(&led.candidate, &led.grant, Some(b"x"))),
        );
        assert_eq!(noted.unwrap_err().effect(), Effect::NotApplied);
        // A release succeeds without its mark: the kernel vouches for a free lock.
        let released = wait(led.lock.release(&release(&led.candidate, &led.grant))).unwrap();
        assert_eq!(released, Released::Vacated);
        let error = refusal(&led.scene.lock(), &candidate(2));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        set_mode(&led.scene.directory, 0o755);
        let next = acquire_with_hints(&led.scene.lock(), &candidate(2));
        assert_eq!(next.vacancy, Vacancy::Proven);
        assert!(next.hold.token > led.grant.hold.token);
    });
}

fn root_at(directory: &Path) -> FileRoot {
    FileRoot::open(directory).unwrap()
}

#[test]
fn on_a_full_disk_leaders_go_on_and_nobody_new_starts() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("small");
    let _disk = small_disk(&directory);
    let root = root_at(&directory);
    assert!(root.warning().unwrap().contains("reboot"), "{root:?}");
    let lock = root.lock(crate::scene::election()).unwrap();
    let (one, two) = (candidate(1), candidate(2));
    let grant = acquire(&lock, &one);
    let ballast = fill(&directory);
    let noted = wait(lock.renew(&renewal(&one, &grant, Some(b"note")))).unwrap_err();
    assert_eq!(noted.kind(), ErrorKind::Exhausted, "{noted}");
    assert_eq!(noted.effect(), Effect::NotApplied, "{noted}");
    let renewed = wait(lock.renew(&renewal(&one, &grant, None))).unwrap();
    assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
    let released = wait(lock.release(&release(&one, &grant))).unwrap();
    assert_eq!(released, Released::Vacated);
    let (second, third) = (root.lock(crate::scene::election()), candidate(3));
    let second = second.unwrap();
    for candidate in [&two, &third, &two] {
        let error = refusal(&second, candidate);
        assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
        assert!(error.to_string().contains("free some space"), "{error}");
    }
    std::fs::remove_file(ballast).unwrap();
    let next = acquire(&second, &two);
    assert_eq!(next.vacancy, Vacancy::Proven);
    assert!(next.hold.token > grant.hold.token);
}

#[test]
fn refused_grants_on_a_full_disk_do_not_wake_the_other_candidates() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("small");
    let _disk = small_disk(&directory);
    let root = root_at(&directory);
    let locks = [1, 2].map(|number| {
        let lock = root.lock(crate::scene::election()).unwrap();
        (lock, candidate(number))
    });
    let grant = acquire(&locks[0].0, &locks[0].1);
    is_refused(&locks[1].0, &locks[1].1);
    let _ballast = fill(&directory);
    wait(locks[0].0.release(&release(&locks[0].1, &grant))).unwrap();
    for (lock, candidate) in &locks {
        refusal(lock, candidate);
    }
    // What is told after this comes after whatever those tries would have raised.
    let scout = root.lock(crate::scene::election()).unwrap();
    is_told(&scout, &Hint::Watching(true));
    let others = || {
        // A rename is one change; to write a file is several, the last of which may be told late.
        let made = directory.join("made");
        std::fs::write(&made, b"").unwrap();
        std::fs::rename(&made, directory.join("nightly.request")).unwrap();
        is_told(&scout, &Hint::Changed);
        drain(&scout);
        locks.each_ref().map(|(lock, _)| drain(lock))
    };
    others();
    for (lock, candidate) in &locks {
        refusal(lock, candidate);
    }
    assert_eq!(drain(&scout), 0);
    assert!(
        others().iter().all(|told| *told <= 1),
        "only the request was told"
    );
}

#[test]
fn on_a_disk_that_cannot_be_written_leaders_are_not_renewed_and_nobody_new_starts() {
    let led = led();
    let _mounted = read_only(&led.scene.directory);
    let error = wait(led.lock.renew(&renewal(&led.candidate, &led.grant, None))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(error.effect(), Effect::NotApplied, "{error}");
    assert!(error.to_string().contains("written again"), "{error}");
    let error = refusal(&led.scene.lock(), &candidate(2));
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

type Make = fn(&Path);

#[test]
fn what_is_not_a_plain_file_is_refused_and_never_followed() {
    let things: [(Make, &str); 3] = [
        (
            |path| std::os::unix::fs::symlink("elsewhere", path).unwrap(),
            "symbolic link",
        ),
        (
            |path| std::fs::create_dir(path).unwrap(),
            "something else has this name",
        ),
        (
            |path| {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
            },
            "not a plain file",
        ),
    ];
    for (make, says) in things {
        let scene = Scene::new();
        make(&scene.path(""));
        let error = refusal(&scene.lock(), &candidate(1));
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!scene.directory.join("elsewhere").exists());
    }
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("file");
    std::fs::write(&path, b"").unwrap();
    let error = FileRoot::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(error.operation(), "open");
}

#[test]
fn a_local_disk_is_opened_without_a_warning() {
    let scene = Scene::with(|builder| builder.node_local_locks(NodeLocalLocks::Accept));
    assert_eq!(scene.root.directory(), scene.directory);
}
