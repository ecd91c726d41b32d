use std::sync::Arc;
use std::time::Duration;

use tenure_core::backend::RequestKind;
use tenure_core::elector::Backoff;
use tenure_core::machine::OnMissing;
use tenure_core::{CandidateName, Clock, Election, LockBackend, Nanos, Seed, Timing, WallTime};

use super::belief::{Beliefs, Believer};
use super::connection::{Connection, Wiring};
use super::cron::Cron;
use super::events::tell_all;
use super::exits::Exits;
use super::files::Files;
use super::leases::Leases;
use super::lock::SimLock;
use super::log::{Actor, Log};
use super::queues::Queues;
use super::recorded::{Current, Recorded, Sends};
use super::resource::Resource;
use super::rival::{Mailbox, Rival};
use super::steering::Steering;
use super::watchdog::SimWatchdog;
use super::work::{Orders, Work};
use crate::api_server::Link;
use crate::clock::{ClockStart, NodeClock, SimClock};
use crate::executor::{Executor, Handle, NodeId, Process};
use crate::peers::{Curator, Peer};
use crate::plan::{Foreign, NodePlan, OnMissingPlan, Plan};
use crate::planted::{Bug, Distortion};
use crate::random::{Purpose, Stream};
use crate::trace::{Down, Life, What};

/// Short beside the quiet time, in which somebody has to lead though all have just ended their work.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(8),
};

/// A machine, and the candidate that runs on it now.
#[derive(Debug)]
pub(super) struct Node {
    /// Whether no process is ever started here again.
    pub(super) away: bool,
    pub(super) clock: NodeClock,
    pub(super) id: NodeId,
    pub(super) orders: Orders,
    pub(super) plan: NodePlan,
    pub(super) running: Option<Running>,
    seeds: Stream,
    timing: Timing,
}

/// A candidate's process.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) actor: Actor,
    /// To the store; nothing where the lock is a file.
    pub(super) connection: Option<Arc<Connection>>,
    life: Life,
    pub(super) eligible: bool,
    /// To API servers, where the lock is a Lease of them.
    pub(super) links: Vec<Link>,
    /// The ensemble, where the lock is a queue of nodes.
    pub(super) queues: Option<Queues>,
    pub(super) steering: Steering,
}

/// The exit code of what SIGKILL has ended.
const KILLED: i32 = 137;

/// How a process reaches its lock.
#[derive(Default, Debug)]
struct Ways {
    connection: Option<Arc<Connection>>,
    links: Vec<Link>,
    queues: Option<Queues>,
}

/// What a node's processes are made of, common to all.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) beliefs: Beliefs,
    pub(super) bug: Option<Bug>,
    pub(super) cron: Option<Cron>,
    pub(super) exits: Exits,
    /// Where the lock is a file on a simulated disk.
    pub(super) files: Option<Files>,
    /// Where the lock is a Lease on simulated API servers.
    pub(super) leases: Option<Leases>,
    pub(super) log: Log,
    pub(super) on_missing: OnMissingPlan,
    /// How many times as slow everything goes that has no time of its own in the plan.
    pub(super) pace: u32,
    /// Another election in place of ours.
    pub(super) peer: Option<Peer>,
    /// Where the lock is a queue of nodes on a simulated ensemble.
    pub(super) queues: Option<Queues>,
    pub(super) quiet_from: crate::TrueTime,
    pub(super) resource: Resource,
    pub(super) wiring: Wiring,
}

impl Scene {
    /// What is done around the decisions, if a mistake is planted there.
    pub(super) fn distortion(&self) -> Option<Distortion> {
        self.bug.and_then(Bug::distortion)
    }

    /// An operator leaves a request.
    pub(super) fn submit(&self, kind: RequestKind) {
        match (&self.files, &self.leases, &self.queues) {
            (Some(files), ..) => files.submit(kind),
            (None, Some(leases), _) => leases.submit(kind),
            (None, None, Some(queues)) => queues.submit(kind),
            (None, None, None) => self.wiring.store.submit(kind),
        }
    }

    /// Somebody who is no candidate changes the lock.
    pub(super) fn tamper(&self, foreign: Foreign) {
        match (&self.files, &self.leases, &self.queues) {
            (Some(files), ..) => files.tamper(foreign),
            (None, Some(leases), _) => leases.tamper(foreign),
            (None, None, Some(queues)) => queues.tamper(foreign),
            (None, None, None) => self.wiring.store.tamper(foreign),
        }
    }
}

impl Node {
    pub(super) fn new(plan: &Plan, index: usize, timing: Timing, handle: &Handle) -> Self {
        let node = &plan.nodes[index];
        let number = u16::try_from(index).expect("a plan has a handful of nodes");
        let start = ClockStart {
            uptime: Nanos::from(node.uptime),
            rate_ppm: node.rate_ppm,
            wall: WallTime::from_unix_seconds(node.wall_s),
        };
        Self {
            away: false,
            clock: NodeClock::new(handle, start),
            id: NodeId(number),
            orders: Orders::default(),
            plan: node.clone(),
            running: None,
            seeds: Stream::new(plan.seed, number.into(), Purpose::Elector),
            timing,
        }
    }

    /// Starts a process, unless one runs.
    pub(super) fn start(&mut self, scene: &Scene, executor: &Executor) {
        if self.running.is_some() || self.away {
            return;
        }
        let seed = Seed::from_bits([self.seeds.next_u64(), self.seeds.next_u64()]);
        let actor = Actor {
            log: scene.log.clone(),
            node: self.id,
            process: Process::on(self.id),
        };
        let life = scene.log.next_life();
        actor.tell(What::Up { life });
        let (ways, steering) = match (&scene.queues, scene.peer) {
            (Some(queues), Some(_)) => self.start_rival(scene, queues, &actor, life),
            _ => self.start_election(scene, executor, (&actor, life), seed),
        };
        let Ways {
            connection,
            links,
            queues,
        } = ways;
        self.running = Some(Running {
            actor,
            connection,
            eligible: true,
            life,
            links,
            queues,
            steering,
        });
    }

    fn start_election(
        &self,
        scene: &Scene,
        executor: &Executor,
        (actor, life): (&Actor, Life),
        seed: Seed,
    ) -> (Ways, Steering) {
        let believer = Believer {
            actor: actor.clone(),
            clock: self.elector_clock(scene.distortion()),
            sends: Sends::default(),
        };
        let (ways, backend) = self.connect(scene, &believer, life);
        let mut election = self.election(scene, &believer, backend, seed);
        let control = election.control();
        scene
            .log
            .name_life(life, control.view().candidate.incarnation);
        // On a thread of its own, so that what is told is told when it happens.
        let events = tell_all(control.events(), actor.clone());
        executor.handle().spawn_thread(&actor.process, events);
        let work = self.work(scene, actor);
        let (exits, node, teller) = (scene.exits.clone(), self.id, actor.clone());
        let handle = scene.wiring.handle.clone();
        executor.spawn(&actor.process, async move {
            let make = |leadership| {
                let work = work.clone();
                async move {
                    work.run(leadership).await;
                    Ok::<(), String>(())
                }
            };
            // Shutting down is the only way out of it.
            drop(election.run_forever(BACKOFF, make).await);
            // A process ends when its users have read what was told to them.
            handle.sleep(Duration::from_nanos(1)).await;
            teller.tell(What::ShutDown);
            exits.end(node);
        });
        (ways, Steering::Election(control))
    }

    /// A candidate of another make, of which there is one that knows ensembles.
    fn start_rival(
        &self,
        scene: &Scene,
        queues: &Queues,
        actor: &Actor,
        life: Life,
    ) -> (Ways, Steering) {
        let (clock, current) = (self.clock.clock(), Current::default());
        let clock: Arc<dyn Clock> = clock;
        let mailbox = Mailbox::default();
        let servers = queues.servers_of_a_rival(actor, &clock, &current, (life, self.plan.server));
        let rival = Rival {
            actor: actor.clone(),
            beliefs: scene.beliefs.clone(),
            clock,
            current,
            exits: scene.exits.clone(),
            handle: scene.wiring.handle.clone(),
            mailbox: mailbox.clone(),
            model: Curator::new(life.0),
            servers: Arc::new(servers),
            session: None,
            session_timeout: self.timing.lease_duration(),
            works: None,
        };
        scene.wiring.handle.spawn(&actor.process, rival.run());
        let ways = Ways {
            queues: Some(queues.clone()),
            ..Ways::default()
        };
        (ways, Steering::Rival(mailbox))
    }

    /// The running process's connection to the store.
    pub(super) fn connection(&self) -> Option<&Arc<Connection>> {
        self.running.as_ref()?.connection.as_ref()
    }

    /// What the running process has sent and has not arrived yet never arrives.
    pub(super) fn cut(&self) {
        let Some(running) = &self.running else {
            return;
        };
        running.links.iter().for_each(Link::cut);
        if let Some(queues) = &running.queues {
            queues.died(&running.actor.process, true);
        }
        if let Some(connection) = &running.connection {
            connection.cut();
        }
    }

    /// The running process's connections break: whoever waits is told so.
    pub(super) fn broke(&self) {
        let Some(running) = &self.running else {
            return;
        };
        running.links.iter().for_each(Link::broke);
        if let Some(queues) = &running.queues {
            queues.broke(self.id);
        }
        if let Some(connection) = &running.connection {
            connection.broke();
        }
    }

    /// The running process's connections to one API server break.
    pub(super) fn server_went(&self, server: usize) {
        let links = self.running.iter().flat_map(|running| &running.links);
        links.for_each(|link| link.server_went(server));
    }

    /// Whether the token of the running process has expired.
    pub(super) fn set_token_expired(&self, expired: bool) {
        let links = self.running.iter().flat_map(|running| &running.links);
        links.for_each(|link| link.set_token_expired(expired));
    }

    fn elector_clock(&self, distortion: Option<Distortion>) -> Arc<SimClock> {
        match distortion {
            Some(Distortion::MonotonicOnly) => self.clock.clock_without_boottime(),
            Some(Distortion::NoRawClock) => self.clock.clock_without_raw(),
            _ => self.clock.clock(),
        }
    }

    /// The way of a new process to the lock.
    fn connect(
        &self,
        scene: &Scene,
        believer: &Believer,
        life: Life,
    ) -> (Ways, Arc<dyn LockBackend>) {
        let current = Current::default();
        let mut ways = Ways::default();
        let inner: Arc<dyn LockBackend> = match (&scene.files, &scene.leases, &scene.queues) {
            (Some(files), ..) => Arc::new(files.lock(&believer.actor.process, &self.clock, life)),
            (None, Some(leases), _) => {
                let (links, lock) = leases.lock(&believer.actor, &believer.clock, &current, life);
                ways.links = links.to_vec();
                Arc::new(lock)
            }
            (None, None, Some(queues)) => {
                ways.queues = Some(queues.clone());
                let calls = (&current, &believer.sends);
                let (actor, clock) = (&believer.actor, &believer.clock);
                let who = (life, self.plan.server);
                Arc::new(queues.lock(actor, clock, calls, who, &self.timing))
            }
            (None, None, None) => {
                let connection = Connection::open(
                    believer.actor.clone(),
                    Arc::clone(&believer.clock),
                    current.clone(),
                    life,
                    self.timing.lease_duration(),
                    &scene.wiring,
                );
                let lock = SimLock::new(&connection, scene.distortion());
                ways.connection = Some(connection);
                Arc::new(lock)
            }
        };
        let backend = Arc::new(Recorded {
            actor: believer.actor.clone(),
            beliefs: scene.beliefs.clone(),
            clock: Arc::clone(&believer.clock),
            current,
            files: scene.files.clone(),
            handle: scene.wiring.handle.clone(),
            inner,
            life,
            sends: believer.sends.clone(),
        });
        (ways, backend)
    }

    fn election(
        &self,
        scene: &Scene,
        believer: &Believer,
        backend: Arc<dyn LockBackend>,
        seed: Seed,
    ) -> Election {
        let own = self.id.to_string();
        let name = self.plan.name.as_deref().unwrap_or(&own);
        let clock: Arc<SimClock> = Arc::clone(&believer.clock);
        let clock: Arc<dyn Clock> = clock;
        let on_missing = match scene.on_missing {
            OnMissingPlan::AcquireAtOnce => OnMissing::AcquireAtOnce,
            OnMissingPlan::Wait => OnMissing::Wait,
        };
        Election::builder(backend, clock, seed)
            .candidate(CandidateName::new(name).expect("a plan's names are checked"))
            .timing(self.timing)
            .on_missing(on_missing)
            .planted(scene.bug.and_then(Bug::mistake))
            .watchdog(Arc::new(SimWatchdog {
                beliefs: scene.beliefs.clone(),
                believer: believer.clone(),
                clock: self.clock.clone(),
                exits: scene.exits.clone(),
                handle: scene.wiring.handle.clone(),
                sleeps: scene.bug.is_some_and(|bug| !bug.is_guarded()),
            }))
            .build()
            .expect("a plan's timing fits its store")
    }

    fn work(&self, scene: &Scene, actor: &Actor) -> Work {
        Work {
            actor: actor.clone(),
            cron: scene.cron.clone(),
            drain_takes: self.plan.drain_takes.into(),
            handle: scene.wiring.handle.clone(),
            lasts: self.plan.work_lasts.map(Duration::from),
            orders: self.orders.clone(),
            pace: scene.pace,
            quiet_from: scene.quiet_from,
            resource: scene.resource.clone(),
            stop_takes: self.plan.stop_takes.into(),
        }
    }

    /// Ends the process, without a word to anybody.
    pub(super) fn kill(&mut self, scene: &Scene, executor: &mut Executor, how: Down) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.actor.tell(What::Down { how });
        executor.kill(&running.actor.process);
        if let Some(files) = &scene.files {
            files.died(running.life);
        }
        if let Some(leases) = &scene.leases {
            let kubelet = leases.kubelet(self.id);
            let wall = self.clock.clock().wall();
            if how == Down::Ended {
                // Its pod was deleted, and its containers ended for that.
                kubelet.container_ended(wall, 0);
                kubelet.pod_deleted();
            } else {
                kubelet.container_ended(wall, KILLED);
            }
        }
        if let Some(queues) = &running.queues {
            queues.died(&running.actor.process, false);
        }
        let Some(connection) = running.connection else {
            return;
        };
        connection.hang_up();
        if !scene.wiring.store.counts_sessions() || how == Down::Ended {
            scene.wiring.store.end_session(connection.session());
        }
    }
}
