use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{Ability, Fixture, TestLock, Trouble};
use crate::memory::{
    Fault, LeasedStore, MemoryLock, Operation, PlannedFault, SessionMode, SessionStore,
};
use crate::{ElectionName, LockBackend, Nonce};

/// The locks in memory as a fixture: the example to write others by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MemoryFixture {
    /// A [`LeasedStore`] for each check.
    Leased,
    /// A [`SessionStore`] of this mode for each check.
    Session(SessionMode),
}

impl MemoryFixture {
    pub(in crate::testing) fn lock(self) -> Result<MemoryTestLock, Trouble> {
        let election = ElectionName::new("conformance").map_err(|e| Trouble::new(e.to_string()))?;
        let store = match self {
            Self::Leased => Store::Leased(LeasedStore::new(election)),
            Self::Session(mode) => Store::Session(SessionStore::new(election, mode)),
        };
        Ok(MemoryTestLock {
            handles: Mutex::default(),
            store,
        })
    }
}

#[async_trait]
impl Fixture for MemoryFixture {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        Ok(Box::new(self.lock()?))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        Vec::new()
    }
}

enum Store {
    Leased(LeasedStore),
    Session(SessionStore),
}

/// A lock in memory with what a test may do to it.
pub(in crate::testing) struct MemoryTestLock {
    handles: Mutex<Vec<(usize, Arc<MemoryLock>)>>,
    store: Store,
}

impl fmt::Debug for MemoryTestLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.store {
            Store::Leased(store) => store.fmt(f),
            Store::Session(store) => store.fmt(f),
        }
    }
}

impl MemoryTestLock {
    pub(in crate::testing) fn memory_handle(&self, number: usize) -> Arc<MemoryLock> {
        let handle = Arc::new(match &self.store {
            Store::Leased(store) => store.handle(),
            Store::Session(store) => store.handle(),
        });
        self.handles().push((number, Arc::clone(&handle)));
        handle
    }

    fn handles(&self) -> MutexGuard<'_, Vec<(usize, Arc<MemoryLock>)>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, number: usize) -> Result<Arc<MemoryLock>, Trouble> {
        let handles = self.handles();
        let known = handles.iter().find(|(known, _)| *known == number);
        known
            .map(|(_, handle)| Arc::clone(handle))
            .ok_or_else(|| Trouble::new(format!("handle {number} was never asked for")))
    }

    fn inject(&self, number: usize, operation: Operation, fault: Fault) -> Result<(), Trouble> {
        self.known(number)?
            .inject(PlannedFault::next(operation, fault));
        Ok(())
    }
}

#[async_trait]
impl TestLock for MemoryTestLock {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        Ok(self.memory_handle(number))
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        let session = self.known(number)?.session();
        if let Store::Session(store) = &self.store {
            store.end_session(session);
        }
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        match &self.store {
            Store::Leased(store) => store.delete(),
            Store::Session(store) => store.delete(),
        }
        Ok(())
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        match &self.store {
            Store::Leased(store) => store.edit_label(),
            Store::Session(store) => store.edit_label(),
        }
        Ok(())
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        match &self.store {
            Store::Leased(store) => store.empty(),
            Store::Session(store) => store.remove_holder(),
        }
        Ok(())
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        match &self.store {
            Store::Leased(store) => {
                store.recreate();
                Ok(())
            }
            Store::Session(_) => Err(Trouble::new("a session's lock cannot be copied")),
        }
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        match &self.store {
            Store::Leased(store) => store.corrupt(),
            Store::Session(store) => store.corrupt(),
        }
        Ok(())
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        match &self.store {
            Store::Leased(store) => {
                store.overwrite_holder(holder, Nonce(1), Some(Duration::from_secs(15)));
            }
            Store::Session(store) => store.overwrite_holder(holder),
        }
        Ok(())
    }

    async fn lose_next_reply(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        self.inject(number, operation, Fault::LoseReply)
    }

    async fn lose_next_request(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        self.inject(number, operation, Fault::LoseRequest)
    }
}
