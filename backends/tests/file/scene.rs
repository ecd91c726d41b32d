//! What the tests share: a directory, candidates, and bounded waits for what the kernel tells.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tenure_backends::file::{FileLock, FileRoot, FileRootBuilder};
use tenure_core::backend::{
    Acquired, Basis, Claim, Grant, Hint, LockBackend, Note, Observation, Release, Renewal,
};
use tenure_core::{
    CandidateId, CandidateName, Effect, ElectionName, Error, FencingToken, Incarnation, Nonce,
    WallTime,
};

/// Far more than anything here takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const LEASE: Duration = Duration::from_secs(15);
pub(crate) const WALL: WallTime = WallTime::from_unix_seconds(1_800_000_000);
pub(crate) const NAME: &str = "nightly";

/// A directory for locks, removed at the end.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) directory: PathBuf,
    pub(crate) root: FileRoot,
    _temporary: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(choose: impl FnOnce(FileRootBuilder) -> FileRootBuilder) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("locks");
        Self {
            root: choose(FileRoot::builder(&directory)).open().unwrap(),
            directory,
            _temporary: temporary,
        }
    }

    pub(crate) fn lock(&self) -> FileLock {
        self.root.lock(election()).unwrap()
    }

    pub(crate) fn path(&self, suffix: &str) -> PathBuf {
        self.directory.join(format!("{NAME}{suffix}"))
    }

    /// What somebody sees who takes no part.
    pub(crate) fn observe(&self) -> Observation {
        wait(self.lock().observe()).unwrap()
    }
}

pub(crate) fn election() -> ElectionName {
    ElectionName::new(NAME).unwrap()
}

/// Runs `future` to its end on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, future).await })
        .expect("nothing here takes half a minute")
}

/// Polls `future` once and drops it.
pub(crate) fn begin_and_drop<T>(future: impl Future<Output = T>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = std::pin::pin!(future).poll(&mut context);
}

pub(crate) fn candidate(number: u128) -> CandidateId {
    CandidateId {
        name: CandidateName::new(&format!("candidate-{number}")).unwrap(),
        incarnation: Incarnation::from_bits(number),
    }
}

pub(crate) fn claim(candidate: &CandidateId) -> Claim {
    let number = u64::try_from(candidate.incarnation.to_bits()).unwrap();
    Claim {
        basis: Basis::Missing,
        candidate: candidate.clone(),
        lease_duration: LEASE,
        nonce: Nonce(1),
        // Each candidate comes a second after the one before.
        wall: WALL.saturating_add(Duration::from_secs(number)),
    }
}

pub(crate) fn renewal(candidate: &CandidateId, grant: &Grant, note: Option<&[u8]>) -> Renewal {
    Renewal {
        candidate: candidate.clone(),
        hold: grant.hold,
        lease_duration: LEASE,
        nonce: Nonce(2),
        note: note.map(|bytes| Note::new(bytes).unwrap()),
        wall: WALL.saturating_add(Duration::from_secs(100)),
    }
}

pub(crate) fn release(candidate: &CandidateId, grant: &Grant) -> Release {
    Release {
        candidate: candidate.clone(),
        hold: grant.hold,
        wall: WALL.saturating_add(Duration::from_secs(101)),
    }
}

/// Acquires, which must succeed.
pub(crate) fn acquire(lock: &FileLock, candidate: &CandidateId) -> Grant {
    match wait(lock.acquire(&claim(candidate))).unwrap() {
        Acquired::Granted(grant) => grant,
        busy @ Acquired::Busy(_) => panic!("{busy:?}"),
    }
}

/// Tries, which must be refused.
pub(crate) fn is_refused(lock: &FileLock, candidate: &CandidateId) {
    let acquired = wait(lock.acquire(&claim(candidate))).unwrap();
    assert!(matches!(acquired, Acquired::Busy(Some(_))), "{acquired:?}");
}

/// Tries again with every hint until it is granted.
pub(crate) fn acquire_with_hints(lock: &FileLock, candidate: &CandidateId) -> Grant {
    wait(async {
        loop {
            if let Acquired::Granted(grant) = lock.acquire(&claim(candidate)).await.unwrap() {
                return grant;
            }
            lock.changed().await;
        }
    })
}

/// Waits for `hint`, passing others over.
pub(crate) fn is_told(lock: &FileLock, hint: &Hint) {
    wait(async { while lock.changed().await != *hint {} });
}

/// Takes the hints that are there already.
pub(crate) fn drain(lock: &FileLock) -> usize {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let taken = std::iter::from_fn(|| {
        let hint = std::pin::pin!(lock.changed()).poll(&mut context);
        hint.is_ready().then_some(())
    });
    taken.count()
}

pub(crate) fn token(value: u64) -> FencingToken {
    FencingToken::new(value).unwrap()
}

/// A record's text with another holder, and a checksum that is right.
pub(crate) fn with_holder(record: &str, holder: &str) -> String {
    let (fields, _) = record.rsplit_once("checksum ").unwrap();
    let changed = fields.lines().map(|line| match line.split_once(' ') {
        Some(("holder", _)) => format!("holder {holder}\n"),
        _ => format!("{line}\n"),
    });
    sealed(&changed.collect::<String>())
}

/// These fields with their checksum.
pub(crate) fn sealed(fields: &str) -> String {
    let checksum = crc32fast::hash(fields.as_bytes());
    format!("{fields}checksum {checksum:08x}\n")
}

/// Tries, which must fail without an effect.
pub(crate) fn refusal(lock: &FileLock, candidate: &CandidateId) -> Error {
    let error = wait(lock.acquire(&claim(candidate))).unwrap_err();
    assert_eq!(error.effect(), Effect::NotApplied, "{error}");
    error
}

/// A lock with a leader that has nothing to be told yet.
#[derive(Debug)]
pub(crate) struct Led {
    pub(crate) candidate: CandidateId,
    pub(crate) grant: Grant,
    pub(crate) lock: FileLock,
    pub(crate) scene: Scene,
}

pub(crate) fn led() -> Led {
    let scene = Scene::new();
    let (lock, candidate) = (scene.lock(), candidate(1));
    is_told(&lock, &Hint::Watching(true));
    let grant = acquire(&lock, &candidate);
    // The events of the own grant come first.
    is_told(&lock, &Hint::Changed);
    drain(&lock);
    Led {
        candidate,
        grant,
        lock,
        scene,
    }
}
