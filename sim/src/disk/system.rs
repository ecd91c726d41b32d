use std::fmt;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_backends::file::system::{
    DescriptorLimit, MountFacts, Open, OpenFile, Signal, Stat, System, ThreadBody, Watch,
};
use tenure_core::{Clock, Nanos, WallTime};

use super::Disk;
use super::file::SimFile;
use super::state::{Caller, State};
use super::thread::{self, Thread};
use super::watch::SimWatch;
use crate::clock::NodeClock;
use crate::executor::Process;
use crate::random::Stream;

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// `f_type` of ext4, whose locks exclude all that share it.
const EXT4: u64 = 0xef53;

/// How much a system call has to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effort {
    /// What is in memory: mostly no time at all.
    Memory,
    /// Stable storage.
    Storage,
}

/// What the system calls of one process go through.
pub(super) struct Machine {
    pub(super) clock: NodeClock,
    pub(super) disk: Disk,
    latency: Mutex<Stream>,
    pub(super) process: Process,
}

impl Machine {
    pub(super) fn new(disk: &Disk, process: &Process, clock: &NodeClock, latency: Stream) -> Self {
        Self {
            clock: clock.clone(),
            disk: disk.clone(),
            latency: Mutex::new(latency),
            process: process.clone(),
        }
    }

    /// Lets the time of a system call pass, in which anything may happen.
    ///
    /// # Errors
    /// When the process is gone.
    pub(super) fn enter(&self, effort: Effort) -> io::Result<()> {
        if thread::is_inside() {
            let takes = self.draw(effort);
            if !takes.is_zero() {
                thread::wait(self.disk.handle().sleep(takes))?;
            }
            if self.disk.lock().hung {
                self.wait_while_hung()?;
            }
        }
        thread::is_not_ending()?;
        if self.process.is_alive() {
            Ok(())
        } else {
            Err(io::Error::other("the process is gone"))
        }
    }

    fn draw(&self, effort: Effort) -> Duration {
        let mut stream = self.latency.lock().expect(ONE_THREAD);
        let nanos = match (effort, stream.below(1024)) {
            (Effort::Memory, 0) => stream.below(20_000_000),
            (Effort::Memory, 1..=64) => stream.below(50_000),
            (Effort::Memory, _) => 0,
            (Effort::Storage, 0) => stream.below(3_000_000_000),
            (Effort::Storage, 1..=16) => stream.below(200_000_000),
            (Effort::Storage, _) => stream.within(200_000..=5_000_000),
        };
        Duration::from_nanos(nanos)
    }

    fn wait_while_hung(&self) -> io::Result<()> {
        let disk = self.disk.clone();
        thread::wait(poll_fn(move |context| {
            let mut state = disk.lock();
            if !state.hung {
                return Poll::Ready(());
            }
            state.stuck.push(context.waker().clone());
            Poll::Pending
        }))
    }

    pub(super) fn caller(&self) -> Caller {
        Caller {
            node: self.process.node(),
            process: self.process.clone(),
            wall: self.clock.clock().wall(),
        }
    }

    /// Changes the disk, and wakes whom it tells.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut State, &Caller) -> io::Result<(T, Vec<Waker>)>,
    ) -> io::Result<T> {
        let caller = self.caller();
        let (value, wakers) = change(&mut self.disk.lock(), &caller)?;
        wakers.into_iter().for_each(Waker::wake);
        Ok(value)
    }
}

/// The operating system as a process of the simulation has it.
pub(super) struct SimSystem(pub(super) Arc<Machine>);

impl SimSystem {
    fn look_up(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.0.enter(Effort::Memory)?;
        let node = self.0.process.node();
        self.0.disk.lock().look_up(path, node)
    }
}

impl System for SimSystem {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>> {
        self.0.enter(Effort::Memory)?;
        let id = self
            .0
            .change(|state, caller| state.open(path, how, caller))?;
        Ok(Arc::new(SimFile::new(&self.0, id)))
    }

    fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.look_up(path)
    }

    fn stat_directory(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.look_up(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.enter(Effort::Memory)?;
        self.0
            .change(|state, caller| Ok(((), state.rename(from, to, caller)?)))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.enter(Effort::Memory)?;
        self.0
            .change(|state, caller| Ok(((), state.link(from, to, caller)?)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.enter(Effort::Memory)?;
        self.0
            .change(|state, caller| Ok(((), state.remove(path, caller.node)?)))
    }

    fn list(&self, directory: &Path, limit: usize) -> io::Result<Option<Vec<String>>> {
        self.0.enter(Effort::Memory)?;
        let state = self.0.disk.lock();
        let Some(found) = state.tree.find(directory)? else {
            return Ok(None);
        };
        let names = state.tree.entries(found)?.keys();
        Ok(Some(names.take(limit).cloned().collect()))
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        self.0.enter(Effort::Memory)?;
        self.0
            .change(|state, _| Ok(((), state.create_directories(path)?)))
    }

    fn synchronise_directory(&self, path: &Path) -> io::Result<()> {
        self.0.enter(Effort::Storage)?;
        let mut state = self.0.disk.lock();
        let found = state.tree.find(path)?.ok_or(io::ErrorKind::NotFound)?;
        state.tree.save_entries(found);
        Ok(())
    }

    fn stamp(&self, path: &Path, wall: WallTime) -> io::Result<()> {
        self.0.enter(Effort::Memory)?;
        let mut state = self.0.disk.lock();
        let found = state.tree.find(path)?.ok_or(io::ErrorKind::NotFound)?;
        let node = self.0.process.node();
        state.tree.inode_mut(found).change(node).modified = wall;
        Ok(())
    }

    fn mount_of(&self, _directory: &Path) -> io::Result<MountFacts> {
        Ok(MountFacts {
            magic: EXT4,
            mount: None,
            mountinfo: String::new(),
        })
    }

    fn descriptor_limit(&self) -> DescriptorLimit {
        DescriptorLimit {
            now: u64::MAX,
            most: u64::MAX,
        }
    }

    fn raise_descriptor_limit(&self, _to: u64) -> io::Result<()> {
        Ok(())
    }

    fn watch(&self) -> io::Result<Arc<dyn Watch>> {
        Ok(Arc::new(SimWatch::new(&self.0)))
    }

    fn monotonic(&self) -> Nanos {
        self.0.clock.monotonic()
    }

    fn start_thread(&self, _name: &str, body: ThreadBody) -> io::Result<()> {
        let machine = &self.0;
        let thread = Thread::new(&machine.disk, &machine.process, body);
        machine.disk.handle().spawn_thread(&machine.process, thread);
        Ok(())
    }

    fn signal(&self) -> Arc<dyn Signal> {
        Arc::new(SimSignal::default())
    }
}

impl fmt::Debug for SimSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimSystem").field(&self.0.process).finish()
    }
}

#[derive(Default, Debug)]
struct Given {
    given: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Default, Debug)]
struct SimSignal(Arc<Mutex<Given>>);

impl Signal for SimSignal {
    fn wait(&self) -> io::Result<()> {
        let signal = self.clone();
        thread::wait(poll_fn(move |context| {
            let mut given = signal.0.lock().expect(ONE_THREAD);
            if std::mem::take(&mut given.given) {
                return Poll::Ready(());
            }
            given.waker = Some(context.waker().clone());
            Poll::Pending
        }))
    }

    fn notify(&self) {
        let waker = {
            let mut given = self.0.lock().expect(ONE_THREAD);
            given.given = true;
            given.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
