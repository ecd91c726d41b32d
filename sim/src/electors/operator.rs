//! An operator, who insists on what was asked for until the lock has it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tenure_core::LockBackend;
use tenure_core::backend::{OperatorRequest, RequestKind, Submitted};

use crate::executor::Handle;

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// What operators are about to ask for, the first of it just now.
#[derive(Default, Debug)]
pub(super) struct Operator(Mutex<VecDeque<RequestKind>>);

/// How often an operator tries what fails, and how long after one another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) tries_max: u32,
    pub(super) retries_after: Duration,
}

impl Patience {
    /// The same where everything is so many times as slow.
    pub(super) fn at_pace(self, pace: u32) -> Self {
        Self {
            retries_after: self.retries_after * pace,
            ..self
        }
    }
}

impl Operator {
    fn requests(&self) -> MutexGuard<'_, VecDeque<RequestKind>> {
        self.0.lock().expect(ONE_THREAD)
    }

    /// Leaves a request after those that were left before. Says whether somebody has to [`serve`](Self::serve) it.
    pub(super) fn queue(&self, kind: RequestKind) -> bool {
        let mut requests = self.requests();
        requests.push_back(kind);
        requests.len() == 1
    }

    /// Asks for one thing after the other, until nothing is left.
    pub(super) async fn serve(
        &self,
        lock: &dyn LockBackend,
        handle: &Handle,
        patience: Patience,
        mut accepted: impl FnMut(),
    ) {
        while let Some(kind) = self.first() {
            if self.insist(lock, handle, patience, kind).await {
                accepted();
            }
            self.requests().pop_front();
        }
    }

    fn first(&self) -> Option<RequestKind> {
        self.requests().front().copied()
    }

    /// Tries again what fails or comes too late, as an operator does who waits for the answer: a pause only until something else is
    /// wanted, and no resignation, which may have happened by then. Says whether it was accepted.
    async fn insist(
        &self,
        lock: &dyn LockBackend,
        handle: &Handle,
        patience: Patience,
        kind: RequestKind,
    ) -> bool {
        for _ in 0..patience.tries_max {
            if let Ok(seen) = lock.observe().await {
                let token = seen.token;
                let submitted = lock.submit(&OperatorRequest { kind, token }).await;
                if let Ok(Submitted::Accepted) = submitted {
                    return true;
                }
            }
            let newer = self.requests().len() > 1;
            if kind == RequestKind::Resign || (kind == RequestKind::Pause && newer) {
                return false;
            }
            handle.sleep(patience.retries_after).await;
        }
        false
    }
}
