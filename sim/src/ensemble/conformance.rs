//! The real backend over the simulated ensemble keeps every promise that it keeps over the real one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tenure_backends::zookeeper::Ensemble as RealEnsemble;
use tenure_backends::zookeeper::simulated::{Task, TaskGuard, Tasks, World};
use tenure_core::testing::conformance::{Ability, Fixture, Report, Suite, TestLock, Trouble};
use tenure_core::{Clock, ElectionName, LockBackend, Nanos, WallTime};

use super::{Ensemble, Habits, Party, Setting, SimServers};
use crate::TrueTime;
use crate::clock::{ClockStart, NodeClock};
use crate::electors::Network;
use crate::executor::{Executor, Handle, Limits, NodeId, Order, Process};

/// How many links there are, on which candidates are spread.
const NODES: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longer than all checks take in true time.
const LONG_ENOUGH: TrueTime = TrueTime::from_nanos(3_600_000_000_000);

#[derive(Clone, Debug)]
struct Servers {
    clock: Arc<dyn Clock>,
    ensemble: Ensemble,
    handle: Handle,
    locks: Arc<Mutex<u64>>,
}

struct Queue {
    fixture: Servers,
    name: String,
    processes: Mutex<BTreeMap<usize, Process>>,
}

fn trouble(error: impl fmt::Display) -> Trouble {
    Trouble::new(error.to_string())
}

/// Tasks of one process.
#[derive(Debug)]
struct OfProcess(Handle, Process);

impl Tasks for OfProcess {
    fn spawn(&self, task: Task) -> TaskGuard {
        self.0.spawn(&self.1, task);
        TaskGuard::new(|| {})
    }
}

#[async_trait]
impl Fixture for Servers {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        let number = {
            let mut locks = self.locks.lock().unwrap();
            *locks += 1;
            *locks
        };
        Ok(Box::new(Queue {
            fixture: self.clone(),
            name: format!("lock-{number}"),
            processes: Mutex::default(),
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let deleted = "a node that somebody else deletes leaves no trace of its having been there";
        let claimed = "a contender's node has no record beside its name";
        let sent_again = "what is lost of a connection is sent again";
        vec![
            (Ability::DeleteLock, deleted),
            (Ability::CopyRecord, claimed),
            (Ability::CorruptRecord, claimed),
            (Ability::EditLabel, claimed),
            (Ability::EmptyRecord, claimed),
            (Ability::OverwriteHolder, claimed),
            (Ability::LoseReply, sent_again),
            (Ability::LoseRequest, sent_again),
        ]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::clone(&self.clock))
    }
}

#[async_trait]
impl TestLock for Queue {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let node = NodeId(u16::try_from(number % NODES).map_err(trouble)?);
        let process = Process::on(node);
        let Servers {
            clock,
            ensemble,
            handle,
            ..
        } = &self.fixture;
        let party = Party {
            clock: Arc::clone(clock),
            node,
            habits: Habits::Crate,
            number: 0,
            process: process.clone(),
            server: None,
            tagger: Arc::new(|_| 0),
        };
        let world = World {
            clock: Arc::clone(clock),
            planted: None,
            servers: Arc::new(SimServers::new(ensemble, party)),
            tasks: Arc::new(OfProcess(handle.clone(), process.clone())),
        };
        let builder = RealEnsemble::builder()
            .clock_drift_ppm(10_000)
            .session_timeout(TIMEOUT);
        let opened = builder.begin_simulated(world).map_err(trouble)?;
        let election = ElectionName::new(&self.name).map_err(trouble)?;
        let lock = opened.lock(election).map_err(trouble)?;
        self.processes.lock().unwrap().insert(number, process);
        Ok(Arc::new(lock))
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        let process = self.processes.lock().unwrap().remove(&number);
        let process = process.ok_or_else(|| trouble("the handle was never asked for"))?;
        self.fixture.ensemble.end_session(&process);
        self.fixture.ensemble.process_died(&process, false);
        self.fixture.handle.sleep(Duration::from_millis(200)).await;
        Ok(())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.name).finish()
    }
}

fn report() -> Report {
    let mut executor = Executor::new(1, Order::Seeded, Limits::STANDARD);
    let setting = Setting {
        network: Network::new(1, NODES),
        rate_ppm: 0,
        seed: 1,
        silent: false,
        sync_limit: None,
        tick: Duration::from_secs(1),
    };
    let start = ClockStart {
        uptime: Nanos::from_millis(1_000),
        rate_ppm: 0,
        wall: WallTime::from_unix_seconds(1_700_000_000),
    };
    let fixture = Servers {
        clock: NodeClock::new(executor.handle(), start).clock(),
        ensemble: Ensemble::new(executor.handle(), setting),
        handle: executor.handle().clone(),
        locks: Arc::default(),
    };
    let report = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&report);
    executor.handle().spawn_in_world(async move {
        let made = Suite::new(fixture).run_all().await;
        *slot.lock().unwrap() = Some(made);
    });
    while report.lock().unwrap().is_none() {
        executor.step(LONG_ENOUGH);
        assert!(executor.now() < LONG_ENOUGH, "the suite does not end");
    }
    let report = report.lock().unwrap().take();
    report.unwrap()
}

#[test]
fn the_backend_keeps_its_promises_over_the_simulated_ensemble() {
    let report = report();
    assert!(report.failed().is_empty(), "{report}");
}
