use std::fmt;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use crate::locked::locked;

/// What somebody is told and has not taken yet: the newest of each kind, not a queue, so that a slow reader costs no memory. Read by one.
pub(crate) struct Mailbox<T>(Mutex<(T, Option<Waker>)>);

impl<T: Default> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(&locked(&self.0).0).finish()
    }
}

impl<T> Mailbox<T> {
    /// Changes what is there, without telling the reader.
    #[cfg(any(feature = "file", feature = "kubernetes"))]
    pub(crate) fn alter<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut locked(&self.0).0)
    }

    /// Changes what is there, and wakes the reader.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut T)) {
        let waker = {
            let mut state = locked(&self.0);
            change(&mut state.0);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until `take` finds something.
    pub(crate) async fn next<R>(&self, mut take: impl FnMut(&mut T) -> Option<R>) -> R {
        poll_fn(|context| {
            let mut state = locked(&self.0);
            if let Some(taken) = take(&mut state.0) {
                return Poll::Ready(taken);
            }
            state.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
