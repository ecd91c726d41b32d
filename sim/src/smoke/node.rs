use std::sync::Arc;
use std::time::Duration;

use tenure_core::elector::Backoff;
use tenure_core::machine::OnMissing;
use tenure_core::memory::SessionId;
use tenure_core::{
    CandidateName, Clock, Control, Election, LockBackend, Nanos, Seed, Timing, WallTime,
};

use super::grammar::judge;
use super::lock::{SimLock, Wiring};
use super::oracle::Oracle;
use super::plan::NodePlan;
use super::sabotage::Sabotage;
use super::watchdog::SimWatchdog;
use super::work::Work;
use crate::TrueTime;
use crate::clock::{ClockStart, NodeClock};
use crate::executor::{Executor, NodeId, Process};
use crate::random::{Purpose, Stream};

/// Short beside the quiet time, in which somebody has to lead though all have just ended their work.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(8),
};

/// A machine, and the candidate that runs on it now.
#[derive(Debug)]
pub(super) struct Node {
    /// Whether the machine is suspended.
    pub(super) asleep: bool,
    pub(super) clock: NodeClock,
    pub(super) id: NodeId,
    plan: NodePlan,
    pub(super) running: Option<Running>,
    seeds: Stream,
    /// Whether the process is stopped, as by SIGSTOP.
    pub(super) stopped: bool,
}

/// A candidate's process.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) control: Control,
    lock: Arc<SimLock>,
    pub(super) process: Process,
}

/// What a node's processes are made of.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) executor: &'a Executor,
    pub(super) oracle: &'a Oracle,
    pub(super) quiet_from: TrueTime,
    pub(super) wiring: &'a Wiring,
}

/// The timing of a candidate with this lease duration.
pub(super) fn timing(lease_ms: u64) -> Timing {
    Timing::builder()
        .lease_duration(Duration::from_millis(lease_ms))
        .renew_interval(Duration::from_millis(lease_ms * 3 / 10))
        .request_timeout(Duration::from_millis(750))
        .stop_timeout(Duration::from_millis(1_000))
        .build()
        .expect("every plan's lease duration makes a timing")
}

impl Node {
    pub(super) fn new(seed: u64, id: NodeId, plan: &NodePlan, wiring: &Wiring) -> Self {
        let start = ClockStart {
            uptime: Nanos::from_millis(plan.uptime_ms),
            rate_ppm: plan.rate_ppm,
            wall: WallTime::from_unix_seconds(plan.wall_s),
        };
        Self {
            asleep: false,
            clock: NodeClock::new(&wiring.handle, start),
            id,
            plan: plan.clone(),
            running: None,
            seeds: Stream::new(seed, u64::from(id.0), Purpose::Elector),
            stopped: false,
        }
    }

    fn elector_clock(&self, sabotage: Option<Sabotage>) -> Arc<dyn Clock> {
        match sabotage {
            Some(Sabotage::MonotonicOnly) => self.clock.clock_without_boottime(),
            _ => self.clock.clock(),
        }
    }

    /// Starts a process, unless one runs.
    pub(super) fn start(&mut self, scene: &Scene<'_>) {
        if self.running.is_some() {
            return;
        }
        let process = Process::on(self.id);
        let lock = Arc::new(SimLock::connect(scene.wiring, self.id, &process));
        let backend: Arc<dyn LockBackend> = Arc::<SimLock>::clone(&lock);
        let seed = Seed::from_bits([self.seeds.next_u64(), self.seeds.next_u64()]);
        let name = CandidateName::new(&self.id.to_string()).expect("a node's id is a name");
        let timing = timing(self.plan.lease_ms);
        let clock = self.elector_clock(scene.wiring.sabotage);
        let mut election = Election::builder(backend, clock, seed)
            .candidate(name)
            .timing(timing)
            .on_missing(OnMissing::Wait)
            .watchdog(Arc::new(SimWatchdog {
                clock: self.clock.clone(),
                handle: scene.wiring.handle.clone(),
                process: process.clone(),
            }))
            .build()
            .expect("every plan's timing fits its store");
        let control = election.control();
        let handle = scene.executor.handle().clone();
        scene.executor.spawn(
            &process,
            judge(
                control.events(),
                self.id,
                scene.oracle.clone(),
                handle.clone(),
            ),
        );
        let work = Work {
            handle,
            lasts: self.plan.work_lasts_ms.map(Duration::from_millis),
            oracle: scene.oracle.clone(),
            process: process.clone(),
            quiet_from: scene.quiet_from,
            stop_takes: Duration::from_millis(self.plan.stop_takes_ms),
            stop_timeout: timing.stop_timeout(),
        };
        scene.executor.spawn(&process, async move {
            let make = |leadership| {
                let work = work.clone();
                async move {
                    work.run(leadership).await;
                    Ok::<(), String>(())
                }
            };
            // Shutting down is the only way out of it.
            drop(election.run_forever(BACKOFF, make).await);
        });
        self.running = Some(Running {
            control,
            lock,
            process,
        });
    }

    /// Kills the process, without a word to anybody.
    pub(super) fn kill(&mut self, executor: &mut Executor, wiring: &Wiring) {
        self.stopped = false;
        if let Some(running) = self.running.take() {
            executor.kill(&running.process);
            let session: SessionId = running.lock.session();
            wiring.store.process_died(session);
        }
    }
}
