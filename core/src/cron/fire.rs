use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::Reason;
use crate::{FencingToken, WallTime};

/// Why a fire was told to stop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cancellation {
    /// The leadership is over: nothing may be done any more that only a leader may do.
    LeadershipEnded,
    /// A newer fire of the job takes its place.
    Replaced,
    /// It has run for longer than its time-out.
    TimedOut,
}

/// One try of one fire, as its job sees it.
#[derive(Clone, Debug)]
pub struct Fire {
    pub(super) attempt: u8,
    pub(super) cancel: Cancel,
    pub(super) job: Arc<str>,
    pub(super) reason: Reason,
    pub(super) scheduled: WallTime,
    pub(super) token: FencingToken,
}

impl Fire {
    /// Which try of this fire it is, from 1. After a crash the count goes on where the ledger left it.
    pub fn attempt(&self) -> u8 {
        self.attempt
    }

    /// The name of the job.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Why it runs.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The time that it was scheduled for. Together with the job's name it identifies the fire, over all its tries and leaders.
    pub fn scheduled(&self) -> WallTime {
        self.scheduled
    }

    /// The token of the leadership that it runs under, for the resources that it writes to.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// Why it was told to stop, if it was.
    pub fn cancellation(&self) -> Option<Cancellation> {
        self.cancel.why()
    }

    /// Ready when it is told to stop. A job that does not stop is dropped after its stop time.
    pub fn cancelled(&self) -> impl Future<Output = Cancellation> + Send + use<> {
        Cancelled(self.cancel.clone())
    }
}

#[derive(Default)]
struct CancelState {
    wakers: Vec<Waker>,
    why: Option<Cancellation>,
}

/// Tells a fire to stop, once.
#[derive(Clone, Default)]
pub(super) struct Cancel(Arc<Mutex<CancelState>>);

impl Cancel {
    /// A poisoned lock is no harm: nothing that is done under it can panic half-way.
    fn state(&self) -> MutexGuard<'_, CancelState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn why(&self) -> Option<Cancellation> {
        self.state().why
    }

    /// Tells to stop, unless that was told before. Says whether it is news.
    pub(super) fn tell(&self, why: Cancellation) -> bool {
        let mut state = self.state();
        if state.why.is_some() {
            return false;
        }
        state.why = Some(why);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        true
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.why(), f)
    }
}

struct Cancelled(Cancel);

impl Future for Cancelled {
    type Output = Cancellation;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancellation> {
        let mut state = self.0.state();
        if let Some(why) = state.why {
            return Poll::Ready(why);
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
