//! A record that followers age, like a Kubernetes Lease.

mod state;

use std::sync::Arc;
use std::time::Duration;

pub use state::LeasedState;
pub(super) use state::list;

use super::hints::Told;
use super::shared::{Shared, State};
use super::{MemoryLock, Operation, PlannedFault, Reply, Request, SessionId, Watch};
use crate::backend::{Description, LockKind, Note, Observation, Proof};
use crate::{ElectionName, Error, Nonce, WallTime};

/// A store with one record that anybody may replace by compare-and-swap, like a Kubernetes Lease.
///
/// It knows no time: whether a record has aged is decided by who claims it. Tokens are the versions of acquiring writes, which
/// grow over deletion too. Clones are the same store.
///
/// A crash of a handle leaves its record as it is.
#[derive(Clone, Debug)]
pub struct LeasedStore {
    election: ElectionName,
    shared: Arc<Shared<LeasedState>>,
}

impl LeasedStore {
    /// An empty store: the lock is missing.
    pub fn new(election: ElectionName) -> Self {
        Self::starting_at(election, 0)
    }

    /// An empty store whose first write gets the version `revision + 1`.
    pub fn starting_at(election: ElectionName, revision: u64) -> Self {
        Self {
            election,
            shared: Shared::new(LeasedState::new(revision)),
        }
    }

    /// A handle for one candidate.
    pub fn handle(&self) -> MemoryLock {
        let description = Description {
            backend: LeasedState::NAME,
            url: format!("memory-leased:///{}", self.election),
            election: self.election.clone(),
            kind: LockKind::Leased,
            proof: Proof::Itself,
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

    /// What a read would show now. Not counted as a call.
    pub fn observation(&self) -> Observation {
        self.shared.read(State::observe)
    }

    /// All data of the store, to be compared or hashed.
    pub fn state(&self) -> LeasedState {
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

    /// How much handles are told without asking; [`Watch::Changes`] at first.
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

    /// See [`LeasedState::edit_label`].
    pub fn edit_label(&self) {
        self.edit(LeasedState::edit_label);
    }

    /// Deletes the record.
    pub fn delete(&self) {
        self.edit(LeasedState::delete);
    }

    /// See [`LeasedState::empty`].
    pub fn empty(&self) {
        self.edit(LeasedState::empty);
    }

    /// See [`LeasedState::recreate`].
    pub fn recreate(&self) {
        self.edit(LeasedState::recreate);
    }

    /// See [`LeasedState::overwrite_holder`].
    pub fn overwrite_holder(&self, holder: &str, nonce: Nonce, duration: Option<Duration>) {
        self.edit(|state| state.overwrite_holder(holder, nonce, duration));
    }

    /// See [`LeasedState::overwrite_note`].
    pub fn overwrite_note(&self, note: Option<Note>) {
        self.edit(|state| state.overwrite_note(note));
    }

    /// Makes the record something that cannot be understood.
    pub fn corrupt(&self) {
        self.edit(LeasedState::corrupt);
    }

    fn edit(&self, edit: impl FnOnce(&mut LeasedState)) {
        self.shared.change(|state| {
            edit(state);
            ((), Told::Lock)
        });
    }
}
