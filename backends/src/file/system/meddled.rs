//! The real system with a test's hand in it: calls that fail, hang, or come at a bad moment.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::{Nanos, WallTime};

use super::linux::Linux;
use super::{DescriptorLimit, MountFacts, Open, OpenFile, Signal, Stat, System, ThreadBody, Watch};
use crate::locked::locked;

/// A call that a test may meddle with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Attribute,
    Lock,
    Rename,
    Synchronise,
    SynchroniseDirectory,
    Watch,
}

type Hand = Arc<dyn Fn(Call, &Path) -> io::Result<()> + Send + Sync>;

/// Runs the hand before each call; an error of the hand is the call's.
#[derive(Clone)]
pub(crate) struct Meddled(Arc<Shared>);

struct Shared {
    hand: Mutex<Hand>,
    later_nanoseconds: AtomicU64,
}

impl fmt::Debug for Meddled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddled").finish_non_exhaustive()
    }
}

impl Meddled {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            hand: Mutex::new(Arc::new(|_, _| Ok(()))),
            later_nanoseconds: AtomicU64::new(0),
        }))
    }

    pub(crate) fn meddle(
        &self,
        hand: impl Fn(Call, &Path) -> io::Result<()> + Send + Sync + 'static,
    ) {
        *locked(&self.0.hand) = Arc::new(hand);
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, duration: Duration) {
        let nanoseconds = Nanos::from(duration).get();
        self.0
            .later_nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
    }

    fn before(&self, call: Call, path: &Path) -> io::Result<()> {
        let hand = Arc::clone(&locked(&self.0.hand));
        hand(call, path)
    }
}

impl System for Meddled {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>> {
        Ok(Arc::new(MeddledFile {
            file: Linux.open(path, how)?,
            path: path.to_owned(),
            system: self.clone(),
        }))
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        Linux.stat(path)
    }

    fn stat_directory(&self, path: &Path) -> io::Result<Option<Stat>> {
        Linux.stat_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.before(Call::Rename, to)?;
        Linux.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        Linux.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Linux.remove(path)
    }

    fn list(&self, directory: &Path, limit: usize) -> io::Result<Option<Vec<String>>> {
        Linux.list(directory, limit)
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        Linux.create_directories(path)
    }

    fn synchronise_directory(&self, path: &Path) -> io::Result<()> {
        self.before(Call::SynchroniseDirectory, path)?;
        Linux.synchronise_directory(path)
    }

    fn stamp(&self, path: &Path, wall: WallTime) -> io::Result<()> {
        Linux.stamp(path, wall)
    }

    fn mount_of(&self, directory: &Path) -> io::Result<MountFacts> {
        Linux.mount_of(directory)
    }

    fn descriptor_limit(&self) -> DescriptorLimit {
        Linux.descriptor_limit()
    }

    fn raise_descriptor_limit(&self, to: u64) -> io::Result<()> {
        Linux.raise_descriptor_limit(to)
    }

    fn watch(&self) -> io::Result<Arc<dyn Watch>> {
        self.before(Call::Watch, Path::new(""))?;
        Linux.watch()
    }

    fn monotonic(&self) -> Nanos {
        let later = self.0.later_nanoseconds.load(Ordering::Relaxed);
        Linux.monotonic().saturating_add(Nanos::new(later))
    }

    fn start_thread(&self, name: &str, body: ThreadBody) -> io::Result<()> {
        Linux.start_thread(name, body)
    }

    fn signal(&self) -> Arc<dyn Signal> {
        Linux.signal()
    }
}

#[derive(Debug)]
struct MeddledFile {
    file: Arc<dyn OpenFile>,
    path: PathBuf,
    system: Meddled,
}

impl OpenFile for MeddledFile {
    fn try_lock(&self) -> io::Result<bool> {
        match self.system.before(Call::Lock, &self.path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            outcome => outcome.and_then(|()| self.file.try_lock()),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }

    fn is_locked_by_another(&self) -> io::Result<bool> {
        self.file.is_locked_by_another()
    }

    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }

    fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        self.file.read(limit)
    }

    fn overwrite(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.overwrite(bytes)
    }

    fn read_attribute(&self) -> io::Result<Option<Vec<u8>>> {
        self.system.before(Call::Attribute, &self.path)?;
        self.file.read_attribute()
    }

    fn write_attribute(&self, bytes: &[u8]) -> io::Result<()> {
        self.system.before(Call::Attribute, &self.path)?;
        self.file.write_attribute(bytes)
    }

    fn synchronise(&self) -> io::Result<()> {
        self.system.before(Call::Synchronise, &self.path)?;
        self.file.synchronise()
    }

    fn duplicate(&self) -> io::Result<std::os::fd::OwnedFd> {
        self.file.duplicate()
    }
}
