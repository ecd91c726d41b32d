use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tenure_backends::kubernetes::simulated::{Mistake, World};
use tenure_backends::kubernetes::{Cluster, DeathProof, LeaseLock};
use tenure_core::backend::{Holder, RequestKind};
use tenure_core::{Clock, ElectionName, Nanos, WallTime};

use super::log::{Actor, Log};
use super::network::Network;
use super::operator::{Operator, Patience};
use super::recorded::Current;
use super::run::pace;
use super::tasks::ProcessTasks;
use crate::api_server::{
    ApiServers, CONTAINER, Carelessness, Change, Client, Condition, Fails, Key, Kind, Kubelet,
    LABEL, Link, Rule, Sender, Verb, Watching, Witness,
};
use crate::clock::{ClockStart, NodeClock, SimClock};
use crate::executor::{Handle, Host, NodeId, Process};
use crate::plan::{Fault, Foreign, Plan, Refusal, Span};
use crate::planted::Bug;
use crate::trace::{Deed, Life, RequestId, What};

const ELECTION: &str = "simulated";
const NAMESPACE: &str = "default";
const OPERATOR: &str = "operator";
const CANDIDATE: &str = "candidate";
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
const ALWAYS: u16 = 1_000;
/// An operator's, where nothing is stretched.
const PATIENCE: Patience = Patience {
    tries_max: 20_000,
    retries_after: Duration::from_millis(200),
};
/// How often the members are listed where they are not told.
const MEMBERS_EVERY: Duration = Duration::from_secs(10);
/// Long enough for any answer on a good day: an operator tries again, and an elector drops its requests earlier.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// The lock of a run where it is a Lease: API servers, the real backend over the real client, and what is told of the lock.
#[derive(Clone)]
pub(super) struct Leases(Arc<Inner>);

struct Inner {
    api: ApiServers,
    /// A mistake in the candidates' clients.
    careless: Option<Carelessness>,
    handle: Handle,
    host: Host,
    kubelets: Vec<Kubelet>,
    network: Network,
    /// Whether candidates take the kubelets' word for a death.
    death_proof: bool,
    operator: Operator,
    operator_clock: NodeClock,
    /// The operator's node, after those of the plan.
    operator_node: NodeId,
    pace: u32,
    /// A mistake in the candidates' backends.
    planted: Option<Mistake>,
    teller: Arc<Teller>,
    /// Whether candidates may not watch.
    unwatched: bool,
}

impl Leases {
    pub(super) fn new(
        plan: &Plan,
        log: &Log,
        host: &Host,
        network: &Network,
        handle: &Handle,
        bug: Option<Bug>,
    ) -> Self {
        let start = ClockStart {
            uptime: Nanos::from_millis(1_000_000),
            rate_ppm: 0,
            wall: WallTime::from_unix_seconds(1_700_000_000),
        };
        let servers = usize::from(plan.server.api_servers.unwrap_or(1).max(1));
        let api = ApiServers::new(handle, plan.seed, servers, 1_700_000_000);
        let node = |index| NodeId(u16::try_from(index).expect("a plan has a handful of nodes"));
        let kubelets = (0..plan.nodes.len())
            .map(|index| Kubelet::new(&api, network, node(index), plan.seed))
            .collect();
        let operator_node = u16::try_from(plan.nodes.len()).expect("a plan has a handful of nodes");
        let teller = Arc::new(Teller {
            foreign: Mutex::default(),
            log: log.clone(),
            operator: NodeId(operator_node),
            shown: Mutex::default(),
        });
        let witness: Arc<dyn Witness> = Arc::<Teller>::clone(&teller);
        api.set_witness(witness);
        let leases = Self(Arc::new(Inner {
            api,
            careless: bug.and_then(Bug::carelessness),
            handle: handle.clone(),
            host: host.clone(),
            network: network.clone(),
            kubelets,
            operator: Operator::default(),
            operator_clock: NodeClock::new(handle, start),
            death_proof: plan.server.death_proof,
            operator_node: NodeId(operator_node),
            pace: pace(plan),
            planted: bug.and_then(Bug::lease_mistake),
            teller,
            unwatched: plan.server.silent,
        }));
        leases.set_trouble([].into_iter());
        leases
    }

    /// The links of a new process, and the lock as it has it.
    pub(super) fn lock(
        &self,
        actor: &Actor,
        clock: &Arc<SimClock>,
        current: &Current,
        life: Life,
    ) -> ([Link; 2], LeaseLock) {
        let tag = |current: Current| Box::new(move || current.request().0) as Box<_>;
        let server = usize::try_from(life.0).expect("32 bits fit a size") % self.0.api.count();
        let link = || {
            let client = Client {
                node: actor.node,
                process: actor.process.clone(),
                subject: CANDIDATE.to_owned(),
                tag: tag(current.clone()),
            };
            Link::open(&self.0.api, &self.0.network, client, server)
        };
        let links = [link(), link()];
        let kubelet = self.kubelet(actor.node);
        let began = clock.wall();
        let before = kubelet.container_began(began);
        let began = match self.0.careless {
            Some(Carelessness::EarlierContainer) => before.unwrap_or(began),
            _ => began,
        };
        let pod = kubelet.pod();
        let lock = self.open(&links, &actor.process, clock, (&pod, began));
        (links, lock)
    }

    /// The kubelet of a node of the plan.
    pub(super) fn kubelet(&self, node: NodeId) -> &Kubelet {
        &self.0.kubelets[usize::from(node.0)]
    }

    /// A fault of one node begins or goes on: what it does to the node's kubelet.
    pub(super) fn set_kubelet<'a>(
        &self,
        node: NodeId,
        frozen: bool,
        faults: impl Iterator<Item = &'a Fault>,
    ) {
        let (mut late, mut silent) = (Span::ZERO, frozen);
        for fault in faults {
            match *fault {
                Fault::KubeletLate { by, .. } => late = late.max(by),
                Fault::KubeletSilent { .. } | Fault::NodeLost { .. } => silent = true,
                _ => {}
            }
        }
        let kubelet = self.kubelet(node);
        kubelet.set_late(late);
        kubelet.set_silent(silent);
    }

    /// What has happened until now is forgotten.
    pub(super) fn compact(&self) {
        self.0.api.compact();
    }

    /// Which server a fault means.
    pub(super) fn server(&self, server: u8) -> usize {
        usize::from(server) % self.0.api.count()
    }

    fn open(
        &self,
        [requests, watches]: &[Link; 2],
        process: &Process,
        clock: &Arc<SimClock>,
        (pod, process_began): (&str, WallTime),
    ) -> LeaseLock {
        let careless = self.0.careless;
        let client = |link: &Link| link.client_with(careless, &self.0.host, NAMESPACE);
        let dynamic: Arc<dyn Clock> = Arc::<SimClock>::clone(clock);
        let world = World {
            requests: client(requests),
            watches: client(watches),
            planted: self.0.planted,
            process_began,
            clock: dynamic,
            tasks: Arc::new(ProcessTasks {
                handle: self.0.handle.clone(),
                process: process.clone(),
            }),
        };
        let election = ElectionName::new(ELECTION).expect("a plain word is a name");
        let builder = Cluster::builder().namespace(NAMESPACE);
        let mut builder = builder
            .pod_name(pod)
            .members_interval(MEMBERS_EVERY * self.0.pace)
            .request_timeout(REQUEST_TIMEOUT);
        if self.0.death_proof {
            let container = Some(CONTAINER.to_owned());
            let (label, value) = LABEL;
            builder = builder
                .death_proof(DeathProof::Kubelet { container })
                .members(format!("{label}={value}"));
        }
        let cluster = builder.open_simulated(world);
        let lock = cluster.and_then(|cluster| cluster.lock(election));
        lock.expect("plain names make a lock")
    }

    /// Brings the servers into the state that the faults under way make.
    pub(super) fn set_trouble<'a>(&self, faults: impl Iterator<Item = &'a Fault>) {
        let mut condition = Condition::default();
        let (mut forbidden, mut unwatched) = (false, self.0.unwatched);
        let mut own = Vec::new();
        for fault in faults {
            match *fault {
                Fault::NoWatchRight => unwatched = true,
                Fault::Fails { per_mille, with } => condition.fails = Some((per_mille, with)),
                Fault::FailsAfter { per_mille, with } => {
                    condition.fails_after = Some((per_mille, with));
                }
                Fault::RepliesDropped { per_mille } => condition.drops_replies = per_mille,
                Fault::SlowStore { most } => condition.slow = condition.slow.max(most),
                Fault::ServerAway { .. } | Fault::ServerHangs { .. } | Fault::ServerLags { .. } => {
                    own.push(fault);
                }
                Fault::Refuse {
                    with: Refusal::Forbidden,
                } => forbidden = true,
                Fault::Refuse {
                    with: Refusal::Throttled,
                } => condition.fails = Some((ALWAYS, Fails::Throttled)),
                Fault::Refuse {
                    with: Refusal::Unavailable,
                } => condition.fails = Some((ALWAYS, Fails::Unavailable)),
                Fault::AppliedTimeout { per_mille } => {
                    condition.fails_after = Some((per_mille, Fails::TimedOut))
                }
                Fault::Hang => condition.hangs = true,
                Fault::Restart => condition.away = true,
                Fault::Stale { by } => condition.lag = condition.lag.plus(by),
                Fault::NoHints => condition.watching = Watching::Silent,
                Fault::WatchGap => condition.watching = Watching::Ended,
                _ => {}
            }
        }
        self.set_rights(forbidden, unwatched);
        for server in 0..self.0.api.count() {
            let ended = self.0.api.condition(server).watching == Watching::Ended;
            let mut condition = condition;
            for fault in &own {
                match **fault {
                    Fault::ServerAway { server: of } if self.server(of) == server => {
                        condition.away = true;
                    }
                    Fault::ServerHangs { server: of } if self.server(of) == server => {
                        condition.hangs = true;
                    }
                    Fault::ServerLags { by, server: of } if self.server(of) == server => {
                        condition.lag = condition.lag.plus(by);
                    }
                    _ => {}
                }
            }
            self.0.api.set_condition(server, condition);
            if ended && condition.watching != Watching::Ended {
                self.0.api.compact();
            }
        }
    }

    fn set_rights(&self, forbidden: bool, unwatched: bool) {
        self.0.api.change_rights(|rights| {
            for subject in [CANDIDATE, OPERATOR] {
                rights.withdraw_all(subject);
                if !forbidden || subject == OPERATOR {
                    for kind in [Kind::Lease, Kind::Pod] {
                        rights.grant(role(subject, kind, unwatched));
                    }
                    if self.0.careless == Some(Carelessness::UnconditionalPatch) {
                        rights.grant(patching(subject));
                    }
                }
            }
        });
    }

    /// What a third party does.
    pub(super) fn tamper(&self, foreign: Foreign) {
        *self.0.teller.foreign.lock().expect(ONE_THREAD) = Some(foreign);
        let key = key();
        match foreign {
            Foreign::Delete => self.0.api.edit(&key, |_| None),
            Foreign::Recreate => self.0.api.recreate(&key),
            _ => self.0.api.edit(&key, |lease| {
                let mut lease = lease?;
                falsify(&mut lease, foreign);
                Some(lease)
            }),
        }
        *self.0.teller.foreign.lock().expect(ONE_THREAD) = None;
    }

    /// An operator leaves a request, after those that were left before.
    pub(super) fn submit(&self, kind: RequestKind) {
        if !self.0.operator.queue(kind) {
            return;
        }
        let process = Process::on(self.0.operator_node);
        let link = || {
            let client = Client {
                node: self.0.operator_node,
                process: process.clone(),
                subject: OPERATOR.to_owned(),
                tag: Box::new(|| 0),
            };
            Link::open(&self.0.api, &self.0.network, client, 0)
        };
        let clock = self.0.operator_clock.clock();
        let operator = ("operator", clock.wall());
        let lock = self.open(&[link(), link()], &process, &clock, operator);
        let leases = self.clone();
        self.0.handle.spawn(&process, async move {
            let Inner {
                handle,
                operator,
                pace,
                ..
            } = &*leases.0;
            let patience = PATIENCE.at_pace(*pace);
            // The store itself tells what has landed.
            operator.serve(&lock, handle, patience, || {}).await;
        });
    }
}

fn key() -> Key {
    Key::new(Kind::Lease, NAMESPACE, ELECTION)
}

/// The role that Camel's users have, with `watch` where it is granted.
fn role(subject: &str, kind: Kind, unwatched: bool) -> Rule {
    let mut verbs = vec![Verb::Get, Verb::List];
    if kind == Kind::Lease {
        verbs.extend([Verb::Create, Verb::Update]);
    }
    if !unwatched {
        verbs.push(Verb::Watch);
    }
    Rule {
        subject: subject.to_owned(),
        verbs,
        kind,
        names: Vec::new(),
    }
}

/// What a client needs besides that patches where it should update.
fn patching(subject: &str) -> Rule {
    Rule {
        subject: subject.to_owned(),
        verbs: vec![Verb::Patch],
        kind: Kind::Lease,
        names: Vec::new(),
    }
}

/// What somebody makes of a Lease with `kubectl edit`.
fn falsify(lease: &mut Value, foreign: Foreign) {
    match foreign {
        Foreign::Corrupt => lease["spec"] = json!({ "holderIdentity": "???", "renewTime": null }),
        Foreign::EditLabel => {
            let edits = lease["metadata"]["labels"]["edits"].as_str();
            let edits: u64 = edits.and_then(|edits| edits.parse().ok()).unwrap_or(0);
            lease["metadata"]["labels"]["edits"] = (edits + 1).to_string().into();
        }
        Foreign::Empty => {
            if let Some(spec) = lease["spec"].as_object_mut() {
                spec.remove("holderIdentity");
            }
        }
        Foreign::Overwrite => {
            lease["spec"]["holderIdentity"] = "a-stranger".into();
            lease["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z".into();
        }
        Foreign::Delete | Foreign::Recreate => {}
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Leases").field(&self.0.api).finish()
    }
}

/// Tells what happens to the Lease.
struct Teller {
    /// What a third party does just now.
    foreign: Mutex<Option<Foreign>>,
    log: Log,
    operator: NodeId,
    shown: Mutex<Shown>,
}

/// What of the Lease was last told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Shown {
    holder: Option<Life>,
    token: Option<u64>,
    version: Option<u64>,
}

impl Teller {
    fn holder(&self, lease: Option<&Value>) -> (Option<Life>, bool) {
        let text = lease.and_then(|lease| lease["spec"]["holderIdentity"].as_str());
        let text = text.filter(|text| !text.is_empty());
        let life = text.and_then(|text| self.log.life_of(&Holder::parse(text)));
        (life, text.is_some())
    }

    /// What a candidate or an operator has done.
    fn deed(&self, sender: &Sender, change: &Change) -> Deed {
        if sender.node == self.operator {
            return Deed::Requested;
        }
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        let ((was, _), (is, held)) = (self.holder(before), self.holder(after));
        // A candidate may claim anew what still names it.
        let spec =
            |lease: Option<&Value>, field: &str| lease.map(|lease| lease["spec"][field].clone());
        let goes_on = ["acquireTime", "leaseTransitions"]
            .into_iter()
            .all(|field| spec(before, field) == spec(after, field));
        if !held {
            Deed::Released
        } else if is.is_some() && was == is && goes_on {
            Deed::Renewed
        } else {
            Deed::Acquired
        }
    }
}

impl Witness for Teller {
    fn landed(&self, sender: &Sender, verb: Verb, kind: Kind) {
        if sender.node == self.operator || verb == Verb::Watch || kind != Kind::Lease {
            return;
        }
        let what = What::Landed {
            request: RequestId(sender.tag),
            zombie: sender.zombie,
        };
        self.log.tell(Some(sender.node), what);
    }

    fn changed(&self, sender: Option<&Sender>, basis: Option<u64>, change: &Change) {
        if change.key != key() {
            return;
        }
        let foreign = *self.foreign.lock().expect(ONE_THREAD);
        let deed = match (sender, foreign) {
            (Some(sender), _) => self.deed(sender, change),
            (None, Some(foreign)) => Deed::Foreign(foreign),
            (None, None) => Deed::Foreign(Foreign::EditLabel),
        };
        let (holder, _) = self.holder(change.after.as_deref());
        let shown = {
            let mut shown = self.shown.lock().expect(ONE_THREAD);
            shown.holder = holder;
            shown.version = change.after.as_ref().map(|_| change.revision);
            if deed == Deed::Acquired {
                shown.token = Some(change.revision);
            }
            if change.after.is_none() {
                shown.token = None;
            }
            *shown
        };
        let node = sender
            .map(|sender| sender.node)
            .filter(|node| *node != self.operator);
        let what = What::Wrote {
            deed,
            basis,
            version: shown.version,
            holder: shown.holder,
            token: shown.token,
        };
        self.log.tell(node, what);
    }
}
