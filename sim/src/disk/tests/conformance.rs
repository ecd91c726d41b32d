//! The real file backend over the simulated disk keeps every promise that it keeps over the kernel's.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenure_backends::file::{FileLock, FileRoot};
use tenure_core::testing::conformance::{Ability, Fixture, Outcome, Suite, TestLock, Trouble};
use tenure_core::{Clock, ElectionName, LockBackend, Nanos, WallTime};

use crate::TrueTime;
use crate::clock::{ClockStart, NodeClock};
use crate::disk::Disk;
use crate::disk::foreign::with_holder;
use crate::executor::{Executor, Handle, Limits, NodeId, Order, Process};
use crate::random::{Purpose, Stream};

const NAME: &str = "nightly";

/// A world of its own for each lock, in the one executor.
#[derive(Clone, Debug)]
struct World {
    clock: NodeClock,
    handle: Handle,
    seed: u64,
}

#[derive(Debug)]
struct Lock {
    disk: Disk,
    handles: Mutex<BTreeMap<usize, Arc<FileLock>>>,
    processes: Mutex<u64>,
    world: World,
}

fn path(suffix: &str) -> PathBuf {
    Path::new("/locks").join(format!("{NAME}{suffix}"))
}

fn trouble(error: impl std::error::Error) -> Trouble {
    Trouble::new(error.to_string())
}

#[async_trait]
impl Fixture for World {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        Ok(Box::new(Lock {
            disk: Disk::new(&self.handle, self.seed),
            handles: Mutex::default(),
            processes: Mutex::default(),
            world: self.clone(),
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let calls = "a system call returns what it did: nothing is lost between the two";
        vec![(Ability::LoseReply, calls), (Ability::LoseRequest, calls)]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(self.clock.clock())
    }
}

#[async_trait]
impl TestLock for Lock {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        // Each candidate is a process of its own.
        let process = Process::on(NodeId(0));
        let life = {
            let mut processes = self.processes.lock().unwrap();
            *processes += 1;
            *processes
        };
        let latency = Stream::new(self.world.seed, life, Purpose::Disk);
        let system = self.disk.system(&process, &self.world.clock, latency);
        let root = FileRoot::builder("/locks").open_on(system);
        let election = ElectionName::new(NAME).map_err(trouble)?;
        let lock = root.and_then(|root| root.lock(election)).map_err(trouble)?;
        let lock = Arc::new(lock);
        let mut handles = self.handles.lock().unwrap();
        handles.insert(number, Arc::clone(&lock));
        Ok(lock)
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        if let Some(lock) = self.handles.lock().unwrap().get(&number) {
            lock.abandon();
        }
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.disk.remove(&path("")).map_err(trouble)
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        let torn = b"tenure-record 1\nholder x\n";
        self.disk.write(&path(".tenure"), torn).map_err(trouble)
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        let record = self.disk.read(&path(".tenure")).map_err(trouble)?;
        let record = with_holder(&record, holder);
        self.disk.write(&path(".tenure"), &record).map_err(trouble)
    }
}

/// Runs what `make` makes of a world to its end.
fn run<T, F>(seed: u64, make: impl FnOnce(World) -> F) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut executor = Executor::new(seed, Order::Seeded, Limits::STANDARD);
    let start = ClockStart {
        uptime: Nanos::from_millis(1_000_000),
        rate_ppm: 0,
        wall: WallTime::from_unix_seconds(1_800_000_000),
    };
    let world = World {
        clock: NodeClock::new(executor.handle(), start),
        handle: executor.handle().clone(),
        seed,
    };
    let output = Arc::new(Mutex::new(None));
    let (future, slot) = (make(world), Arc::clone(&output));
    executor.spawn(&Process::on(NodeId(1)), async move {
        *slot.lock().unwrap() = Some(future.await);
    });
    executor.run_until(TrueTime::from_nanos(1_000_000_000_000));
    output.lock().unwrap().take().expect("the check ends")
}

#[test]
fn the_file_backend_keeps_its_promises_over_a_simulated_disk() {
    let mut passed = 0;
    for name in Suite::<World>::names() {
        for seed in 0..20 {
            let check = |world| async move { Suite::new(world).run(name).await };
            match run(seed, check) {
                Outcome::Passed => passed += 1,
                Outcome::LeftOut(_) => {}
                Outcome::Failed(failure) => panic!("{name}, seed {seed}: {failure}"),
            }
        }
    }
    assert!(passed > 40 * 20, "only {passed} checks were not left out");
}
