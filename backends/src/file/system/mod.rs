//! All that the file backend asks of an operating system, as one small trait: so that the same logic can run over a simulated disk.
//!
//! Every call may block. Only a root's own threads make them, but for those that opening makes, and for those that touch no disk:
//! closing a file, [`OpenFile::duplicate`], [`System::monotonic`], [`System::start_thread`], [`Signal::notify`] and all of [`Watch`]
//! but its wait.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(test, target_os = "linux"))]
pub(crate) mod meddled;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::{Nanos, WallTime};

/// What the directory entry of a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Which object it is. A number in use is not given to another object.
    pub inode: u64,
    /// What kind of object it is.
    pub kind: FileKind,
    /// When its content was last written, or the stamp that was set.
    pub modified: WallTime,
    /// How long its content is, in bytes.
    pub size: u64,
}

/// What kind of object an entry leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A link, a pipe, a device or a socket.
    Other,
    /// A plain file.
    Regular,
}

/// How a file is opened. Never through a symbolic link, never inherited by a program that is started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Open {
    /// To read and write, if it exists.
    Existing,
    /// To read and write, made empty where it does not exist.
    OrCreate,
    /// To read and write; fails where it exists.
    New,
    /// To read. Closing it raises no event that a watch tells.
    ToRead,
}

/// An open file. Dropping it closes it, and the last close of a description frees its lock.
///
/// Errors are the operating system's own, as numbers or as kinds of [`io::Error`].
pub trait OpenFile: Debug + Send + Sync {
    /// Locks the whole file for this description; whether it is locked by it now.
    fn try_lock(&self) -> io::Result<bool>;
    /// Frees the lock without an event, for whoever has inherited the description too.
    fn unlock(&self) -> io::Result<()>;
    /// Whether another description, or another process, has a lock. Says nothing about the own.
    fn is_locked_by_another(&self) -> io::Result<bool>;
    /// What it is now.
    fn stat(&self) -> io::Result<Stat>;
    /// At most `limit` bytes from the start.
    fn read(&self, limit: usize) -> io::Result<Vec<u8>>;
    /// Makes `bytes` the whole content.
    fn overwrite(&self, bytes: &[u8]) -> io::Result<()>;
    /// The extended attribute that keeps the token, where there is one.
    fn read_attribute(&self) -> io::Result<Option<Vec<u8>>>;
    /// Writes the extended attribute that keeps the token.
    fn write_attribute(&self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the content and the attributes are on stable storage.
    fn synchronise(&self) -> io::Result<()>;
    /// Another descriptor of the same description, closed on exec.
    #[cfg(unix)]
    fn duplicate(&self) -> io::Result<std::os::fd::OwnedFd>;
}

/// What happened in a watched directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A descriptor that could write `name` was closed: a lock on it may be free in a moment.
    Closed {
        /// In which directory.
        watch: WatchId,
        /// Of which entry.
        name: String,
    },
    /// `name` appeared, disappeared or was replaced.
    Entry {
        /// In which directory.
        watch: WatchId,
        /// Which entry.
        name: String,
    },
    /// The directory itself was moved or deleted, or the watch ended.
    Gone {
        /// Which directory.
        watch: WatchId,
    },
    /// Events were lost.
    Overflow,
}

/// A watched directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WatchId(
    /// The operating system's number of it.
    pub i32,
);

/// A source of events about directories.
pub trait Watch: Debug + Send + Sync {
    /// Watches a directory, once however often it is added.
    fn add(&self, directory: &Path) -> io::Result<WatchId>;
    /// Ends a watch, if it has not ended.
    fn remove(&self, watch: WatchId);
    /// Waits for events or [`Watch::wake`], at most `at_most` when it is given, and appends the events.
    fn wait(&self, at_most: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()>;
    /// Makes a present or the next `wait` return.
    fn wake(&self);
}

/// What is known about the file system under a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MountFacts {
    /// `f_type` of statfs(2).
    pub magic: u64,
    /// The number of the mount, as in the first field of mountinfo.
    pub mount: Option<u64>,
    /// The text of `/proc/self/mountinfo`, empty where it cannot be read.
    pub mountinfo: String,
}

/// How many descriptors a process may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DescriptorLimit {
    /// As it is.
    pub now: u64,
    /// As far as the process may raise it itself.
    pub most: u64,
}

/// What one thread waits for and others give.
pub trait Signal: Debug + Send + Sync {
    /// Waits until it has been given since the last wait.
    ///
    /// # Errors
    /// When it will never be given again, because everything ends: the thread is to end too.
    fn wait(&self) -> io::Result<()>;
    /// Gives it.
    fn notify(&self);
}

/// What a thread runs.
pub type ThreadBody = Box<dyn FnOnce() + Send>;

/// The operating system.
///
/// Errors are its own, as numbers or as kinds of [`io::Error`].
pub trait System: Debug + Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>>;
    /// Nothing where there is no such entry. Does not follow a symbolic link.
    fn stat(&self, path: &Path) -> io::Result<Option<Stat>>;
    /// The same, through symbolic links.
    fn stat_directory(&self, path: &Path) -> io::Result<Option<Stat>>;
    /// Gives a file another name, in place of whatever has that.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// A second name for a file; fails where `to` exists.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file's name away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, at most `limit`, in no order. Nothing where there is no such directory.
    fn list(&self, directory: &Path, limit: usize) -> io::Result<Option<Vec<String>>>;
    /// Makes a directory, and those above it, where they are missing.
    fn create_directories(&self, path: &Path) -> io::Result<()>;
    /// Returns when the directory's entries are on stable storage.
    fn synchronise_directory(&self, path: &Path) -> io::Result<()>;
    /// Sets the time of the last write, not durably.
    fn stamp(&self, path: &Path, wall: WallTime) -> io::Result<()>;
    /// What file system a directory is on.
    fn mount_of(&self, directory: &Path) -> io::Result<MountFacts>;
    /// How many descriptors this process may have.
    fn descriptor_limit(&self) -> DescriptorLimit;
    /// Lets this process have so many.
    fn raise_descriptor_limit(&self, to: u64) -> io::Result<()>;
    /// A new source of events.
    fn watch(&self) -> io::Result<Arc<dyn Watch>>;
    /// Time since some point, for waits of milliseconds and for one margin that is doubled.
    fn monotonic(&self) -> Nanos;
    /// Starts a thread of this process. Nobody waits for it.
    fn start_thread(&self, name: &str, body: ThreadBody) -> io::Result<()>;
    /// A signal that has not been given.
    fn signal(&self) -> Arc<dyn Signal>;
}

/// This machine's operating system, where the backend knows it.
pub(crate) fn native() -> Option<Arc<dyn System>> {
    #[cfg(target_os = "linux")]
    return Some(Arc::new(linux::Linux));
    #[cfg(not(target_os = "linux"))]
    return None;
}
