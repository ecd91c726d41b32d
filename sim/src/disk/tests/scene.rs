use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_backends::file::system::{Open, OpenFile, System};
use tenure_core::{Nanos, WallTime};

use crate::clock::{ClockStart, NodeClock};
use crate::disk::Disk;
use crate::executor::{Executor, Limits, NodeId, Order, Process};
use crate::random::{Purpose, Stream};

/// A disk, and processes that use it.
pub(super) struct Scene {
    pub(super) clock: NodeClock,
    pub(super) disk: Disk,
    pub(super) executor: Executor,
    lives: u64,
    seed: u64,
}

/// A process and its operating system.
#[derive(Clone)]
pub(super) struct Program {
    pub(super) process: Process,
    pub(super) system: Arc<dyn System>,
}

pub(super) fn path(name: &str) -> PathBuf {
    Path::new("/locks").join(name)
}

impl Scene {
    pub(super) fn new(seed: u64) -> Self {
        let executor = Executor::new(seed, Order::Seeded, Limits::STANDARD);
        let start = ClockStart {
            uptime: Nanos::from_millis(1_000_000),
            rate_ppm: 0,
            wall: WallTime::from_unix_seconds(1_800_000_000),
        };
        let mut scene = Self {
            clock: NodeClock::new(executor.handle(), start),
            disk: Disk::new(executor.handle(), seed),
            executor,
            lives: 0,
            seed,
        };
        let founder = scene.program(0);
        founder.system.create_directories(&path("")).unwrap();
        scene
    }

    pub(super) fn program(&mut self, node: u16) -> Program {
        let process = Process::on(NodeId(node));
        self.lives += 1;
        let latency = Stream::new(self.seed, self.lives, Purpose::Disk);
        Program {
            system: self.disk.system(&process, &self.clock, latency),
            process,
        }
    }

    /// Starts a thread of `program` that runs `body`.
    pub(super) fn start<T: Send + 'static>(
        &self,
        program: &Program,
        body: impl FnOnce(&dyn System) -> T + Send + 'static,
    ) -> Arc<Mutex<Option<T>>> {
        let output = Arc::new(Mutex::new(None));
        let (slot, system) = (Arc::clone(&output), Arc::clone(&program.system));
        let body = move || *slot.lock().unwrap() = Some(body(system.as_ref()));
        program.system.start_thread("test", Box::new(body)).unwrap();
        output
    }

    pub(super) fn settle(&mut self, takes: Duration) {
        let until = self.executor.now().plus(takes);
        self.executor.run_until(until);
    }
}

impl Program {
    pub(super) fn open(&self, name: &str, how: Open) -> Arc<dyn OpenFile> {
        self.system.open(&path(name), how).unwrap()
    }

    /// A file of this content, on stable storage with its name.
    pub(super) fn keep(&self, name: &str, bytes: &[u8]) {
        let file = self.open(name, Open::OrCreate);
        file.overwrite(bytes).unwrap();
        file.synchronise().unwrap();
        self.system.synchronise_directory(&path("")).unwrap();
    }
}
