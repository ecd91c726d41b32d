use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use tenure_core::Error;
use tenure_core::backend::Observation;
use tenure_core::memory::{Operation, Reply, Request};

use super::connection::Connection;
use crate::planted;

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// The store behind a process's connection, for distortions that reach through.
pub(super) struct BehindStore<'a>(pub(super) &'a Connection);

impl planted::Store for BehindStore<'_> {
    fn observation(&self) -> Observation {
        self.0.wiring.store.observation()
    }

    fn apply(&mut self, request: &Request) -> Result<Reply, Error> {
        let node = Some(self.0.actor.node);
        self.0.wiring.store.apply(node, self.0.session(), request)
    }
}

/// Where a careless client looks for answers: under the kind of the call, and not under its number.
#[derive(Clone, Default, Debug)]
pub(super) struct LateAnswers(Arc<Mutex<BTreeMap<Operation, Slot>>>);

#[derive(Default, Debug)]
struct Slot {
    answer: Option<Result<Reply, Error>>,
    waker: Option<Waker>,
}

impl LateAnswers {
    /// Makes a call, and takes whatever answer to one of its kind comes first.
    pub(super) async fn call(
        &self,
        connection: &Arc<Connection>,
        request: Request,
    ) -> Result<Reply, Error> {
        let operation = request.operation();
        let answer = connection.send(request);
        let slots = self.clone();
        connection.wiring.handle.spawn_in_world(async move {
            let answer = answer.await;
            let waker = {
                let mut slots = slots.0.lock().expect(ONE_THREAD);
                let slot = slots.entry(operation).or_default();
                slot.answer = Some(answer);
                slot.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        poll_fn(|context| {
            let mut slots = self.0.lock().expect(ONE_THREAD);
            let slot = slots.entry(operation).or_default();
            if let Some(answer) = slot.answer.take() {
                return Poll::Ready(answer);
            }
            slot.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
