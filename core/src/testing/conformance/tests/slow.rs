//! The locks in memory answer within one poll. Here they take several, so that the checks that drop calls drop them at each point:
//! before the request is sent, while it is under way, and before its answer is back.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::backend::{
    Acquired, Claim, Description, Hint, LockBackend, Member, Observation, OperatorRequest, Release,
    Released, Renewal, Renewed, Submitted,
};
use crate::memory::{Fault, Gate, MemoryLock, Operation, PlannedFault};
use crate::testing::conformance::memory::MemoryTestLock;
use crate::testing::conformance::{Fixture, MemoryFixture, TestLock, Trouble};
use crate::testing::{poll_once, yield_now};
use crate::{CandidateId, Error};

/// Where a call waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    BeforeSending,
    UnderWay,
    BeforeAnswering,
}

/// The locks of a [`MemoryFixture`], slow in one way.
#[derive(Debug)]
pub(super) struct Slow(pub(super) MemoryFixture, pub(super) Wait);

/// Requests whose callers have gone; they land with the next call of anybody.
type Late = Arc<Mutex<Vec<Gate>>>;

#[derive(Debug)]
struct SlowTestLock {
    late: Late,
    lock: MemoryTestLock,
    wait: Wait,
}

#[derive(Debug)]
struct SlowLock {
    inner: Arc<MemoryLock>,
    late: Late,
    wait: Wait,
}

/// Keeps a request for later when its caller drops the call.
struct UnderWay(Gate, Late);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0.clone());
    }
}

impl SlowLock {
    async fn slowly<T>(&self, operation: Operation, call: impl Future<Output = T>) -> T {
        let late: Vec<Gate> = self.late.lock().unwrap().drain(..).collect();
        late.iter().for_each(Gate::open);
        match self.wait {
            Wait::BeforeSending => {
                yield_now().await;
                call.await
            }
            Wait::BeforeAnswering => {
                let answer = call.await;
                yield_now().await;
                answer
            }
            Wait::UnderWay => {
                let gate = Gate::new();
                let delay = Fault::Delay(gate.clone());
                self.inner.inject(PlannedFault::next(operation, delay));
                let mut call = pin!(call);
                let sent = UnderWay(gate.clone(), Arc::clone(&self.late));
                // A fault of the test itself comes before the delay; then the call is over already.
                if let std::task::Poll::Ready(answer) = poll_once(call.as_mut()) {
                    return answer;
                }
                yield_now().await;
                gate.open();
                drop(sent);
                call.await
            }
        }
    }
}

#[async_trait]
impl LockBackend for SlowLock {
    fn description(&self) -> &Description {
        self.inner.description()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.slowly(Operation::Observe, self.inner.observe()).await
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        self.slowly(Operation::Acquire, self.inner.acquire(claim))
            .await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        self.slowly(Operation::Renew, self.inner.renew(renewal))
            .await
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        self.slowly(Operation::Release, self.inner.release(release))
            .await
    }

    async fn changed(&self) -> Hint {
        self.inner.changed().await
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        self.slowly(Operation::Enlist, self.inner.enlist(candidate))
            .await
    }

    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        self.slowly(Operation::Withdraw, self.inner.withdraw(candidate))
            .await
    }

    fn abandon(&self) {
        self.inner.abandon();
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        self.slowly(Operation::Members, self.inner.members()).await
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        self.slowly(Operation::Submit, self.inner.submit(request))
            .await
    }
}

#[async_trait]
impl Fixture for Slow {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        Ok(Box::new(SlowTestLock {
            late: Late::default(),
            lock: self.0.lock()?,
            wait: self.1,
        }))
    }
}

#[async_trait]
impl TestLock for SlowTestLock {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        Ok(Arc::new(SlowLock {
            inner: self.lock.memory_handle(number),
            late: Arc::clone(&self.late),
            wait: self.wait,
        }))
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        self.lock.crash(number).await
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.lock.delete_lock().await
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        self.lock.edit_label().await
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        self.lock.empty_record().await
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        self.lock.copy_record().await
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        self.lock.corrupt_record().await
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        self.lock.overwrite_holder(holder).await
    }

    async fn lose_next_reply(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        self.lock.lose_next_reply(number, operation).await
    }

    async fn lose_next_request(&self, number: usize, operation: Operation) -> Result<(), Trouble> {
        self.lock.lose_next_request(number, operation).await
    }
}
