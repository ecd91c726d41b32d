use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{Mistake, Mode, Step, World};
use tenure_backends::zookeeper::{Ensemble as RealEnsemble, NodeLock};
use tenure_core::backend::{Holder, RequestKind};
use tenure_core::{Clock, ElectionName, Nanos, Timing, WallTime};

use super::log::{Actor, Log};
use super::network::Network;
use super::operator::{Operator, Patience};
use super::recorded::{Current, Sends};
use super::run::pace;
use super::tasks::ProcessTasks;
use crate::clock::{ClockStart, NodeClock, SimClock};
use crate::ensemble::{
    Change, Condition, Ensemble, Habits, Node, Origin, Outcome, Party, SERVERS, Sent, Setting,
    SimServers, Transaction, Tree, Witness,
};
use crate::executor::{Handle, NodeId, Process};
use crate::plan::{Fault, Foreign, Plan, Refusal};
use crate::planted::Bug;
use crate::trace::{Deed, Life, Operation, RequestId, What};

const BASE: &str = "/tenure";
const ELECTION: &str = "simulated";
const QUEUE: &str = "/tenure/simulated";
/// Where signs of life go.
const SESSIONS: &str = "/tenure/_tenure_/sessions/";
const REQUESTS: &str = "/tenure/_tenure_/requests/";
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// An operator's, where nothing is stretched.
const PATIENCE: Patience = Patience {
    tries_max: 20_000,
    retries_after: Duration::from_millis(200),
};
/// So many requests that have arrived are remembered of a node, so that each is told once.
const LANDED_MOST: usize = 64;
/// Durations that belong to no timing, where nothing is stretched.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);
const JITTER: Duration = Duration::from_millis(100);
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// The lock of a run where it is a queue of nodes: an ensemble, the real backend over it, and what is told of the lock.
#[derive(Clone)]
pub(super) struct Queues(Arc<Inner>);

struct Inner {
    ensemble: Ensemble,
    handle: Handle,
    operator: Operator,
    operator_clock: NodeClock,
    /// The operator's node, after those of the plan.
    operator_node: NodeId,
    operator_timing: Timing,
    pace: u32,
    /// A mistake in the candidates' backends.
    planted: Option<Mistake>,
    teller: Arc<Teller>,
}

impl Queues {
    pub(super) fn new(
        plan: &Plan,
        log: &Log,
        network: &Network,
        handle: &Handle,
        bug: Option<Bug>,
    ) -> Self {
        let start = ClockStart {
            uptime: Nanos::from_millis(1_000_000),
            rate_ppm: 0,
            wall: WallTime::from_unix_seconds(1_700_000_000),
        };
        let setting = Setting {
            network: network.clone(),
            rate_ppm: plan.server.rate_ppm,
            seed: plan.seed,
            silent: plan.server.silent,
            sync_limit: plan.server.sync_limit,
            tick: tick(plan),
        };
        let ensemble = Ensemble::new(handle, setting);
        let operator_node = u16::try_from(plan.nodes.len()).expect("a plan has a handful of nodes");
        let teller = Arc::new(Teller {
            foreign: Mutex::default(),
            landed: Mutex::default(),
            log: log.clone(),
            claims: Mutex::default(),
            shown: Mutex::default(),
        });
        let witness: Arc<dyn Witness> = Arc::<Teller>::clone(&teller);
        ensemble.set_witness(witness);
        Self(Arc::new(Inner {
            ensemble,
            handle: handle.clone(),
            operator: Operator::default(),
            operator_clock: NodeClock::new(handle, start),
            operator_node: NodeId(operator_node),
            operator_timing: plan.timing(0).expect("a plan's timing was checked"),
            pace: pace(plan),
            planted: bug.and_then(Bug::queue_mistake),
            teller,
        }))
    }

    /// The lock as a new process has it.
    pub(super) fn lock(
        &self,
        actor: &Actor,
        clock: &Arc<SimClock>,
        (current, sends): (&Current, &Sends),
        (life, server): (Life, Option<u8>),
        timing: &Timing,
    ) -> NodeLock {
        let dynamic: Arc<dyn Clock> = Arc::<SimClock>::clone(clock);
        let tagger = {
            let (actor, current, sends) = (actor.clone(), current.clone(), sends.clone());
            let (clock, handle) = (Arc::clone(&dynamic), self.0.handle.clone());
            move |sent: Sent<'_>| {
                if matches!(sent, Sent::Change(Change::Multi(_))) || is_beat(sent) {
                    sends.add(clock.now(), handle.now());
                }
                if !is_beat(sent) {
                    return current.request().0;
                }
                let request = actor.log.next_request();
                actor.tell(What::Sent {
                    request,
                    operation: Operation::Beat,
                    basis: None,
                });
                request.0
            }
        };
        let party = Party {
            clock: dynamic,
            habits: Habits::Crate,
            node: actor.node,
            number: life.0,
            process: actor.process.clone(),
            server: server.map(which),
            tagger: Arc::new(tagger),
        };
        self.open(party, timing)
    }

    /// The servers as a new process of another make has them.
    pub(super) fn servers_of_a_rival(
        &self,
        actor: &Actor,
        clock: &Arc<dyn Clock>,
        current: &Current,
        (life, server): (Life, Option<u8>),
    ) -> SimServers {
        let current = current.clone();
        let party = Party {
            clock: Arc::clone(clock),
            habits: Habits::Java,
            node: actor.node,
            number: life.0,
            process: actor.process.clone(),
            server: server.map(which),
            tagger: Arc::new(move |_| current.request().0),
        };
        SimServers::new(&self.0.ensemble, party)
    }

    fn open(&self, party: Party, timing: &Timing) -> NodeLock {
        let world = World {
            clock: Arc::clone(&party.clock),
            planted: self.0.planted,
            tasks: Arc::new(ProcessTasks {
                handle: self.0.handle.clone(),
                process: party.process.clone(),
            }),
            servers: Arc::new(SimServers::new(&self.0.ensemble, party)),
        };
        let pace = self.0.pace;
        let builder = RealEnsemble::builder()
            .base_path(BASE)
            .clock_drift_ppm(timing.clock_drift_ppm())
            .connection_timeout(CONNECTION_TIMEOUT * pace)
            .jitter_allowance(JITTER * pace)
            .max_close_wait(CLOSE_WAIT * pace)
            .session_timeout(timing.lease_duration());
        let election = ElectionName::new(ELECTION).expect("a plain word is a name");
        let ensemble = builder.begin_simulated(world);
        let lock = ensemble.and_then(|ensemble| ensemble.lock(election));
        lock.expect("a plan's timing fits its sessions")
    }

    /// Brings the servers into the state that the faults under way make.
    pub(super) fn set_trouble<'a>(&self, faults: impl Iterator<Item = &'a Fault>) {
        let mut condition = Condition::default();
        for fault in faults {
            self.add_trouble(&mut condition, fault);
        }
        self.0.ensemble.set_condition(condition);
    }

    fn add_trouble(&self, condition: &mut Condition, fault: &Fault) {
        let servers = &mut condition.servers;
        match *fault {
            Fault::AppliedTimeout { per_mille } => condition.loses_answers = per_mille,
            Fault::Hang => servers.iter_mut().for_each(|one| one.hangs = true),
            Fault::NoHints => condition.mute = true,
            Fault::QuorumLoss => servers.iter_mut().for_each(|one| one.cut = true),
            Fault::Refuse {
                with: Refusal::Forbidden,
            } => condition.forbids = true,
            Fault::Refuse {
                with: Refusal::Throttled,
            } => condition.throttles = true,
            Fault::Refuse {
                with: Refusal::Unavailable,
            } => condition.refuses = true,
            Fault::Restart => servers.iter_mut().for_each(|one| one.away = true),
            Fault::ServerAway { server } => servers[which(server)].away = true,
            Fault::ServerCut { server } => servers[which(server)].cut = true,
            Fault::ServerForgets { server } => servers[which(server)].forgets = true,
            Fault::ServerHangs { server } => servers[which(server)].hangs = true,
            Fault::ServerLags { by, server } => {
                let lags = &mut servers[which(server)].lags;
                *lags = (*lags).max(by.into());
            }
            _ => {}
        }
    }

    /// What a fault does to the servers when it begins, besides what it does for as long as it is under way.
    pub(super) fn happen(&self, fault: &Fault) {
        let nodes = 0..self.0.operator_node.0;
        match fault {
            Fault::LeaderChange => self.0.ensemble.change_leader(),
            Fault::WatchGap => nodes.for_each(|node| self.broke(NodeId(node))),
            _ => {}
        }
    }

    /// Something has changed about the links of the nodes.
    pub(super) fn links_changed(&self) {
        self.0.ensemble.links_changed();
    }

    /// The connections of a node break.
    pub(super) fn broke(&self, node: NodeId) {
        self.0.ensemble.break_connections(node);
    }

    /// A process is gone; with `cut`, what it has sent and has not arrived is lost.
    pub(super) fn died(&self, process: &Process, cut: bool) {
        self.0.ensemble.process_died(process, cut);
    }

    /// An administrator ends the session of a process.
    pub(super) fn end_session(&self, process: &Process) {
        self.0.ensemble.end_session(process);
    }

    /// What a third party does to the first node of the queue.
    pub(super) fn tamper(&self, foreign: Foreign) {
        let Some(path) = self.0.ensemble.truth(first) else {
            return;
        };
        *self.0.teller.foreign.lock().expect(ONE_THREAD) = Some(foreign);
        let version = None;
        let data = match foreign {
            Foreign::Corrupt => Some(b"???".to_vec()),
            Foreign::EditLabel => self.0.ensemble.truth(|tree| {
                let node = tree.node(&path);
                node.map(|node| node.data.clone())
            }),
            _ => None,
        };
        let step = match data {
            Some(data) => Step::Set {
                path,
                data,
                version,
            },
            None => Step::Delete { path, version },
        };
        self.0.ensemble.meddle(step);
    }

    /// An operator leaves a request, after those that were left before.
    pub(super) fn submit(&self, kind: RequestKind) {
        if !self.0.operator.queue(kind) {
            return;
        }
        let process = Process::on(self.0.operator_node);
        let party = Party {
            clock: self.0.operator_clock.clock(),
            node: self.0.operator_node,
            habits: Habits::Crate,
            number: 0,
            process: process.clone(),
            server: None,
            tagger: Arc::new(|_| 0),
        };
        let lock = self.open(party, &self.0.operator_timing);
        let queues = self.clone();
        self.0.handle.spawn(&process, async move {
            let Inner {
                handle,
                operator,
                pace,
                ..
            } = &*queues.0;
            let patience = PATIENCE.at_pace(*pace);
            // The ensemble itself tells what has landed.
            operator.serve(&lock, handle, patience, || {}).await;
        });
    }
}

fn which(server: u8) -> usize {
    usize::from(server) % SERVERS
}

/// The servers' tick: the plan's, within what grants the candidates the sessions that they ask for.
fn tick(plan: &Plan) -> Duration {
    let leases = (0..plan.nodes.len()).filter_map(|node| plan.timing(node).ok());
    let leases: Vec<_> = leases.map(|timing| timing.lease_duration()).collect();
    let shortest = leases.iter().min().copied().unwrap_or_default();
    let longest = leases.iter().max().copied().unwrap_or_default();
    let least = longest / 20 + Duration::from_millis(1);
    let most = (shortest / 2).max(least);
    Duration::from(plan.server.tick).clamp(least, most)
}

fn is_beat(sent: Sent<'_>) -> bool {
    match sent {
        Sent::Open => true,
        Sent::Change(Change::One(Step::Set { path, .. } | Step::Create { path, .. }))
        | Sent::Change(Change::One(Step::Check { path, .. })) => path.starts_with(SESSIONS),
        Sent::Read(path) => path.starts_with(SESSIONS),
        Sent::Change(_) => false,
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queues").field(&self.0.ensemble).finish()
    }
}

/// The node that is first in the queue.
fn first(tree: &Tree) -> Option<String> {
    let number = |name: &&String| name.rsplit('-').next().map(str::to_owned);
    let first = tree.children(QUEUE)?.min_by_key(number)?;
    Some(format!("{QUEUE}/{first}"))
}

/// Tells what happens to the queue.
#[derive(Debug)]
struct Teller {
    /// What a third party does, until it is done.
    foreign: Mutex<Option<Foreign>>,
    landed: Mutex<BTreeMap<NodeId, BTreeSet<u32>>>,
    log: Log,
    /// By which session, and by which request, each process claimed last.
    claims: Mutex<BTreeMap<Life, (i64, Origin)>>,
    shown: Mutex<Shown>,
}

/// What of the queue was last told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Shown {
    holder: Option<Life>,
    token: Option<u64>,
}

impl Shown {
    fn wrote(self, deed: Deed) -> What {
        What::Wrote {
            deed,
            basis: None,
            version: self.token,
            holder: self.holder,
            token: self.token,
        }
    }
}

impl Teller {
    /// A request of a call has arrived: the call has, once.
    fn landed(&self, origin: Origin, zombie: bool) {
        if self.is_first(origin) {
            self.stands(origin, zombie);
        }
    }

    fn is_first(&self, origin: Origin) -> bool {
        let mut landed = self.landed.lock().expect(ONE_THREAD);
        let known = landed.entry(origin.node).or_default();
        let first = known.insert(origin.tag);
        if known.len() > LANDED_MOST {
            known.pop_first();
        }
        first
    }

    /// A call has arrived, perhaps anew: what it is for has been done now.
    fn stands(&self, origin: Origin, zombie: bool) {
        if origin.party == 0 || origin.tag == 0 {
            return;
        }
        self.is_first(origin);
        let request = RequestId(origin.tag);
        self.log
            .tell(Some(origin.node), What::Landed { request, zombie });
    }

    /// Whose node it is. One of a session that a process has claimed by before is nobody's.
    fn holder(&self, node: &Node) -> Option<Life> {
        let holder = Holder::parse(&String::from_utf8_lossy(&node.data));
        let life = self.log.life_of(&holder)?;
        let claims = self.claims.lock().expect(ONE_THREAD);
        let (session, _) = claims.get(&life)?;
        (*session == node.stat.ephemeral_owner).then_some(life)
    }

    /// A process has claimed by a session. Whether that is its newest: sessions are numbered, and a claim by an earlier one may come late.
    fn claims_by(&self, session: i64, origin: Origin) -> bool {
        let mut claims = self.claims.lock().expect(ONE_THREAD);
        let life = Life(origin.party);
        let is_newest = claims
            .get(&life)
            .is_none_or(|(newest, _)| session >= *newest);
        if is_newest {
            claims.insert(life, (session, origin));
        }
        is_newest
    }

    /// A session has ended. It matters if its process has not claimed by another one since.
    fn session_ended(&self, session: i64) {
        let claims = self.claims.lock().expect(ONE_THREAD);
        let of = claims.iter().find(|(_, (newest, _))| *newest == session);
        let life = of.map(|(life, _)| *life);
        drop(claims);
        if let Some(life) = life {
            self.log.tell(None, What::SessionEnded { life });
        }
    }

    /// Who had the lock may stand in the queue by a later claim already.
    fn waits_again(&self, life: Life, tree: &Tree) {
        let names = tree.children(QUEUE).into_iter().flatten();
        let mut nodes = names.filter_map(|name| tree.node(&format!("{QUEUE}/{name}")));
        if nodes.any(|node| self.holder(node) == Some(life)) {
            let claims = self.claims.lock().expect(ONE_THREAD);
            let origin = claims.get(&life).map(|(_, origin)| *origin);
            drop(claims);
            if let Some(origin) = origin {
                self.stands(origin, true);
            }
        }
    }

    /// What a transaction does to the queue, if that is more than to move it.
    fn deed(&self, transaction: &Transaction) -> Deed {
        let stranger = transaction.session == 0;
        match &transaction.change {
            Change::One(_) if stranger => {
                let foreign = self.foreign.lock().expect(ONE_THREAD).take();
                Deed::Foreign(foreign.unwrap_or(Foreign::EditLabel))
            }
            change if is_claim(change) => Deed::Acquired,
            Change::One(Step::Delete { .. }) | Change::Multi(_) if !is_request(transaction) => {
                Deed::Released
            }
            Change::One(_) | Change::Multi(_) if is_request(transaction) => Deed::Requested,
            _ => Deed::Expired,
        }
    }
}

/// Whether it makes a contender's node, perhaps with other things.
fn is_claim(change: &Change) -> bool {
    let makes = |step: &Step| matches!(step, Step::Create { mode, .. } if *mode == Mode::EphemeralSequential);
    match change {
        Change::One(step) => makes(step),
        Change::Multi(steps) => steps.iter().any(makes),
        Change::Open { .. } | Change::Close | Change::Reap(_) => false,
    }
}

/// Whether it leaves what an operator asks for.
fn is_request(transaction: &Transaction) -> bool {
    let Change::Multi(steps) = &transaction.change else {
        return false;
    };
    steps.iter().any(|step| match step {
        Step::Create { path, .. } | Step::Set { path, .. } => path.starts_with(REQUESTS),
        Step::Check { .. } | Step::Delete { .. } => false,
    })
}

impl Witness for Teller {
    fn committed(&self, transaction: &Transaction, outcome: &Outcome, tree: &Tree, zombie: bool) {
        if let Some(origin) = transaction.origin {
            let stands = is_claim(&transaction.change);
            // A claim has arrived when it stands in the queue, whatever it takes to make that.
            match (stands, outcome.answer.is_ok()) {
                (false, _) => self.landed(origin, zombie),
                (true, true) if self.claims_by(transaction.session, origin) => {
                    self.stands(origin, zombie);
                }
                (true, _) => {}
            }
        }
        if transaction.change == Change::Close {
            self.session_ended(transaction.session);
        }
        if outcome.answer.is_err() {
            return;
        }
        let node = first(tree).and_then(|path| tree.node(&path));
        let shown = Shown {
            holder: node.and_then(|node| self.holder(node)),
            token: node.map(|node| node.stat.czxid.unsigned_abs()),
        };
        let before = std::mem::replace(&mut *self.shown.lock().expect(ONE_THREAD), shown);
        let mut deed = self.deed(transaction);
        if deed == Deed::Released && node.is_some() && shown.holder.is_none() {
            // It is not free: what somebody has left behind is first now.
            deed = Deed::Expired;
        }
        if let (Deed::Foreign(_), true) = (deed, before.token != shown.token) {
            // A stranger has taken it from its holder, and then the next in the queue has it.
            self.log.tell(None, Shown::default().wrote(deed));
            deed = Deed::Expired;
        }
        let says = matches!(deed, Deed::Foreign(_) | Deed::Requested);
        if before == shown && !says {
            return;
        }
        let of = transaction.origin.filter(|origin| origin.party > 0);
        self.log
            .tell(of.map(|origin| origin.node), shown.wrote(deed));
        if let Some(life) = before.holder.filter(|life| Some(*life) != shown.holder) {
            self.waits_again(life, tree);
        }
    }

    fn read(&self, origin: Origin, zombie: bool) {
        self.landed(origin, zombie);
    }
}
