use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::memory::Operation;
use crate::{Clock, LockBackend};

/// What a fixture can do to its locks besides handing out handles. A check that needs one says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ability {
    /// [`TestLock::copy_record`]
    CopyRecord,
    /// [`TestLock::corrupt_record`]
    CorruptRecord,
    /// [`TestLock::crash`]
    Crash,
    /// [`TestLock::delete_lock`]
    DeleteLock,
    /// [`TestLock::edit_label`]
    EditLabel,
    /// [`TestLock::empty_record`]
    EmptyRecord,
    /// Members are those that were enlisted through the fixture's handles, and nobody else.
    Enlist,
    /// [`TestLock::lose_next_reply`]
    LoseReply,
    /// [`TestLock::lose_next_request`]
    LoseRequest,
    /// [`TestLock::overwrite_holder`]
    OverwriteHolder,
    /// The backend takes operators' requests.
    Submit,
    /// A read tells the token of a grant at once, and not only after the first renewal.
    TellTokenAtOnce,
    /// The backend tells changes without being asked.
    Watch,
}

/// Something that a fixture could not do for reasons of its own: the server is missing, the disk is full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble(String);

impl Trouble {
    /// Says what the trouble is and what to do about it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn lacks(method: &str) -> Self {
        Self(format!(
            "the fixture has no {method}: write it, or list its ability in lacks() with the reason"
        ))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// Where the suite gets its locks from: one for each backend and way to run it.
#[async_trait]
pub trait Fixture: fmt::Debug + Send + Sync {
    /// A lock that nobody has ever held, for one check: a store of its own, or a name of its own in a shared one.
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble>;

    /// What this fixture cannot do, and why: the reason stands in the report beside each check that is left out for it.
    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        Vec::new()
    }

    /// What bounds the suite's waits: some seconds each on this clock. Without one the suite polls a bounded number of times, which
    /// is enough for a backend that needs nothing from outside.
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        None
    }
}

/// One lock of a [`Fixture`], and what others may do to it.
///
/// The methods that are not written here fail; list their abilities in [`Fixture::lacks`].
#[async_trait]
pub trait TestLock: fmt::Debug + Send + Sync {
    /// The handle with this number, which was not asked for before: one for each candidate.
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble>;

    /// Ends the handle with this number as the death of its process would. For a leased lock there is nothing to do.
    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        let _ = number;
        Err(Trouble::lacks("crash"))
    }

    /// Deletes the lock, whoever holds it.
    async fn delete_lock(&self) -> Result<(), Trouble> {
        Err(Trouble::lacks("delete_lock"))
    }

    /// Writes the record without changing what it says to candidates.
    async fn edit_label(&self) -> Result<(), Trouble> {
        Err(Trouble::lacks("edit_label"))
    }

    /// Takes the holder out of the record without a release mark.
    async fn empty_record(&self) -> Result<(), Trouble> {
        Err(Trouble::lacks("empty_record"))
    }

    /// Deletes the lock and creates it anew with what its record said.
    async fn copy_record(&self) -> Result<(), Trouble> {
        Err(Trouble::lacks("copy_record"))
    }

    /// Makes the record something that cannot be understood.
    async fn corrupt_record(&self) -> Result<(), Trouble> {
        Err(Trouble::lacks("corrupt_record"))
    }

    /// Writes another holder's text over the record.
    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        let _ = holder;
        Err(Trouble::lacks("overwrite_holder"))
    }

    /// The next call of `operation` at the handle with this number reaches the store, and its answer is lost.
    async fn lose_next_reply(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        let _ = (number, operation);
        Err(Trouble::lacks("lose_next_reply"))
    }

    /// The next request of `operation` at the handle with this number is lost on its way, once.
    async fn lose_next_request(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        let _ = (number, operation);
        Err(Trouble::lacks("lose_next_request"))
    }
}
