use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::hints::Told;
use super::super::leased::list;
use super::super::shared::State;
use super::super::{Reply, Request, SessionId};
use super::SessionMode;
use crate::backend::{Held, Holder, LockState, Note, Observation, OperatorRequest, ReleaseMark};
use crate::{CandidateId, Error, FencingToken, Identity, Nonce, Version, WallTime};

/// A place in the queue. The first place has the lock.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Node {
    pub(super) duration: Option<Duration>,
    /// Whether a claim has been answered with this node's token.
    pub(super) granted: bool,
    pub(super) holder: Holder,
    pub(super) nonce: Nonce,
    /// The session that it ends with; nothing for a stranger's node, which only an administrator ends.
    pub(super) session: Option<SessionId>,
    pub(super) token: FencingToken,
}

/// All data of a session store at one moment: plain data, to be compared and hashed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SessionState {
    pub(super) before: Option<Observation>,
    pub(super) identities: u128,
    pub(super) identity: Option<Identity>,
    pub(super) longest_lease: Option<Duration>,
    pub(super) mark: Option<ReleaseMark>,
    pub(super) members: BTreeMap<SessionId, CandidateId>,
    pub(super) mode: SessionMode,
    pub(super) note: Option<Note>,
    pub(super) open: BTreeSet<SessionId>,
    pub(super) queue: Vec<Node>,
    pub(super) readable: bool,
    pub(super) request: Option<OperatorRequest>,
    pub(super) server_time: Option<WallTime>,
    pub(super) sessions: u64,
    pub(super) token: Option<FencingToken>,
    pub(super) tokens: u64,
    /// Whether the lock has vanished or become unreadable, and nobody has vouched since that its former holders have stopped.
    pub(super) unexplained: bool,
    pub(super) version: u64,
    pub(super) written: Option<WallTime>,
}

impl SessionState {
    /// A lock that nobody has ever held.
    pub fn new(mode: SessionMode) -> Self {
        Self {
            before: None,
            identities: 0,
            identity: None,
            longest_lease: None,
            mark: None,
            members: BTreeMap::new(),
            mode,
            note: None,
            open: BTreeSet::new(),
            queue: Vec::new(),
            readable: true,
            request: None,
            server_time: None,
            sessions: 0,
            token: None,
            tokens: 0,
            unexplained: false,
            version: 0,
            written: None,
        }
    }

    pub(super) fn set_server_time(&mut self, time: Option<WallTime>) {
        self.server_time = time;
    }

    /// The sessions that have not ended.
    pub fn sessions(&self) -> Vec<SessionId> {
        self.open.iter().copied().collect()
    }

    /// Who has the lock: the first in the queue.
    pub fn holder(&self) -> Option<&Holder> {
        self.queue.first().map(|node| &node.holder)
    }

    /// The newest token of all that ever had the lock.
    pub fn token(&self) -> Option<FencingToken> {
        self.token
    }

    /// The record's version; nothing when there is no record.
    pub fn version(&self) -> Option<Version> {
        self.identity.map(|_| Version(self.version))
    }

    /// The session that has the lock.
    pub fn holding_session(&self) -> Option<SessionId> {
        self.queue.first().and_then(|node| node.session)
    }

    /// Ends a session: its places in the queue and its member are gone.
    pub fn end(&mut self, session: SessionId) -> Told {
        if !self.open.remove(&session) {
            return Told::Nothing;
        }
        let member = self.members.remove(&session).is_some();
        if self.queue.iter().any(|node| node.session == Some(session)) {
            self.touch(|state| state.queue.retain(|node| node.session != Some(session)));
            return Told::Lock;
        }
        if member { Told::Members } else { Told::Nothing }
    }

    /// Removes the lock with its queue and its record, as somebody who deletes a lock file.
    pub fn delete(&mut self) {
        self.touch(|state| {
            state.unexplained |= state.identity.is_some();
            state.identity = None;
            state.mark = None;
            state.note = None;
            state.queue.clear();
            state.readable = true;
            state.request = None;
            state.token = None;
            state.written = None;
        });
    }

    /// No former holder believes any more.
    pub fn vouch(&mut self) {
        self.unexplained = false;
    }

    /// Removes the first place, as an administrator who deletes a node: the store cannot tell it from a session's end.
    pub fn remove_holder(&mut self) {
        self.touch(|state| {
            if !state.queue.is_empty() {
                state.queue.remove(0);
            }
        });
    }

    /// Makes the record something that cannot be understood. The lock itself stays with its session.
    pub fn corrupt(&mut self) {
        self.touch(|state| {
            state.create();
            state.readable = false;
            state.note = None;
            state.request = None;
        });
    }

    /// Writes the record without changing what it says: only its version grows.
    pub fn edit(&mut self) {
        self.touch(Self::create);
    }

    /// Puts a stranger's node before all others.
    pub fn overwrite_holder(&mut self, holder: &str) {
        self.touch(|state| {
            state.create();
            if let Some(token) = state.next_token() {
                let node = Node {
                    duration: None,
                    granted: true,
                    holder: Holder::parse(holder),
                    nonce: Nonce(0),
                    session: None,
                    token,
                };
                state.queue.insert(0, node);
            }
        });
    }

    /// One write: a version of its own, and what was before it is remembered.
    pub(super) fn touch<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        self.before = Some(self.observe());
        let result = write(self);
        self.version += 1;
        if let Some(first) = self.queue.first() {
            self.token = self.token.max(Some(first.token));
        }
        result
    }

    pub(super) fn create(&mut self) {
        if self.identity.is_none() {
            self.identities += 1;
            self.identity = Some(Identity(self.identities));
        }
    }

    pub(super) fn next_token(&mut self) -> Option<FencingToken> {
        let token = FencingToken::new(self.tokens + 1)?;
        self.tokens = token.value();
        Some(token)
    }

    fn lock(&self) -> LockState {
        let Some(identity) = self.identity else {
            return if self.unexplained {
                LockState::Missing
            } else {
                LockState::NeverHeld
            };
        };
        let held = |duration, holder, nonce| {
            LockState::Held(Held {
                duration,
                holder,
                identity,
                nonce,
            })
        };
        match self.queue.first() {
            _ if !self.readable => held(None, Holder::parse("unreadable record"), Nonce(0)),
            Some(first) => held(first.duration, first.holder.clone(), first.nonce),
            None => LockState::Vacant {
                identity,
                mark: self.mark,
            },
        }
    }
}

impl State for SessionState {
    const NAME: &'static str = "memory (session)";
    const ORDERED: bool = true;

    fn open(&mut self) -> SessionId {
        self.sessions += 1;
        let session = SessionId(self.sessions);
        self.open.insert(session);
        session
    }

    fn is_open(&self, session: SessionId) -> bool {
        self.open.contains(&session)
    }

    fn apply(&mut self, from: SessionId, request: &Request) -> (Result<Reply, Error>, Told) {
        let (first, asked, note) = (self.queue.first().cloned(), self.request, self.note.clone());
        let mut told = Told::Nothing;
        let reply = match request {
            Request::Acquire(claim) => self.acquire(from, claim).map(Reply::Acquired),
            Request::Enlist(candidate) => {
                if self.is_open(from) {
                    self.members.insert(from, candidate.clone());
                    told = Told::Members;
                }
                Ok(Reply::Done)
            }
            Request::Members => Ok(Reply::Members(list(self.members.values()))),
            Request::Observe => Ok(Reply::Observed(self.observe())),
            Request::Release(release) => Ok(Reply::Released(self.release(from, release))),
            Request::Renew(renewal) => Ok(Reply::Renewed(self.renew(from, renewal))),
            Request::Submit(request) => self.submit(request).map(Reply::Submitted),
            Request::Withdraw(candidate) => {
                told = self.withdraw(from, candidate);
                Ok(Reply::Done)
            }
        };
        // A heartbeat is not told: nobody else has anything to do because of it.
        let token = |node: &Node| (node.token, node.granted);
        let moved = first.as_ref().map(token) != self.queue.first().map(token);
        if moved || asked != self.request || note != self.note {
            told = Told::Lock;
        }
        (reply, told)
    }

    fn abandon(&mut self, session: SessionId) -> Told {
        self.end(session)
    }

    fn crash(&mut self, session: SessionId) -> Told {
        match self.mode {
            SessionMode::EndsWithHandle => self.end(session),
            SessionMode::EndsWhenTold => Told::Nothing,
        }
    }

    fn observe(&self) -> Observation {
        Observation {
            led_since: None,
            lock: self.lock(),
            note: self.note.clone(),
            request: self.request,
            server_time: self.server_time,
            written: self.written,
            token: self.token,
            version: self.identity.map(|_| Version(self.version)),
        }
    }

    fn observe_before(&self) -> Observation {
        self.before.clone().unwrap_or_else(|| self.observe())
    }
}
