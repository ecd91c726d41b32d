use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use nix::fcntl::FcntlArg;
use nix::libc;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{AtFlags, CWD, Timestamps, XattrFlags};
use rustix::process::{Resource, Rlimit};
use tenure_core::{Nanos, WallTime};

use super::{
    DescriptorLimit, Event, FileKind, MountFacts, Open, OpenFile, Signal, Stat, System, ThreadBody,
    Watch, WatchId,
};
use crate::locked::locked;

const ATTRIBUTE: &CStr = c"user.tenure.token";
const ATTRIBUTE_BYTES_MAX: usize = 512;
/// Room for some forty events; the rest is read in the next turn.
const EVENT_BYTES: usize = 4096;

/// The system calls themselves.
#[derive(Debug)]
pub(crate) struct Linux;

impl System for Linux {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(how != Open::ToRead);
        match how {
            Open::OrCreate => options.create(true),
            Open::New => options.create_new(true),
            Open::Existing | Open::ToRead => &mut options,
        };
        // Without waiting, so that a named pipe in place of a file cannot hang the thread. std sets O_CLOEXEC.
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        Ok(Arc::new(LinuxFile(options.open(path)?)))
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        found(path.symlink_metadata())
    }

    fn stat_directory(&self, path: &Path) -> io::Result<Option<Stat>> {
        found(path.metadata())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, directory: &Path, limit: usize) -> io::Result<Option<Vec<String>>> {
        let entries = match std::fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries.take(limit) {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(Some(names))
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn synchronise_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn stamp(&self, path: &Path, wall: WallTime) -> io::Result<()> {
        let at = Timespec {
            tv_sec: i64::try_from(wall.unix_seconds()).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(wall.unix_micros() % 1_000_000 * 1000).unwrap_or_default(),
        };
        let times = Timestamps {
            last_access: at,
            last_modification: at,
        };
        rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }

    fn mount_of(&self, directory: &Path) -> io::Result<MountFacts> {
        let opened = File::open(directory)?;
        let magic = rustix::fs::fstatfs(&opened)?.f_type;
        let information = format!("/proc/self/fdinfo/{}", opened.as_raw_fd());
        let mount = std::fs::read_to_string(information)
            .ok()
            .and_then(|text| mount_number(&text));
        Ok(MountFacts {
            // Signed on some architectures and narrow on others; its lower 32 bits are what counts.
            magic: u64::try_from(i128::from(magic) & 0xffff_ffff).unwrap_or_default(),
            mount,
            mountinfo: std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(),
        })
    }

    fn descriptor_limit(&self) -> DescriptorLimit {
        let limit = rustix::process::getrlimit(Resource::Nofile);
        DescriptorLimit {
            now: limit.current.unwrap_or(u64::MAX),
            most: limit.maximum.unwrap_or(u64::MAX),
        }
    }

    fn raise_descriptor_limit(&self, to: u64) -> io::Result<()> {
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        rustix::process::setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(to),
                maximum,
            },
        )?;
        Ok(())
    }

    fn watch(&self) -> io::Result<Arc<dyn Watch>> {
        Ok(Arc::new(Inotify {
            queue: rustix::fs::inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            wake: rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        }))
    }

    fn monotonic(&self) -> Nanos {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let rest = u64::try_from(now.tv_nsec).unwrap_or_default();
        Nanos::new(seconds.saturating_mul(1_000_000_000).saturating_add(rest))
    }

    fn start_thread(&self, name: &str, body: ThreadBody) -> io::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned());
        thread.spawn(body).map(drop)
    }

    fn signal(&self) -> Arc<dyn Signal> {
        Arc::new(Flag::default())
    }
}

#[derive(Default, Debug)]
struct Flag {
    changed: Condvar,
    given: Mutex<bool>,
}

impl Signal for Flag {
    fn wait(&self) -> io::Result<()> {
        let given = locked(&self.given);
        let waited = self.changed.wait_while(given, |given| !*given);
        *waited.unwrap_or_else(PoisonError::into_inner) = false;
        Ok(())
    }

    fn notify(&self) {
        *locked(&self.given) = true;
        self.changed.notify_one();
    }
}

fn mount_number(information: &str) -> Option<u64> {
    let line = information
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:"))?;
    line.trim().parse().ok()
}

fn found(metadata: io::Result<std::fs::Metadata>) -> io::Result<Option<Stat>> {
    match metadata {
        Ok(metadata) => Ok(Some(stat_of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn stat_of(metadata: &std::fs::Metadata) -> Stat {
    let kind = metadata.file_type();
    let seconds = u64::try_from(metadata.mtime()).unwrap_or_default();
    let micros = u64::try_from(metadata.mtime_nsec()).unwrap_or_default() / 1000;
    Stat {
        inode: metadata.ino(),
        kind: if kind.is_file() {
            FileKind::Regular
        } else if kind.is_dir() {
            FileKind::Directory
        } else {
            FileKind::Other
        },
        modified: WallTime::from_unix_seconds(seconds)
            .saturating_add(Duration::from_micros(micros)),
        size: metadata.len(),
    }
}

#[derive(Debug)]
struct LinuxFile(File);

/// The whole file, however long it is or will be: what Java's `tryLock()` locks too.
fn whole(kind: i32) -> libc::flock {
    let narrow = |value: i32| i16::try_from(value).expect("the kernel's constants fit");
    libc::flock {
        l_type: narrow(kind),
        l_whence: narrow(libc::SEEK_SET),
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

impl OpenFile for LinuxFile {
    fn try_lock(&self) -> io::Result<bool> {
        match nix::fcntl::fcntl(&self.0, FcntlArg::F_OFD_SETLK(&whole(libc::F_WRLCK))) {
            Ok(_) => Ok(true),
            Err(nix::Error::EAGAIN | nix::Error::EACCES) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        nix::fcntl::fcntl(&self.0, FcntlArg::F_OFD_SETLK(&whole(libc::F_UNLCK)))?;
        Ok(())
    }

    fn is_locked_by_another(&self) -> io::Result<bool> {
        let mut lock = whole(libc::F_WRLCK);
        nix::fcntl::fcntl(&self.0, FcntlArg::F_OFD_GETLK(&mut lock))?;
        Ok(i32::from(lock.l_type) != libc::F_UNLCK)
    }

    fn stat(&self) -> io::Result<Stat> {
        Ok(stat_of(&self.0.metadata()?))
    }

    fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; limit];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn overwrite(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, 0)?;
        self.0.set_len(bytes.len() as u64)
    }

    fn read_attribute(&self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; ATTRIBUTE_BYTES_MAX];
        match rustix::fs::fgetxattr(&self.0, ATTRIBUTE, &mut bytes[..]) {
            Ok(length) => {
                bytes.truncate(length);
                Ok(Some(bytes))
            }
            Err(rustix::io::Errno::NODATA) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write_attribute(&self, bytes: &[u8]) -> io::Result<()> {
        rustix::fs::fsetxattr(&self.0, ATTRIBUTE, bytes, XattrFlags::empty())?;
        Ok(())
    }

    fn synchronise(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(self.0.try_clone()?.into())
    }
}

/// Not among the events: writes and changed attributes, so that a leader's heartbeat wakes nobody.
const WATCHED: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::EXCL_UNLINK)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

#[derive(Debug)]
struct Inotify {
    queue: OwnedFd,
    wake: OwnedFd,
}

impl Watch for Inotify {
    fn add(&self, directory: &Path) -> io::Result<WatchId> {
        let watch = rustix::fs::inotify::add_watch(&self.queue, directory, WATCHED)?;
        Ok(WatchId(watch))
    }

    fn remove(&self, watch: WatchId) {
        // A watch that has ended by itself is as good as removed.
        let _ = rustix::fs::inotify::remove_watch(&self.queue, watch.0);
    }

    fn wait(&self, at_most: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        let mut polled = [
            PollFd::new(&self.queue, PollFlags::IN),
            PollFd::new(&self.wake, PollFlags::IN),
        ];
        let timeout = at_most.and_then(|most| Timespec::try_from(most).ok());
        match rustix::event::poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.wake, &mut count[..]);
        let mut buffer = [MaybeUninit::uninit(); EVENT_BYTES];
        let mut reader = Reader::new(&self.queue, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => events.extend(translate(&event)),
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if reader.is_buffer_empty() {
                return Ok(());
            }
        }
    }

    fn wake(&self) {
        // Fails only when a wake-up is pending already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}

fn translate(event: &rustix::fs::inotify::Event<'_>) -> Option<Event> {
    let watch = WatchId(event.wd());
    let flags = event.events();
    if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
        return Some(Event::Overflow);
    }
    if flags.intersects(
        ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT,
    ) {
        return Some(Event::Gone { watch });
    }
    let name = event.file_name()?.to_str().ok()?.to_owned();
    Some(if flags.contains(ReadFlags::CLOSE_WRITE) {
        Event::Closed { watch, name }
    } else {
        Event::Entry { watch, name }
    })
}
