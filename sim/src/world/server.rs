use tenure_core::backend::{Acquired, Basis, OperatorRequest, Released, Renewed, RequestKind};
use tenure_core::machine::{Failure, Outcome};
use tenure_core::memory::{
    LeasedState, Reply, Request, SessionId, SessionMode, SessionState, State, Told,
};
use tenure_core::{Error, Nonce};

use super::Vouching;
use super::sessions::{Expired, Sessions};
use crate::TrueTime;
use crate::plan::{Backend, Foreign, Plan};
use crate::trace::{Deed, Life, What};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    pub(crate) life: Life,
    pub(crate) node: u16,
    pub(crate) session: SessionId,
}

/// What a request did.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What it is answered with.
    pub(crate) outcome: Outcome,
    /// What others are told.
    pub(crate) told: Told,
    /// What changed in the record.
    pub(crate) wrote: Option<What>,
}

#[derive(Clone, Debug)]
enum Store {
    Leased(LeasedState),
    Session(SessionState),
}

/// The store that the candidates contend for, and who counts its sessions.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Nothing where sessions end with their processes, and where there are none.
    counts: Option<Sessions>,
    operator: SessionId,
    store: Store,
    vouching: Vouching,
}

/// Who holds the lock, the newest token, and the version.
type Standing = (Option<Life>, Option<u64>, Option<u64>);

impl Server {
    /// The store of a plan. A sign of life is passed on `lag` nanoseconds late, where the plan says that it is late.
    pub(crate) fn new(plan: &Plan, lag: u64) -> Self {
        let mut store = match plan.backend {
            Backend::Lease | Backend::Kubernetes => Store::Leased(LeasedState::new(0)),
            Backend::Session | Backend::Zookeeper => {
                Store::Session(SessionState::new(SessionMode::EndsWhenTold))
            }
            Backend::File => Store::Session(SessionState::new(SessionMode::EndsWithHandle)),
        };
        let lag = if plan.server.late_proof { lag } else { 0 };
        let counts = || Sessions::new(plan.server.clone(), lag);
        Self {
            counts: (plan.backend.kind() == Backend::Session).then(counts),
            operator: store.open(),
            store,
            vouching: Vouching::new(plan),
        }
    }

    /// Whether anybody may replace the record by compare-and-swap.
    pub(crate) fn is_leased(&self) -> bool {
        matches!(self.store, Store::Leased(_))
    }

    /// Whether the store counts sessions, so that clients have to ping.
    pub(crate) fn counts_sessions(&self) -> bool {
        self.counts.is_some()
    }

    /// A candidate connects.
    pub(crate) fn open(&mut self, now: TrueTime, node: u16, life: Life, timeout: u64) -> SessionId {
        let session = self.store.open();
        if let Some(counts) = &mut self.counts {
            counts.open(now, session, (node, life), timeout);
        }
        session
    }

    /// Whether a session has not ended.
    pub(crate) fn is_open(&self, session: SessionId) -> bool {
        match &self.store {
            Store::Leased(_) => true,
            Store::Session(state) => state.is_open(session),
        }
    }

    /// A sign of life.
    pub(crate) fn hear(&mut self, now: TrueTime, session: SessionId) {
        if let Some(counts) = &mut self.counts {
            counts.hear(now, session);
        }
    }

    /// Applies a request that lands now.
    pub(crate) fn apply(&mut self, now: TrueTime, from: Caller, request: &Request) -> Applied {
        self.hear(now, from.session);
        let before = self.standing();
        let (reply, told) = match &mut self.store {
            Store::Leased(state) => state.apply(from.session, request),
            Store::Session(state) => state.apply(from.session, request),
        };
        let outcome = outcome(reply);
        let wrote = self.wrote(before, request, &outcome);
        self.vouch_by(now, wrote.as_ref());
        Applied {
            outcome,
            told,
            wrote,
        }
    }

    /// Vouches for the end of former holders, once that is known.
    fn vouch_by(&mut self, now: TrueTime, wrote: Option<&What>) {
        if let (Store::Session(state), Some(What::Wrote { deed, .. })) = (&mut self.store, wrote)
            && self.vouching.sees(now, *deed)
        {
            state.vouch();
        }
    }

    /// A read of the lock that nobody counts.
    pub(crate) fn observe(&self) -> tenure_core::backend::Observation {
        match &self.store {
            Store::Leased(state) => state.observe(),
            Store::Session(state) => state.observe(),
        }
    }

    /// An operator's request, by compare-and-swap against what is there now.
    pub(crate) fn submit(&mut self, now: TrueTime, kind: RequestKind) -> Applied {
        let token = match &self.store {
            Store::Leased(state) => state.token(),
            Store::Session(state) => state.token(),
        };
        let request = Request::Submit(OperatorRequest { kind, token });
        let operator = Caller {
            life: Life(0),
            node: u16::MAX,
            session: self.operator,
        };
        self.apply(now, operator, &request)
    }

    /// What a third party does. What this kind of lock does not have is left alone.
    pub(crate) fn tamper(&mut self, foreign: Foreign) -> Option<What> {
        let before = self.standing();
        match &mut self.store {
            Store::Leased(state) => match foreign {
                Foreign::Corrupt => state.corrupt(),
                Foreign::Delete => state.delete(),
                Foreign::EditLabel => state.edit_label(),
                Foreign::Empty => state.empty(),
                Foreign::Overwrite => state.overwrite_holder("a stranger", Nonce(7), None),
                Foreign::Recreate => state.recreate(),
            },
            Store::Session(state) => match foreign {
                Foreign::Corrupt => state.corrupt(),
                Foreign::Delete => state.delete(),
                Foreign::EditLabel => state.edit(),
                Foreign::Empty | Foreign::Overwrite | Foreign::Recreate => return None,
            },
        }
        self.vouching.sees(TrueTime::START, Deed::Foreign(foreign));
        let after = self.standing();
        (before != after).then_some(record(Deed::Foreign(foreign), None, after))
    }

    /// A candidate's connection ends in good order, or its process does where the kernel then ends its session.
    pub(crate) fn close(&mut self, session: SessionId) -> (Told, Option<What>) {
        if let Some(counts) = &mut self.counts {
            counts.close(session);
        }
        let before = self.standing();
        let told = match &mut self.store {
            Store::Leased(state) => state.crash(session),
            Store::Session(state) => state.end(session),
        };
        let after = self.standing();
        let moved = (before != after).then_some(record(Deed::Expired, None, after));
        (told, moved)
    }

    /// A process is gone without a word.
    pub(crate) fn process_died(&mut self, session: SessionId) -> (Told, Option<What>) {
        if self.counts.is_some() {
            return (Told::Nothing, None);
        }
        self.close(session)
    }

    /// Whose session has expired by now, if anybody's.
    pub(crate) fn expire(&mut self, now: TrueTime) -> Option<(Expired, Told, Option<What>)> {
        let session = self.counts.as_ref()?.expired(now)?;
        self.end(session)
    }

    /// An administrator ends the session of a candidate.
    pub(crate) fn expire_life(&mut self, life: Life) -> Option<(Expired, Told, Option<What>)> {
        let session = self.counts.as_ref()?.of(life)?;
        self.end(session)
    }

    fn end(&mut self, session: SessionId) -> Option<(Expired, Told, Option<What>)> {
        let expired = self.counts.as_mut()?.close(session)?;
        let (told, wrote) = self.close(session);
        Some((expired, told, wrote))
    }

    /// When the next session expires, if nobody is heard of.
    pub(crate) fn next_expiry(&self) -> Option<TrueTime> {
        self.counts.as_ref()?.next_expiry()
    }

    /// All sessions count from now on anew.
    pub(crate) fn renew_sessions(&mut self, now: TrueTime) {
        if let Some(counts) = &mut self.counts {
            counts.renew(now);
        }
    }

    fn standing(&self) -> Standing {
        let (holder, token, version) = match &self.store {
            Store::Leased(state) => (state.holder(), state.token(), state.version()),
            Store::Session(state) => (state.holder(), state.token(), state.version()),
        };
        let incarnation = holder.and_then(|holder| holder.incarnation());
        // A candidate's incarnation carries the number of its life in its lowest bits.
        let life = incarnation.map(|incarnation| {
            let low = incarnation.to_bits() & u128::from(u32::MAX);
            Life(u32::try_from(low).expect("masked to 32 bits"))
        });
        (
            life,
            token.map(|token| token.value()),
            version.map(|version| version.0),
        )
    }

    fn wrote(&self, before: Standing, request: &Request, outcome: &Outcome) -> Option<What> {
        let deed = match outcome {
            Outcome::Acquired(Acquired::Granted(_)) => Deed::Acquired,
            Outcome::Renewed(Renewed::Confirmed(_)) => Deed::Renewed,
            Outcome::Released(Released::Vacated) => Deed::Released,
            _ => {
                let after = self.standing();
                let (holder, token, _) = after;
                let moved = match request {
                    Request::Submit(_) => before.2 != after.2,
                    // To queue up behind others changes nothing for anybody.
                    _ => (before.0, before.1) != (holder, token),
                };
                let deed = match request {
                    Request::Submit(_) => Deed::Requested,
                    _ => Deed::Expired,
                };
                // An operator's request is a compare-and-swap against what is there.
                let basis = before
                    .2
                    .filter(|_| self.is_leased() && deed == Deed::Requested);
                return moved.then(|| record(deed, basis, after));
            }
        };
        let basis = basis(request).filter(|_| self.is_leased());
        Some(record(deed, basis, self.standing()))
    }
}

impl Store {
    fn open(&mut self) -> SessionId {
        match self {
            Self::Leased(state) => state.open(),
            Self::Session(state) => state.open(),
        }
    }
}

/// The version that a write was computed from.
pub(crate) fn basis(request: &Request) -> Option<u64> {
    match request {
        Request::Acquire(claim) => match claim.basis {
            Basis::At(version) => Some(version.0),
            Basis::Missing => None,
        },
        Request::Release(release) => Some(release.hold.version.0),
        Request::Renew(renewal) => Some(renewal.hold.version.0),
        _ => None,
    }
}

fn record(deed: Deed, basis: Option<u64>, (holder, token, version): Standing) -> What {
    What::Wrote {
        deed,
        basis,
        version,
        holder,
        token,
    }
}

/// What a candidate is told of an answer.
pub(crate) fn outcome(reply: Result<Reply, Error>) -> Outcome {
    match reply {
        Ok(Reply::Acquired(acquired)) => Outcome::Acquired(acquired),
        Ok(Reply::Done | Reply::Submitted(_)) => Outcome::Done,
        Ok(Reply::Members(members)) => Outcome::Members(members),
        Ok(Reply::Observed(observation)) => Outcome::Observed(observation),
        Ok(Reply::Released(released)) => Outcome::Released(released),
        Ok(Reply::Renewed(renewed)) => Outcome::Renewed(renewed),
        Err(error) => Outcome::Failed(Failure {
            effect: error.effect(),
            kind: error.kind(),
        }),
    }
}
