use std::collections::BTreeMap;
use std::time::Duration;

use tenure_core::backend::{Hint, RequestKind};
use tenure_core::machine::Eligibility;

use super::exits::Exit;
use super::network::LinkState;
use super::node::{Node, Scene};
use super::store::Trouble;
use crate::TrueTime;
use crate::executor::Executor;
use crate::plan::{Fault, Plan, Who};
use crate::trace::{Ask, Down, Frozen, What};

/// After how long a supervisor starts a process again that was aborted.
const RESTARTED_AFTER: Duration = Duration::from_secs(1);

/// Something that is done to the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// The fault with this index begins.
    Begin(usize),
    /// It ends.
    End(usize),
    /// A candidate is started on this node.
    Start(usize),
}

/// The parts of a world that deeds are done to.
#[derive(Debug)]
pub(super) struct World<'a> {
    /// What is still to be done, by its time and in the order of its planning.
    agenda: BTreeMap<(TrueTime, usize), Deed>,
    /// The faults under way, with the node that each strikes.
    active: Vec<(usize, Option<usize>)>,
    pub(super) executor: Executor,
    /// What froze each node, as it was last told.
    frozen: Vec<Option<Frozen>>,
    nodes: Vec<Node>,
    plan: &'a Plan,
    planned: usize,
    /// How each node's clocks run, as it was last told.
    rates: Vec<Option<(i64, i64)>>,
    pub(super) scene: Scene,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a Plan, executor: Executor, nodes: Vec<Node>, scene: Scene) -> Self {
        let mut world = Self {
            agenda: BTreeMap::new(),
            active: Vec::new(),
            executor,
            frozen: vec![None; nodes.len()],
            nodes,
            plan,
            planned: 0,
            rates: vec![None; plan.nodes.len()],
            scene,
        };
        for node in 0..world.nodes.len() {
            world.refresh(node);
        }
        for (index, fault) in plan.faults.iter().enumerate() {
            world.plan(fault.at.from_start(), Deed::Begin(index));
        }
        world
    }

    pub(super) fn plan(&mut self, at: TrueTime, deed: Deed) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), deed);
    }

    /// What is to be done next, and when.
    pub(super) fn next(&self) -> Option<(TrueTime, usize)> {
        self.agenda.first_key_value().map(|(key, _)| *key)
    }

    /// Does what is to be done next.
    pub(super) fn act(&mut self) {
        match self.agenda.pop_first() {
            Some((_, Deed::Begin(fault))) => self.begin(fault),
            Some((_, Deed::End(fault))) => self.end(fault),
            Some((_, Deed::Start(node))) => self.start(node),
            None => {}
        }
    }

    fn start(&mut self, node: usize) {
        self.nodes[node].start(&self.scene, &self.executor);
        self.refresh(node);
    }

    fn kill(&mut self, node: usize, how: Down) {
        self.nodes[node].kill(&self.scene, &mut self.executor, how);
        self.frozen[node] = None;
        // A process that was stopped by a signal is gone with the signal.
        let plan = self.plan;
        self.active.retain(|(fault, struck)| {
            let stops = matches!(plan.faults[*fault].what, Fault::Pause { .. });
            !(stops && *struck == Some(node))
        });
    }

    /// Takes away the processes that have ended themselves.
    pub(super) fn bury(&mut self) {
        for (node, exit) in self.scene.exits.take() {
            let node = usize::from(node.0);
            match exit {
                Exit::Aborted => {
                    self.kill(node, Down::Crashed);
                    let at = self.executor.now().plus(RESTARTED_AFTER);
                    self.plan(at, Deed::Start(node));
                }
                Exit::Ended => self.kill(node, Down::Ended),
            }
        }
    }

    /// Whom a fault strikes that begins now.
    fn resolve(&self, who: Who) -> Option<usize> {
        let leader = self.scene.beliefs.leader();
        match who {
            Who::Node(index) => Some(usize::from(index)),
            Who::Leader => leader.map(|node| usize::from(node.0)),
            Who::Follower => self
                .nodes
                .iter()
                .position(|node| node.running.is_some() && Some(node.id) != leader),
        }
    }

    fn begin(&mut self, index: usize) {
        let fault = number(index);
        self.scene.log.tell(None, What::FaultBegan { fault });
        let planned = &self.plan.faults[index];
        let struck = planned.what.who().and_then(|who| self.resolve(who));
        if let Some(lasts) = planned.lasts {
            let ends = self.executor.now().plus(lasts.into());
            self.plan(ends, Deed::End(index));
        }
        if struck.is_none() && planned.what.who().is_some() {
            return;
        }
        self.active.push((index, struck));
        let what = planned.what.clone();
        match struck {
            Some(node) => self.strike(node, &what, planned.lasts.is_none()),
            None => self.happen(&what),
        }
        self.settle(struck);
    }

    fn end(&mut self, index: usize) {
        let fault = number(index);
        self.scene.log.tell(None, What::FaultEnded { fault });
        let Some(place) = self.active.iter().position(|(active, _)| *active == index) else {
            return;
        };
        let (_, struck) = self.active.remove(place);
        let what = self.plan.faults[index].what.clone();
        self.settle(struck);
        match (what, struck) {
            (
                Fault::Crash { .. }
                | Fault::CrashCut { .. }
                | Fault::PowerLoss { .. }
                | Fault::ShutDown { .. },
                Some(node),
            ) => {
                // A process that still runs, because it was shut down and is not done yet, is killed: its supervisor waits no longer.
                self.kill(node, Down::Crashed);
                self.start(node);
            }
            (Fault::NodeLost { .. }, Some(node)) => {
                // The pod is evicted in the API, and the kubelet, which is back, ends what is left of it.
                if let Some(leases) = self.scene.leases.clone() {
                    leases.kubelet(self.nodes[node].id).pod_deleted();
                    self.kill(node, Down::Crashed);
                    self.start(node);
                }
            }
            (Fault::OperatorPause, _) => self.scene.submit(RequestKind::Resume),
            _ => {}
        }
    }

    /// What a fault does to a node when it begins, besides what it does for as long as it is under way.
    fn strike(&mut self, node: usize, fault: &Fault, for_good: bool) {
        let machine = &mut self.nodes[node];
        match *fault {
            Fault::Crash { .. } => {
                machine.away = for_good;
                self.kill(node, Down::Crashed);
            }
            Fault::PowerLoss { .. } => {
                machine.away = for_good;
                let id = machine.id;
                self.kill(node, Down::Crashed);
                if let Some(files) = &self.scene.files {
                    files.lose_power(id);
                }
            }
            Fault::CrashCut { .. } => {
                machine.away = for_good;
                machine.cut();
                self.kill(node, Down::Crashed);
            }
            Fault::ShutDown { .. } => {
                machine.away = for_good;
                if let Some(running) = &machine.running {
                    running.actor.tell(What::Asked { ask: Ask::ShutDown });
                    running.steering.shut_down();
                }
            }
            Fault::Resign { .. } => {
                if let Some(running) = &machine.running {
                    running.actor.tell(What::Asked { ask: Ask::Resign });
                    running.steering.resign();
                }
            }
            Fault::Panic { .. } => machine.orders.panic(),
            Fault::StepWall { by_s, .. } => {
                machine.clock.step_wall(by_s.saturating_mul(1_000_000));
                let id = machine.id;
                self.scene.log.tell(Some(id), What::WallStepped { by_s });
            }
            Fault::Reset { .. } => machine.broke(),
            Fault::NodeLost { .. } => {
                if let Some(leases) = &self.scene.leases {
                    leases.kubelet(machine.id).pod_not_ready();
                }
            }
            Fault::ExpireSession { .. } => {
                if let Some(connection) = machine.connection() {
                    let session = connection.session();
                    self.scene.wiring.store.end_session(session);
                }
                if let (Some(queues), Some(running)) = (&self.scene.queues, &machine.running) {
                    queues.end_session(&running.actor.process);
                }
            }
            _ => {}
        }
    }

    /// What a fault does to the store when it begins.
    fn happen(&self, fault: &Fault) {
        if let Some(queues) = &self.scene.queues {
            queues.happen(fault);
        }
        let has_store = self.scene.queues.is_none();
        match *fault {
            Fault::OperatorResign => self.scene.submit(RequestKind::Resign),
            Fault::OperatorPause => self.scene.submit(RequestKind::Pause),
            Fault::Foreign(foreign) => self.scene.tamper(foreign),
            Fault::Restart | Fault::QuorumLoss if has_store => self.break_connections(),
            Fault::ServerAway { server } => {
                if let Some(leases) = &self.scene.leases {
                    let server = leases.server(server);
                    self.nodes.iter().for_each(|node| node.server_went(server));
                }
            }
            Fault::Compaction => {
                if let Some(leases) = &self.scene.leases {
                    leases.compact();
                }
            }
            Fault::LeaderChange if has_store => {
                self.scene.wiring.store.count_anew();
                self.break_connections();
            }
            _ => {}
        }
    }

    fn break_connections(&self) {
        self.nodes.iter().for_each(Node::broke);
    }

    /// Brings the node that was struck, or the store, into the state that the faults under way make.
    fn settle(&mut self, struck: Option<usize>) {
        if let Some(node) = struck {
            self.refresh(node);
            return;
        }
        if let Some(files) = &self.scene.files {
            let active = self.active.iter();
            files.set_trouble(active.map(|(fault, _)| &self.plan.faults[*fault].what));
            return;
        }
        if let Some(leases) = &self.scene.leases {
            let active = self.active.iter();
            leases.set_trouble(active.map(|(fault, _)| &self.plan.faults[*fault].what));
            return;
        }
        if let Some(queues) = &self.scene.queues {
            let active = self.active.iter();
            queues.set_trouble(active.map(|(fault, _)| &self.plan.faults[*fault].what));
            return;
        }
        let mut trouble = Trouble::default();
        for (fault, _) in &self.active {
            trouble.add(&self.plan.faults[*fault].what);
        }
        let before = self.scene.wiring.store.trouble();
        self.scene.wiring.store.set_trouble(trouble);
        if before.away != trouble.away {
            // Watches end with the connections and begin anew with them.
            for connection in self.nodes.iter().filter_map(Node::connection) {
                connection.tell(Hint::Watching(!trouble.away));
            }
        }
    }

    /// The faults under way that strike this node.
    fn faults_of(&self, node: usize) -> impl Iterator<Item = &'a Fault> {
        let plan = self.plan;
        let active = self.active.iter();
        active
            .filter(move |(_, struck)| *struck == Some(node))
            .map(move |(fault, _)| &plan.faults[*fault].what)
    }

    /// Brings a node into the state that the faults under way make.
    fn refresh(&mut self, node: usize) {
        let mut link = LinkState::default();
        let (mut deaf, mut starved) = (false, None);
        let (mut rate, mut slew) = (self.nodes[node].plan.rate_ppm, 0);
        let (mut asleep, mut stands, mut expired) = (false, false, false);
        let mut eligible = true;
        let mut frozen = None;
        for fault in self.faults_of(node) {
            link.add(fault);
            match *fault {
                Fault::Deaf { .. } => deaf = true,
                Fault::Starve { most, .. } => starved = starved.max(Some(most)),
                Fault::Rate { ppm, .. } => rate = ppm,
                Fault::Slew { ppm, .. } => slew = ppm,
                Fault::Ineligible { .. } => eligible = false,
                Fault::TokenExpired { .. } => expired = true,
                Fault::Pause { .. } => frozen = frozen.max(Some(0)),
                Fault::Suspend { .. } => {
                    asleep = true;
                    frozen = frozen.max(Some(1));
                }
                Fault::Freeze { .. } => {
                    stands = true;
                    frozen = frozen.max(Some(2));
                }
                _ => {}
            }
        }
        self.scene.wiring.network.set(node, link);
        if let Some(queues) = &self.scene.queues {
            queues.links_changed();
        }
        self.set_clock(node, (rate, slew), asleep, stands);
        let frozen =
            frozen.map(|by| [Frozen::Stopped, Frozen::Suspended, Frozen::VirtualMachine][by]);
        self.set_frozen(node, frozen);
        if let Some(leases) = &self.scene.leases {
            let id = self.nodes[node].id;
            leases.set_kubelet(id, asleep || stands, self.faults_of(node));
        }
        let machine = &self.nodes[node];
        machine.set_token_expired(expired);
        machine.orders.set_deaf(deaf);
        if let Some(running) = &machine.running {
            let process = &running.actor.process;
            self.executor.starve(process, starved.map(Duration::from));
        }
        self.set_eligible(node, eligible);
        self.scene.beliefs.recount(self.nodes[node].id);
    }

    fn set_clock(&mut self, node: usize, rates: (i64, i64), asleep: bool, stands: bool) {
        let distortion = self.scene.distortion();
        let clock = &self.nodes[node].clock;
        if self.rates[node] != Some(rates) {
            let (rate, slew) = rates;
            let rate = distortion.map_or(rate, |lie| lie.true_rate_ppm(node, rate));
            clock.set_rate(rate);
            clock.set_slew(slew);
            self.rates[node] = Some(rates);
            self.tell_clock(node, rates);
        }
        if clock.is_suspended() != asleep {
            if asleep {
                clock.suspend();
            } else {
                clock.resume();
            }
        }
        if clock.is_frozen() != stands {
            clock.set_frozen(stands);
        }
    }

    fn tell_clock(&self, node: usize, (rate_ppm, slew_ppm): (i64, i64)) {
        let what = What::Clock { rate_ppm, slew_ppm };
        self.scene.log.tell(Some(self.nodes[node].id), what);
    }

    /// Lets the process of a node run only while nothing freezes it.
    fn set_frozen(&mut self, node: usize, frozen: Option<Frozen>) {
        let Some(running) = &self.nodes[node].running else {
            return;
        };
        if self.frozen[node] == frozen {
            return;
        }
        self.frozen[node] = frozen;
        match frozen {
            Some(by) => {
                self.executor.pause(&running.actor.process);
                running.actor.tell(What::Frozen { by });
            }
            None => {
                self.executor.resume(&running.actor.process);
                running.actor.tell(What::Thawed);
            }
        }
    }

    fn set_eligible(&mut self, node: usize, eligible: bool) {
        let machine = &mut self.nodes[node];
        let Some(running) = &mut machine.running else {
            return;
        };
        if running.eligible == eligible {
            return;
        }
        running.eligible = eligible;
        let (ask, eligibility) = if eligible {
            (Ask::Eligible, Eligibility::Eligible)
        } else {
            (Ask::Ineligible, Eligibility::Ineligible)
        };
        running.actor.tell(What::Asked { ask });
        running.steering.set_eligibility(eligibility);
    }

    /// Heals everything that a plan has broken.
    pub(super) fn heal(&mut self) {
        self.agenda.clear();
        let active = std::mem::take(&mut self.active);
        for (fault, _) in &active {
            let fault = number(*fault);
            self.scene.log.tell(None, What::FaultEnded { fault });
        }
        self.scene.log.tell(None, What::Quiet);
        let paused =
            |(fault, _): &(usize, _)| matches!(self.plan.faults[*fault].what, Fault::OperatorPause);
        let was_paused = active.iter().any(paused);
        self.settle(None);
        if was_paused {
            self.scene.submit(RequestKind::Resume);
        }
        for node in 0..self.nodes.len() {
            self.refresh(node);
            self.start(node);
        }
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a plan has fewer faults than 2^32")
}
