use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// Where messages wait while nothing passes. Clones are the same gate; it is open at first.
#[derive(Clone, Default, Debug)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Default, Debug)]
struct State {
    closed: bool,
    waiting: Vec<Waker>,
}

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

impl Gate {
    pub(crate) fn set_closed(&self, closed: bool) {
        let waiting = {
            let mut state = self.0.lock().expect(ONE_THREAD);
            state.closed = closed;
            if closed {
                return;
            }
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }

    /// Waits until it is open.
    pub(crate) async fn pass(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock().expect(ONE_THREAD);
            if !state.closed {
                return Poll::Ready(());
            }
            let waker = context.waker();
            if !state.waiting.iter().any(|known| known.will_wake(waker)) {
                state.waiting.push(waker.clone());
            }
            Poll::Pending
        })
        .await;
    }
}
