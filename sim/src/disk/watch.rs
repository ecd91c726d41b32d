use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tenure_backends::file::system::{Event, Watch, WatchId};
use tenure_core::time::Sleep;

use super::inode::Number;
use super::system::Machine;
use super::thread;

/// What happened to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Changed,
    Closed,
}

/// The events that one watch has not read, of the directories that it watches.
#[derive(Default, Debug)]
pub(super) struct Queue {
    directories: BTreeMap<Number, i32>,
    events: VecDeque<Event>,
    made: i32,
    wake: bool,
    waker: Option<Waker>,
}

impl Queue {
    /// Keeps the event, if it is about a directory that is watched. A queue of `most` events is full; who wants to be woken then.
    pub(super) fn tell(
        &mut self,
        directory: Number,
        name: &str,
        deed: Deed,
        most: usize,
    ) -> Option<Waker> {
        let watch = WatchId(*self.directories.get(&directory)?);
        let name = name.to_owned();
        let event = match deed {
            Deed::Changed => Event::Entry { watch, name },
            Deed::Closed => Event::Closed { watch, name },
        };
        let last = self.events.back();
        if last == Some(&event) || last == Some(&Event::Overflow) {
            return None;
        }
        self.events.push_back(if self.events.len() >= most {
            Event::Overflow
        } else {
            event
        });
        self.waker.take()
    }
}

/// A watch of one process.
pub(super) struct SimWatch {
    machine: Arc<Machine>,
    number: u64,
}

impl SimWatch {
    pub(super) fn new(machine: &Arc<Machine>) -> Self {
        let mut state = machine.disk.lock();
        let number = state.number();
        state.watches.insert(number, Queue::default());
        Self {
            machine: Arc::clone(machine),
            number,
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut state = self.machine.disk.lock();
        let queue = state.watches.get_mut(&self.number);
        change(queue.expect("a queue lives as long as its watch"))
    }
}

impl Watch for SimWatch {
    fn add(&self, directory: &Path) -> io::Result<WatchId> {
        let mut state = self.machine.disk.lock();
        let found = state.tree.find(directory)?.ok_or(io::ErrorKind::NotFound)?;
        state.tree.entries(found)?;
        let queue = state.watches.get_mut(&self.number);
        let queue = queue.expect("a queue lives as long as its watch");
        if !queue.directories.contains_key(&found) {
            queue.made += 1;
            queue.directories.insert(found, queue.made);
        }
        Ok(WatchId(queue.directories[&found]))
    }

    fn remove(&self, watch: WatchId) {
        self.with(|queue| queue.directories.retain(|_, known| *known != watch.0));
    }

    fn wait(&self, at_most: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        let sleep = at_most.map(|most| self.machine.clock.sleep_awake(most));
        thread::wait(Waiting {
            machine: Arc::clone(&self.machine),
            number: self.number,
            sleep,
        })?;
        self.with(|queue| {
            queue.wake = false;
            events.extend(queue.events.drain(..));
        });
        Ok(())
    }

    fn wake(&self) {
        let waker = self.with(|queue| {
            queue.wake = true;
            queue.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for SimWatch {
    fn drop(&mut self) {
        let queue = self.machine.disk.lock().watches.remove(&self.number);
        drop(queue);
    }
}

impl fmt::Debug for SimWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimWatch").field(&self.number).finish()
    }
}

struct Waiting {
    machine: Arc<Machine>,
    number: u64,
    sleep: Option<Sleep>,
}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let told = {
            let mut state = self.machine.disk.lock();
            state.watches.get_mut(&self.number).is_none_or(|queue| {
                let told = queue.wake || !queue.events.is_empty();
                if !told {
                    queue.waker = Some(context.waker().clone());
                }
                told
            })
        };
        if told {
            return Poll::Ready(());
        }
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}
