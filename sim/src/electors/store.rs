use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tenure_core::backend::{
    Acquired, Basis, Observation, OperatorRequest, Proof, Released, Renewed, RequestKind, Submitted,
};
use tenure_core::memory::{
    LeasedStore, MemoryLock, Operation, Reply, Request, SessionId, SessionMode, SessionStore, Watch,
};
use tenure_core::{Effect, ElectionName, Error, ErrorKind, Nonce};

use super::gate::Gate;
use super::log::Log;
use super::sessions::Sessions;
use crate::executor::{Handle, NodeId};
use crate::plan::{Backend, Fault, Foreign, Plan, Refusal, Span};
use crate::random::{Purpose, Stream};
use crate::trace::{Deed, Life, RequestId, What};
use crate::world::Vouching;

/// The store that the candidates of a run contend for. Clones are the same store.
#[derive(Clone, Debug)]
pub(super) struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    /// Where requests wait while the store hangs.
    hangs: Gate,
    kind: Kind,
    log: Log,
    state: Mutex<State>,
    usual_watch: Watch,
}

#[derive(Debug)]
enum Kind {
    Leased(LeasedStore),
    /// Sessions end with their processes.
    Process(SessionStore),
    /// Sessions end when the server has not heard from them.
    Session(SessionStore),
}

#[derive(Debug)]
struct State {
    draw: Stream,
    sessions: Sessions,
    shown: Shown,
    trouble: Trouble,
    vouching: Vouching,
}

/// What is wrong with the store.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Trouble {
    /// Nothing arrives, nothing is answered, and no session expires.
    pub(super) away: bool,
    hangs: bool,
    /// Whether hints get lost.
    pub(super) mute: bool,
    refuses: Option<Refusal>,
    /// How far behind hints are.
    pub(super) stale: Span,
    /// How many writes of a thousand are applied and then answered with a time-out.
    timeouts: u64,
    unwatched: bool,
}

/// What of the record was last told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Shown {
    holder: Option<Life>,
    token: Option<u64>,
    version: Option<u64>,
}

/// Every stream of random numbers of the store, beyond those of the nodes.
const STORE: u64 = 1 << 32;
/// The shortest time in which a server passes on signs of life late.
const GAP_LEAST: Duration = Duration::from_millis(10);
/// How often the server looks for sessions that have expired, at the least.
const LOOKS_EVERY: Duration = Duration::from_millis(500);
/// How long a store that throttles asks to wait.
const RETRY_AFTER: Duration = Duration::from_secs(2);

impl Trouble {
    /// Adds what a fault that is under way does to the store.
    pub(super) fn add(&mut self, fault: &Fault) {
        match *fault {
            Fault::Refuse { with } => self.refuses = Some(with),
            Fault::AppliedTimeout { per_mille } => self.timeouts = per_mille.into(),
            Fault::Hang => self.hangs = true,
            Fault::Restart | Fault::QuorumLoss => self.away = true,
            Fault::Stale { by } => self.stale = self.stale.plus(by),
            Fault::NoHints => self.mute = true,
            Fault::WatchGap => self.unwatched = true,
            _ => {}
        }
    }

    fn refuses(self, operation: Operation) -> Option<Error> {
        let kind = match self.refuses? {
            Refusal::Forbidden => ErrorKind::PermissionDenied,
            Refusal::Throttled => ErrorKind::Throttled {
                retry_after: Some(RETRY_AFTER),
            },
            Refusal::Unavailable => ErrorKind::Unavailable,
        };
        let detail = "the store refuses";
        let name = operation.name();
        Some(Error::new(kind, Effect::NotApplied, name, "sim", detail))
    }
}

impl Store {
    pub(super) fn new(plan: &Plan, log: &Log, handle: &Handle) -> Self {
        let election = ElectionName::new("simulated").expect("a plain word is a name");
        let mut draw = Stream::new(plan.seed, STORE, Purpose::Network);
        let observations = plan.backend == Backend::Lease && draw.happens(500);
        let kind = match plan.backend {
            Backend::Lease | Backend::Kubernetes | Backend::Zookeeper => {
                Kind::Leased(LeasedStore::new(election))
            }
            Backend::File => {
                let mode = SessionMode::EndsWithHandle;
                Kind::Process(SessionStore::new(election, mode))
            }
            Backend::Session => {
                let store = SessionStore::new(election, SessionMode::EndsWhenTold);
                Kind::Session(store.with_proof(proof(plan)))
            }
        };
        let store = Self(Arc::new(Inner {
            handle: handle.clone(),
            hangs: Gate::default(),
            kind,
            log: log.clone(),
            state: Mutex::new(State {
                draw,
                sessions: Sessions::new(&plan.server),
                shown: Shown::default(),
                trouble: Trouble::default(),
                vouching: Vouching::new(plan),
            }),
            usual_watch: match (plan.server.silent, observations) {
                (true, _) => Watch::Off,
                (false, true) => Watch::Observations,
                (false, false) => Watch::Changes,
            },
        }));
        store.set_watch(store.0.usual_watch);
        store.serve(plan);
        store
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .state
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }

    fn set_watch(&self, watch: Watch) {
        match &self.0.kind {
            Kind::Leased(store) => store.set_watch(watch),
            Kind::Process(store) | Kind::Session(store) => store.set_watch(watch),
        }
    }

    /// A way in for hints, and a session where those end with processes.
    pub(super) fn lock(&self) -> MemoryLock {
        match &self.0.kind {
            Kind::Leased(store) => store.handle(),
            Kind::Process(store) | Kind::Session(store) => store.handle(),
        }
    }

    /// Whether requests take effect in the order of their sending.
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(self.0.kind, Kind::Leased(_))
    }

    /// Whether a server counts how long it has not heard from a session.
    pub(super) fn counts_sessions(&self) -> bool {
        matches!(self.0.kind, Kind::Session(_))
    }

    pub(super) fn trouble(&self) -> Trouble {
        self.state().trouble
    }

    pub(super) fn set_trouble(&self, trouble: Trouble) {
        let before = std::mem::replace(&mut self.state().trouble, trouble);
        self.0.hangs.set_closed(trouble.hangs);
        if before.unwatched != trouble.unwatched {
            self.set_watch(if trouble.unwatched {
                Watch::Off
            } else {
                self.0.usual_watch
            });
        }
        if before.away && !trouble.away {
            self.count_anew();
        }
    }

    /// Another server counts the sessions, from the start.
    pub(super) fn count_anew(&self) {
        let now = self.0.handle.now();
        self.state().sessions.count_anew(now);
    }

    /// A client begins a session, if it can.
    pub(super) fn open_session(&self, life: Life, timeout: Duration) -> Option<SessionId> {
        let Kind::Session(store) = &self.0.kind else {
            return None;
        };
        let session = store.open_session();
        let now = self.0.handle.now();
        self.state().sessions.open(now, session, life, timeout);
        Some(session)
    }

    /// The server hears from a session.
    pub(super) fn hear(&self, session: SessionId) {
        let now = self.0.handle.now();
        self.state().sessions.hear(now, session);
    }

    /// Whether a session has not ended.
    pub(super) fn knows(&self, session: SessionId) -> bool {
        !self.counts_sessions() || self.state().sessions.knows(session)
    }

    pub(super) fn reconnect(&self, session: SessionId) {
        self.state().sessions.reconnect(session);
    }

    /// A session ends: its timeout is over, its client closes it, an administrator ends it, or its process has died.
    pub(super) fn end_session(&self, session: SessionId) {
        match &self.0.kind {
            Kind::Leased(_) => return,
            Kind::Process(store) => store.end_session(session),
            Kind::Session(store) => {
                store.end_session(session);
                let life = self.state().sessions.end(session);
                if let Some(life) = life {
                    self.0.log.tell(None, What::SessionEnded { life });
                }
            }
        }
        self.tell_change(None, Deed::Expired, None);
    }

    /// A request arrives. The answer, and nothing when there is nobody to take it in.
    pub(super) async fn land(
        &self,
        node: NodeId,
        session: SessionId,
        request: &Request,
        number: RequestId,
        zombie: bool,
    ) -> Option<Result<Reply, Error>> {
        if self.trouble().away {
            return None;
        }
        self.0.hangs.pass().await;
        let trouble = self.trouble();
        if trouble.away {
            return None;
        }
        self.0.log.tell(
            Some(node),
            What::Landed {
                request: number,
                zombie,
            },
        );
        let operation = request.operation();
        if let Some(refusal) = trouble.refuses(operation) {
            return Some(Err(refusal));
        }
        let answer = self.apply(Some(node), session, request);
        let times_out = self.state().draw.happens(trouble.timeouts);
        if times_out && operation.effect_without_answer() == Effect::Unknown {
            let detail = "the store timed out";
            return Some(Err(Error::new(
                ErrorKind::Timeout,
                Effect::Unknown,
                operation.name(),
                "sim",
                detail,
            )));
        }
        Some(answer)
    }

    /// What a request does at once, and tells.
    pub(super) fn apply(
        &self,
        node: Option<NodeId>,
        session: SessionId,
        request: &Request,
    ) -> Result<Reply, Error> {
        self.hear(session);
        let answer = match &self.0.kind {
            Kind::Leased(store) => store.apply(session, request),
            Kind::Process(store) | Kind::Session(store) => store.apply(session, request),
        };
        match deed(request, &answer) {
            Some((deed, basis)) => self.tell_change(node, deed, basis),
            None => self.tell_change(node, Deed::Expired, None),
        }
        answer
    }

    /// Vouches for the end of former holders, once that is known.
    fn vouch_by(&self, deed: Deed, changed: bool) {
        let (Kind::Session(store) | Kind::Process(store)) = &self.0.kind else {
            return;
        };
        let now = self.0.handle.now();
        if changed && self.state().vouching.sees(now, deed) {
            store.vouch();
        }
    }

    /// Tells what a deed has made of the record, if it has changed it: by `Expired` only where the holder changed.
    fn tell_change(&self, node: Option<NodeId>, deed: Deed, basis: Option<u64>) {
        let seen = self.observation();
        let holder = seen.holder().and_then(|holder| self.0.log.life_of(holder));
        let shown = Shown {
            holder,
            token: seen.token.map(|token| token.value()),
            version: seen.version.map(|version| version.0),
        };
        let before = std::mem::replace(&mut self.state().shown, shown);
        let changed = if deed == Deed::Expired {
            (before.holder, before.token) != (shown.holder, shown.token)
        } else {
            before != shown
        };
        self.vouch_by(deed, changed);
        if changed {
            // Whoever submits compares the token, at the moment of the write.
            let basis = if deed == Deed::Requested {
                before.version
            } else {
                basis
            };
            let basis = basis.filter(|_| !self.is_ordered());
            let Shown {
                holder,
                token,
                version,
            } = shown;
            self.0.log.tell(
                node,
                What::Wrote {
                    deed,
                    basis,
                    version,
                    holder,
                    token,
                },
            );
        }
    }

    pub(super) fn observation(&self) -> Observation {
        match &self.0.kind {
            Kind::Leased(store) => store.observation(),
            Kind::Process(store) | Kind::Session(store) => store.observation(),
        }
    }

    /// An operator's request, by compare-and-swap against what is there now. A refusal is as good as a request that came too late.
    pub(super) fn submit(&self, kind: RequestKind) {
        let token = self.observation().token;
        let request = Request::Submit(OperatorRequest { kind, token });
        drop(self.apply(None, self.lock().session(), &request));
    }

    /// What a third party does. What this kind of lock does not have is left alone.
    pub(super) fn tamper(&self, foreign: Foreign) {
        match &self.0.kind {
            Kind::Leased(store) => match foreign {
                Foreign::Corrupt => store.corrupt(),
                Foreign::Delete => store.delete(),
                Foreign::EditLabel => store.edit_label(),
                Foreign::Empty => store.empty(),
                Foreign::Overwrite => store.overwrite_holder("a stranger", Nonce(7), None),
                Foreign::Recreate => store.recreate(),
            },
            Kind::Process(store) | Kind::Session(store) => match foreign {
                Foreign::Corrupt => store.corrupt(),
                Foreign::Delete => store.delete(),
                Foreign::EditLabel => store.edit_label(),
                Foreign::Empty | Foreign::Overwrite | Foreign::Recreate => {}
            },
        }
        self.tell_change(None, Deed::Foreign(foreign), None);
    }

    /// Starts the server's own counting.
    fn serve(&self, plan: &Plan) {
        if !self.counts_sessions() {
            return;
        }
        let (store, handle) = (self.clone(), self.0.handle.clone());
        self.0.handle.spawn_in_world(async move {
            loop {
                let soon = handle.now().plus(LOOKS_EVERY);
                let counts = !store.trouble().away;
                let next = counts.then(|| store.state().sessions.next_expiry());
                let next = next.flatten();
                handle.sleep_until(next.unwrap_or(soon).min(soon)).await;
                store.expire();
            }
        });
        if let Proof::Later { gap } = proof(plan) {
            let (store, handle) = (self.clone(), self.0.handle.clone());
            // A little more often than is promised to clients, whose clocks may run fast.
            let every = gap * 9 / 10;
            self.0.handle.spawn_in_world(async move {
                loop {
                    handle.sleep(every).await;
                    let now = handle.now();
                    store.state().sessions.pass_on(now);
                }
            });
        }
    }

    fn expire(&self) {
        if self.trouble().away {
            return;
        }
        let expired = self.state().sessions.expired(self.0.handle.now());
        for session in expired {
            self.end_session(session);
        }
    }
}

/// How late a server passes on signs of life, where it does so late.
fn proof(plan: &Plan) -> Proof {
    if !plan.server.late_proof {
        return Proof::Itself;
    }
    let half_tick = Duration::from(plan.server.tick) / 2;
    Proof::Later {
        gap: half_tick.max(GAP_LEAST),
    }
}

/// What a request has done to the record, when it has done something, and the version that it was made against.
fn deed(request: &Request, answer: &Result<Reply, Error>) -> Option<(Deed, Option<u64>)> {
    match (request, answer.as_ref().ok()?) {
        (Request::Acquire(claim), Reply::Acquired(Acquired::Granted(_))) => {
            let basis = match claim.basis {
                Basis::At(version) => Some(version.0),
                Basis::Missing => None,
            };
            Some((Deed::Acquired, basis))
        }
        (Request::Renew(renewal), Reply::Renewed(Renewed::Confirmed(_))) => {
            Some((Deed::Renewed, Some(renewal.hold.version.0)))
        }
        (Request::Release(release), Reply::Released(Released::Vacated)) => {
            Some((Deed::Released, Some(release.hold.version.0)))
        }
        (Request::Submit(_), Reply::Submitted(Submitted::Accepted)) => {
            Some((Deed::Requested, None))
        }
        _ => None,
    }
}
