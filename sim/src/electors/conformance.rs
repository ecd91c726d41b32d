//! The simulated stores, over the simulated network with nothing wrong, keep what every backend promises.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tenure_core::testing::conformance::{Ability, Fixture, Report, Suite, TestLock, Trouble};
use tenure_core::{Clock, LockBackend, Nanos, WallTime};

use super::connection::{Connection, Wiring};
use super::lock::SimLock;
use super::log::{Actor, Log};
use super::network::Network;
use super::recorded::Current;
use super::store::Store;
use crate::clock::{ClockStart, NodeClock, SimClock};
use crate::executor::{Executor, Handle, Limits, NodeId, Order, Process};
use crate::plan::{Backend, Foreign, NodePlan, Plan};
use crate::{Options, TrueTime};

/// How many links there are, on which candidates are spread.
const NODES: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(6);
/// Longer than all checks take in true time.
const LONG_ENOUGH: TrueTime = TrueTime::from_nanos(3_600_000_000_000);

#[derive(Clone, Debug)]
struct Simulated {
    clock: Arc<SimClock>,
    handle: Handle,
    plan: Plan,
}

struct SimulatedLock {
    connections: Mutex<Vec<(usize, Arc<Connection>)>>,
    fixture: Simulated,
    log: Log,
    wiring: Wiring,
}

impl SimulatedLock {
    fn tamper(&self, foreign: Foreign) {
        self.wiring.store.tamper(foreign);
    }

    fn connection(&self, number: usize) -> Result<Arc<Connection>, Trouble> {
        let connections = self.connections.lock().unwrap();
        let known = connections.iter().find(|(known, _)| *known == number);
        known
            .map(|(_, connection)| Arc::clone(connection))
            .ok_or_else(|| Trouble::new("the handle was never asked for"))
    }
}

#[async_trait]
impl Fixture for Simulated {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        let log = Log::new(self.plan.facts(), &Options::PLAIN, &self.handle);
        let wiring = Wiring {
            handle: self.handle.clone(),
            network: Network::new(self.plan.seed, NODES),
            store: Store::new(&self.plan, &log, &self.handle),
            swallows_hints: false,
        };
        Ok(Box::new(SimulatedLock {
            connections: Mutex::default(),
            fixture: self.clone(),
            log,
            wiring,
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let mut lacks = vec![
            (
                Ability::LoseReply,
                "what is lost is drawn, and not always told",
            ),
            (
                Ability::LoseRequest,
                "what is lost is drawn, and not always told",
            ),
            (
                Ability::OverwriteHolder,
                "the stranger has a name of its own",
            ),
        ];
        if self.plan.backend != Backend::Lease {
            lacks.push((
                Ability::EmptyRecord,
                "a place in a queue has no empty record",
            ));
            lacks.push((Ability::CopyRecord, "a session's lock cannot be copied"));
        }
        lacks
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        let clock: Arc<SimClock> = Arc::clone(&self.clock);
        Some(clock)
    }
}

#[async_trait]
impl TestLock for SimulatedLock {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let node = u16::try_from(number % NODES).map_err(|e| Trouble::new(e.to_string()))?;
        let node = NodeId(node);
        let actor = Actor {
            log: self.log.clone(),
            node,
            process: Process::on(node),
        };
        let clock = Arc::clone(&self.fixture.clock);
        let life = self.log.next_life();
        let connection = Connection::open(
            actor,
            clock,
            Current::default(),
            life,
            TIMEOUT,
            &self.wiring,
        );
        let lock = SimLock::new(&connection, None);
        self.connections.lock().unwrap().push((number, connection));
        Ok(Arc::new(lock))
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        let session = self.connection(number)?.session();
        self.wiring.store.end_session(session);
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.tamper(Foreign::Delete);
        Ok(())
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        self.tamper(Foreign::EditLabel);
        Ok(())
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        self.tamper(Foreign::Empty);
        Ok(())
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        self.tamper(Foreign::Recreate);
        Ok(())
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        self.tamper(Foreign::Corrupt);
        Ok(())
    }
}

impl fmt::Debug for SimulatedLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimulatedLock").field(&self.wiring).finish()
    }
}

fn report(backend: Backend) -> Report {
    let mut plan = Plan::generate(0, backend);
    plan.faults.clear();
    plan.server.silent = false;
    plan.nodes = vec![NodePlan::default(); NODES];
    let mut executor = Executor::new(plan.seed, Order::Seeded, Limits::STANDARD);
    let start = ClockStart {
        uptime: Nanos::from_millis(1_000),
        rate_ppm: 0,
        wall: WallTime::from_unix_seconds(1_700_000_000),
    };
    let fixture = Simulated {
        clock: NodeClock::new(executor.handle(), start).clock(),
        handle: executor.handle().clone(),
        plan,
    };
    let report = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&report);
    executor.spawn(&Process::on(NodeId(0)), async move {
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
fn each_simulated_store_keeps_what_a_backend_promises() {
    for backend in Backend::ALL {
        let report = report(backend);
        assert!(report.failed().is_empty(), "{}: {report}", backend.name());
    }
}
