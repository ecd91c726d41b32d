use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::Reply;
use crate::Error;

/// Where an answer arrives that is not there yet. Nobody misses it when the caller has gone.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Arrival>>);

#[derive(Default)]
struct Arrival {
    result: Option<Result<Reply, Error>>,
    waker: Option<Waker>,
}

impl Slot {
    pub(super) fn fill(&self, result: Result<Reply, Error>) {
        let waker = {
            let mut arrival = self.lock();
            arrival.result = Some(result);
            arrival.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to a request that has been sent. Dropping it takes nothing back.
pub(super) enum Answer {
    Now(Option<Box<Result<Reply, Error>>>),
    Later(Slot),
    Never,
}

impl Answer {
    pub(super) fn now(result: Result<Reply, Error>) -> Self {
        Self::Now(Some(Box::new(result)))
    }
}

impl Future for Answer {
    type Output = Result<Reply, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Now(result) => {
                let result = result.take();
                Poll::Ready(*result.expect("an answer is not polled after its end"))
            }
            Self::Later(slot) => {
                let mut arrival = slot.lock();
                match arrival.result.take() {
                    Some(result) => Poll::Ready(result),
                    None => {
                        arrival.waker = Some(context.waker().clone());
                        Poll::Pending
                    }
                }
            }
            Self::Never => Poll::Pending,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now",
            Self::Later(_) => "Later",
            Self::Never => "Never",
        })
    }
}
