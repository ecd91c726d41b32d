//! A simulated file system, under the real file backend: what it keeps when a process dies and what it loses when the power goes.
//!
//! - Inodes with numbers that are given again, names, hard links, renames and deletions; two files of one name are two locks.
//! - A lock belongs to an open file description: it is kept while a process is stopped, shared by who inherits the descriptor, and
//!   freed at the last close, a moment after that was told to those who watch.
//! - What was not synchronised is lost or torn when its machine loses power, and a rename may be undone.
//! - A disk that is full, that hangs, that tells nobody of changes or loses events; somebody who is no candidate.
//!
//! The backend's own threads run on it, each as a task of the executor with a stack of its own. They wait in system calls, and
//! there anything else may happen: another process's calls, a pause, the death of their own process. A process that is dead changes
//! nothing any more.

mod file;
mod foreign;
mod inode;
mod open;
mod power;
mod state;
mod system;
#[cfg(test)]
mod tests;
mod thread;
mod tree;
mod watch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::Duration;

use tenure_backends::file::system::System;

use self::open::DescriptionId;
use self::state::State;
use self::system::{Machine, SimSystem};
use self::watch::Deed;
use crate::clock::NodeClock;
use crate::executor::{Handle, NodeId, Process};
use crate::random::{Purpose, Stream};

/// A disk that the candidates of a run share, each on a machine of its own. Clones are the same disk.
#[derive(Clone)]
pub struct Disk(Arc<Shared>);

struct Shared {
    handle: Handle,
    state: Mutex<State>,
}

impl Disk {
    /// An empty disk for the run of `seed`.
    pub fn new(handle: &Handle, seed: u64) -> Self {
        let draw = Stream::new(seed, u64::MAX, Purpose::Disk);
        Self(Arc::new(Shared {
            handle: handle.clone(),
            state: Mutex::new(State::new(draw)),
        }))
    }

    /// The operating system as `process` has it, on the machine with these clocks. How long its calls take is drawn from `latency`.
    pub fn system(&self, process: &Process, clock: &NodeClock, latency: Stream) -> Arc<dyn System> {
        let machine = Machine::new(self, process, clock, latency);
        Arc::new(SimSystem(Arc::new(machine)))
    }

    /// Closes all that `process` had open. Done by itself when a dead process's threads are dropped; what has inherited a descriptor
    /// and has no threads here is told so.
    pub fn reap(&self, process: &Process) {
        let held: Vec<DescriptionId> = {
            let state = self.lock();
            let descriptions = state.descriptions.iter();
            descriptions
                .filter(|(_, description)| description.holders.iter().any(|of| of.is(process)))
                .map(|(id, _)| *id)
                .collect()
        };
        for id in held {
            let closed = self.lock().close(id, process);
            if let Some((id, wakers)) = closed {
                wakers.into_iter().for_each(Waker::wake);
                self.end_late(id);
            }
        }
    }

    /// `heir` inherits the descriptors of the locks that `process` has, as a job does that is started while leading.
    pub fn inherit(&self, process: &Process, heir: &Process) {
        let mut state = self.lock();
        let State {
            descriptions, tree, ..
        } = &mut *state;
        for (id, description) in descriptions {
            let locked = tree.inode(description.inode).lock == Some(*id);
            if locked && description.holders.iter().any(|of| of.is(process)) {
                description.holders.push(heir.clone());
            }
        }
    }

    /// The machine `node` loses power: what it has not synchronised is lost or torn. Its processes are to be killed by then.
    pub fn lose_power(&self, node: NodeId) {
        let wakers: Vec<Waker> = {
            let mut state = self.lock();
            let State { draw, tree, .. } = &mut *state;
            let touched = power::cut(tree, node, draw);
            let tell = |(directory, name): (_, String)| state.tell(directory, &name, Deed::Changed);
            touched.into_iter().flat_map(tell).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// There is no room left from now on.
    pub fn fill(&self) {
        self.lock().full = true;
    }

    /// There is room again.
    pub fn make_room(&self) {
        self.lock().full = false;
    }

    /// Every system call waits from now on.
    pub fn hang(&self) {
        self.lock().hung = true;
    }

    /// System calls go on.
    pub fn go_on(&self) {
        let stuck = {
            let mut state = self.lock();
            state.hung = false;
            std::mem::take(&mut state.stuck)
        };
        stuck.into_iter().for_each(Waker::wake);
    }

    /// Nobody is told of changes from now on, as where other machines make them.
    pub fn fall_silent(&self) {
        self.lock().silent = true;
    }

    /// Changes are told again.
    pub fn tell_again(&self) {
        self.lock().silent = false;
    }

    /// How many events a queue holds from now on; what is more is lost, and that is told.
    pub fn hold_events(&self, most: usize) {
        self.lock().events_max = most;
    }

    fn handle(&self) -> &Handle {
        &self.0.handle
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0
            .state
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }

    /// A living process closes a descriptor. When its call returns the lock is free.
    fn close(&self, id: DescriptionId, process: &Process) {
        let wakers = {
            let mut state = self.lock();
            let Some((id, wakers)) = state.close(id, process) else {
                return;
            };
            state.end(id);
            wakers
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The kernel tells of a close a little before it frees the lock.
    fn end_late(&self, id: DescriptionId) {
        let late = {
            let mut state = self.lock();
            match state.draw.below(16) {
                0 => state.draw.below(20_000_000),
                1..=7 => state.draw.below(2_000_000),
                _ => 0,
            }
        };
        if late == 0 {
            self.lock().end(id);
            return;
        }
        let disk = self.clone();
        self.handle().spawn_in_world(async move {
            disk.handle().sleep(Duration::from_nanos(late)).await;
            disk.lock().end(id);
        });
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Disk").finish_non_exhaustive()
    }
}
