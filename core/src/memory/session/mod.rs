//! A lock that is the first of a queue of sessions, like a ZooKeeper node or a kernel's file lock.

mod requests;
mod state;

use std::sync::Arc;

pub use state::SessionState;

use super::hints::Told;
use super::shared::{Shared, State};
use super::{MemoryLock, Operation, PlannedFault, Reply, Request, SessionId, Watch};
use crate::backend::{Description, LockKind, Observation, Proof};
use crate::{ElectionName, Error, WallTime};

/// What ends a session besides [`LockBackend::abandon`](crate::LockBackend::abandon).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SessionMode {
    /// Only [`SessionStore::end_session`]: a crashed handle's session goes on until whoever drives the store has counted its timeout,
    /// as at ZooKeeper. Refused claims keep their places in a queue.
    EndsWhenTold,
    /// The drop of its handle, at once, as the kernel frees a dead process's lock. There is no queue.
    EndsWithHandle,
}

/// A store whose lock belongs to a session until the session has ended.
///
/// The requests of one handle arrive in the order in which they were sent, as over one connection; one that a later one has overtaken
/// never arrives. It knows no time: whoever drives it counts session timeouts and calls [`SessionStore::end_session`]. Tokens count the places
/// ever taken, also over deletion. A handle whose session has ended gets a new one with its next call. Clones are the same store.
#[derive(Clone, Debug)]
pub struct SessionStore {
    election: ElectionName,
    proof: Proof,
    shared: Arc<Shared<SessionState>>,
}

impl SessionStore {
    /// A store whose lock nobody has ever held.
    pub fn new(election: ElectionName, mode: SessionMode) -> Self {
        Self {
            election,
            proof: Proof::Itself,
            shared: Shared::new(SessionState::new(mode)),
        }
    }

    /// The same store; handles made from it say that a renewal is proven as `proof` says.
    #[must_use]
    pub fn with_proof(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// A handle with a session of its own, for one candidate.
    pub fn handle(&self) -> MemoryLock {
        let description = Description {
            backend: SessionState::NAME,
            url: format!("memory-session:///{}", self.election),
            election: self.election.clone(),
            kind: LockKind::Session,
            proof: self.proof,
            tells_members: true,
        };
        let server = Arc::clone(&self.shared);
        MemoryLock::new(self.shared.join(), description, server)
    }

    /// Applies a request now, without faults: for who models the way between a candidate and the store.
    ///
    /// # Errors
    /// As [`LockBackend`](crate::LockBackend) says, never with an unknown effect.
    pub fn apply(&self, from: SessionId, request: &Request) -> Result<Reply, Error> {
        self.shared.apply(from, request)
    }

    /// Starts a session that belongs to no handle, for use with [`SessionStore::apply`].
    pub fn open_session(&self) -> SessionId {
        self.shared.change(|state| (state.open(), Told::Nothing))
    }

    /// Ends a session, as when its timeout has passed: its hold, its place in the queue and its member are gone.
    pub fn end_session(&self, session: SessionId) {
        self.shared.disconnect(session);
        self.shared.change(|state| ((), state.end(session)));
    }

    /// The sessions that have not ended, oldest first.
    pub fn sessions(&self) -> Vec<SessionId> {
        self.shared.read(SessionState::sessions)
    }

    /// The session that has the lock.
    pub fn holding_session(&self) -> Option<SessionId> {
        self.shared.read(SessionState::holding_session)
    }

    /// What a read would show now. Not counted as a call.
    pub fn observation(&self) -> Observation {
        self.shared.read(State::observe)
    }

    /// All data of the store, to be compared or hashed.
    pub fn state(&self) -> SessionState {
        self.shared.read(Clone::clone)
    }

    /// How many requests of this kind all handles have sent so far.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.shared.calls(operation)
    }

    /// Plans a fault for calls of any handle.
    pub fn inject(&self, fault: PlannedFault) {
        self.shared.inject(fault);
    }

    /// Forgets all planned faults that have not met their calls, also those of single handles.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// How much handles are told without asking; [`Watch::Changes`] at first. A mere heartbeat is never told.
    pub fn set_watch(&self, watch: Watch) {
        self.shared.set_watch(watch);
    }

    /// Tells the handle with this session that its connection is lost. Its calls go on working: plan faults for them.
    pub fn disconnect(&self, session: SessionId) {
        self.shared.disconnect(session);
    }

    /// What the store says its wall clock shows; nothing at first.
    pub fn set_server_time(&self, time: Option<WallTime>) {
        self.shared
            .change(|state| (state.set_server_time(time), Told::Nothing));
    }

    /// Writes the record without changing what it says: only its version grows.
    pub fn edit_label(&self) {
        self.change(SessionState::edit);
    }

    /// Removes the lock with its queue and its record under everybody, as somebody who deletes a lock file. From then on all grants
    /// are unexplained, also after a release, until [`SessionStore::vouch`].
    pub fn delete(&self) {
        self.change(SessionState::delete);
    }

    /// Says that nobody who held the lock before it vanished believes any more. The store knows no time, so who drives it has to.
    pub fn vouch(&self) {
        self.shared.change(|state| (state.vouch(), Told::Nothing));
    }

    /// Removes the holder's place in the queue, as an administrator of ZooKeeper could: the store takes it for a session's end.
    pub fn remove_holder(&self) {
        self.change(SessionState::remove_holder);
    }

    /// Puts a stranger in the first place. The text need not be one of ours.
    pub fn overwrite_holder(&self, holder: &str) {
        self.change(|state| state.overwrite_holder(holder));
    }

    /// Makes the record something that cannot be understood. The lock itself stays with its session, whose next renewal writes the
    /// record anew.
    pub fn corrupt(&self) {
        self.change(SessionState::corrupt);
    }

    fn change(&self, change: impl FnOnce(&mut SessionState)) {
        self.shared.change(|state| {
            change(state);
            ((), Told::Lock)
        });
    }
}
