//! What only a disk that fails or hangs at the right moment shows.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tempfile::TempDir;
use tenure_core::backend::{
    Acquired, Basis, Claim, Grant, LockBackend, Note, Release, Released, Renewal, Renewed, Vacancy,
};
use tenure_core::{
    CandidateId, CandidateName, Effect, ElectionName, ErrorKind, Incarnation, Nonce, WallTime,
};

use super::root::FileRoot;
use super::system::System;
use super::system::meddled::{Call, Meddled};
use super::{FileLock, FileRootBuilder};
use crate::locked::locked;

const LEASE: Duration = Duration::from_secs(15);
const WALL: WallTime = WallTime::from_unix_seconds(1_800_000_000);
/// Longer than anything here takes, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(60);
const NOT_SUPPORTED: i32 = nix::libc::EOPNOTSUPP;

struct Disk {
    directory: TempDir,
    root: FileRoot,
    system: Meddled,
}

fn disk() -> Disk {
    let directory = tempfile::tempdir().unwrap();
    let system = Meddled::new();
    Disk {
        root: root_on(&system, directory.path()),
        directory,
        system,
    }
}

fn root_on(system: &Meddled, directory: &Path) -> FileRoot {
    let system = Arc::new(system.clone()) as Arc<dyn System>;
    let opened = FileRoot::open_on(system, &FileRootBuilder::new(directory));
    opened
        .map_err(|failure| failure.into_error("open"))
        .unwrap()
}

impl Disk {
    fn lock(&self, election: &str) -> FileLock {
        self.root
            .lock(ElectionName::new(election).unwrap())
            .unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }
}

/// A gate that calls wait at while it is shut.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Default)]
struct Passage {
    shut: bool,
    waiting: u32,
}

impl Gate {
    fn shut(&self) {
        locked(&self.0.0).shut = true;
    }

    fn open(&self) {
        locked(&self.0.0).shut = false;
        self.0.1.notify_all();
    }

    fn pass(&self) -> io::Result<()> {
        let (passage, moved) = (&self.0.0, &self.0.1);
        let mut passage = locked(passage);
        passage.waiting += 1;
        moved.notify_all();
        let mut passage = moved.wait_while(passage, |passage| passage.shut).unwrap();
        passage.waiting -= 1;
        Ok(())
    }

    /// Returns when a call waits at it.
    fn wait_until_reached(&self) {
        let passage = locked(&self.0.0);
        let wait = self
            .0
            .1
            .wait_timeout_while(passage, PATIENCE, |passage| passage.waiting == 0);
        assert!(!wait.unwrap().1.timed_out(), "nothing reaches the gate");
    }

    /// Begins something that comes to wait at the gate, and gives it up there.
    fn catch<T>(&self, future: impl Future<Output = T>) {
        let mut future = pin!(future);
        assert!(begin(future.as_mut()).is_pending());
        self.wait_until_reached();
    }
}

/// A disk whose `fsync` hangs while the gate is shut.
fn hanging() -> (Disk, Gate) {
    let (disk, gate) = (disk(), Gate::default());
    let at = gate.clone();
    disk.system.meddle(move |call, _| match call {
        Call::Synchronise => at.pass(),
        _ => Ok(()),
    });
    (disk, gate)
}

fn candidate(number: u128) -> CandidateId {
    CandidateId {
        name: CandidateName::new("pod").unwrap(),
        incarnation: Incarnation::from_bits(number),
    }
}

fn claim(number: u128) -> Claim {
    Claim {
        basis: Basis::Missing,
        candidate: candidate(number),
        lease_duration: LEASE,
        nonce: Nonce(1),
        wall: WALL,
    }
}

fn renewal(number: u128, grant: &Grant, note: Option<&[u8]>) -> Renewal {
    Renewal {
        candidate: candidate(number),
        hold: grant.hold,
        lease_duration: LEASE,
        nonce: Nonce(2),
        note: note.map(|bytes| Note::new(bytes).unwrap()),
        wall: WALL,
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, future).await })
        .expect("nothing here takes a minute")
}

fn begin<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn acquire(lock: &FileLock, number: u128) -> Grant {
    wait(async {
        loop {
            if let Acquired::Granted(grant) = lock.acquire(&claim(number)).await.unwrap() {
                return grant;
            }
            lock.changed().await;
        }
    })
}

fn confirmed(lock: &FileLock, renewal: &Renewal) {
    let renewed = wait(lock.renew(renewal)).unwrap();
    assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
}

#[test]
fn a_hung_disk_costs_no_other_root_anything_and_gives_back_what_nobody_waits_for() {
    let ((hung, gate), healthy) = (hanging(), disk());
    let (stuck, fine) = (hung.lock("a"), healthy.lock("a"));
    gate.shut();
    gate.catch(stuck.acquire(&claim(1)));
    let grant = acquire(&fine, 2);
    confirmed(&fine, &renewal(2, &grant, Some(b"note")));
    stuck.abandon();
    gate.open();
    acquire(&hung.lock("a"), 3);
    assert!(stuck.descriptor().unwrap().is_none());
}

#[test]
fn a_renewal_does_not_wait_for_another_elections_fsync() {
    let (disk, gate) = hanging();
    let (slow, leading) = (disk.lock("slow"), disk.lock("leading"));
    let grant = acquire(&leading, 1);
    gate.shut();
    gate.catch(slow.acquire(&claim(2)));
    confirmed(&leading, &renewal(1, &grant, None));
    assert!(wait(leading.observe()).unwrap().holder().is_some());
    gate.open();
}

#[test]
fn too_many_calls_to_a_hung_disk_are_refused_without_an_effect() {
    let (disk, gate) = hanging();
    let (lock, claim_one) = (disk.lock("a"), claim(1));
    gate.shut();
    gate.catch(lock.acquire(&claim_one));
    let mut refused = None;
    for _ in 0..100 {
        if let Poll::Ready(answer) = begin(lock.acquire(&claim_one)) {
            refused = Some(answer.unwrap_err());
            break;
        }
    }
    let error = refused.expect("the queue has an end");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(error.effect(), Effect::NotApplied, "{error}");
    gate.open();
    acquire(&disk.lock("a"), 2);
}

#[test]
fn a_grant_that_may_not_be_durable_is_no_grant() {
    let disk = disk();
    let lock = disk.lock("a");
    let once = AtomicU32::new(0);
    disk.system.meddle(move |call, _| {
        // The first directory is synchronised for the token that the first one follows, the second for the grant.
        let second =
            call == Call::SynchroniseDirectory && once.fetch_add(1, Ordering::Relaxed) == 1;
        if second {
            return Err(io::Error::from_raw_os_error(nix::libc::EIO));
        }
        Ok(())
    });
    let error = wait(lock.acquire(&claim(1))).unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown, "{error}");
    assert!(lock.descriptor().unwrap().is_none());
    let first = acquire(&disk.lock("a"), 2);
    assert_eq!(first.vacancy, Vacancy::Proven);
    assert!(
        first.hold.token.value() > WALL.unix_micros() + 1,
        "the number is spent"
    );
}

#[test]
fn a_note_of_unknown_outcome_deposes_nobody() {
    let disk = disk();
    let lock = disk.lock("a");
    let grant = acquire(&lock, 1);
    disk.system.meddle(|call, _| match call {
        Call::SynchroniseDirectory => Err(io::Error::from_raw_os_error(nix::libc::EIO)),
        _ => Ok(()),
    });
    let error = wait(lock.renew(&renewal(1, &grant, Some(b"late")))).unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown, "{error}");
    confirmed(&lock, &renewal(1, &grant, None));
    let seen = wait(lock.observe()).unwrap();
    assert_eq!(seen.note.unwrap().as_bytes(), b"late");
}

#[test]
fn without_attributes_a_second_file_keeps_the_token() {
    let disk = disk();
    disk.system.meddle(|call, _| match call {
        Call::Attribute => Err(io::Error::from_raw_os_error(NOT_SUPPORTED)),
        _ => Ok(()),
    });
    let first = acquire(&disk.lock("a"), 1);
    std::fs::remove_file(disk.path("a.token")).unwrap();
    let second = acquire(&disk.lock("a"), 2);
    assert!(second.hold.token > first.hold.token);
    for copy in ["a.token", "a.token2"] {
        std::fs::remove_file(disk.path(copy)).unwrap();
    }
    let third = disk.lock("a");
    let error = wait(async {
        loop {
            match third.acquire(&claim(3)).await {
                Ok(_) => third.changed().await,
                Err(error) => return error,
            };
        }
    });
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[test]
fn a_lock_file_replaced_between_opening_and_locking_is_not_the_lock() {
    let disk = disk();
    let lock = disk.path("a");
    let once = AtomicU32::new(0);
    let path = lock.clone();
    disk.system.meddle(move |call, _| {
        if call == Call::Lock && once.fetch_add(1, Ordering::Relaxed) == 0 {
            std::fs::rename(&path, path.with_extension("old"))?;
            std::fs::write(&path, b"")?;
        }
        Ok(())
    });
    let grant = acquire(&disk.lock("a"), 1);
    let there = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(lock).unwrap());
    assert_eq!(grant.hold.identity.0, u128::from(there));
}

#[test]
fn a_lock_that_is_freed_after_its_close_was_told_is_had_by_hints_alone() {
    let disk = disk();
    let (first, second) = (disk.lock("a"), disk.lock("a"));
    let grant = acquire(&first, 1);
    assert!(matches!(
        wait(second.acquire(&claim(2))).unwrap(),
        Acquired::Busy(_)
    ));
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let release = Release {
        candidate: candidate(1),
        hold: grant.hold,
        wall: WALL,
    };
    assert_eq!(wait(first.release(&release)).unwrap(), Released::Vacated);
    drop(first);
    disk.system.meddle(move |call, _| {
        if call == Call::Lock && counted.fetch_add(1, Ordering::Relaxed) < 5 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    acquire(&second, 2);
    assert!(tries.load(Ordering::Relaxed) >= 6);
}

#[test]
fn an_unexplained_vacancy_is_over_after_twice_the_longest_lease() {
    let disk = disk();
    let first = disk.lock("a");
    acquire(&first, 1);
    std::fs::remove_file(disk.path("a")).unwrap();
    let unexplained = |vacancy| matches!(vacancy, Vacancy::Unexplained { .. });
    let second = disk.lock("a");
    let grant = acquire(&second, 2);
    assert!(unexplained(grant.vacancy));
    disk.system.pass(LEASE);
    confirmed(&second, &renewal(2, &grant, None));
    drop(second);
    let third = disk.lock("a");
    let grant = acquire(&third, 3);
    assert!(unexplained(grant.vacancy), "a lease of that may still run");
    disk.system.pass(LEASE * 2 + Duration::from_secs(1));
    confirmed(&third, &renewal(3, &grant, None));
    drop(third);
    assert_eq!(acquire(&disk.lock("a"), 4).vacancy, Vacancy::Proven);
}
