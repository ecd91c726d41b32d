use std::sync::Arc;

use async_trait::async_trait;

use super::ledger::Ledger;
use super::{Mistake, WrongLock};
use crate::LockBackend;
use crate::memory::Operation;
use crate::testing::conformance::{Fixture, TestLock, Trouble};

/// Locks in memory whose handles all make the same mistake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WrongFixture {
    mistake: Mistake,
}

impl WrongFixture {
    /// Locks whose handles make this mistake.
    pub fn new(mistake: Mistake) -> Self {
        Self { mistake }
    }
}

#[async_trait]
impl Fixture for WrongFixture {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        Ok(Box::new(WrongTestLock {
            ledger: Arc::default(),
            mistake: self.mistake,
            right: self.mistake.base().fresh_lock().await?,
        }))
    }
}

#[derive(Debug)]
struct WrongTestLock {
    ledger: Arc<Ledger>,
    mistake: Mistake,
    right: Box<dyn TestLock>,
}

#[async_trait]
impl TestLock for WrongTestLock {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let inner = self.right.handle(number).await?;
        let ledger = Arc::clone(&self.ledger);
        Ok(Arc::new(WrongLock::new(inner, ledger, self.mistake)))
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        self.right.crash(number).await
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.right.delete_lock().await
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        self.right.edit_label().await
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        self.right.empty_record().await
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        self.right.copy_record().await
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        self.right.corrupt_record().await
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        self.right.overwrite_holder(holder).await
    }

    async fn lose_next_reply(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        self.right.lose_next_reply(number, operation).await
    }

    async fn lose_next_request(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        self.right.lose_next_request(number, operation).await
    }
}
