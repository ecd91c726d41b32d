use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

/// The answer to one request: waits until somebody sends it, for ever when nobody does.
#[derive(Debug)]
pub struct Reply<T>(Arc<Mutex<Slot<T>>>);

/// Where the answer is sent. Dropping it sends nothing: the asker waits on.
#[derive(Debug)]
pub struct ReplySender<T>(Arc<Mutex<Slot<T>>>);

/// A request's two ends.
pub fn reply<T>() -> (ReplySender<T>, Reply<T>) {
    let slot = Arc::new(Mutex::new(Slot {
        value: None,
        waker: None,
    }));
    (ReplySender(Arc::clone(&slot)), Reply(slot))
}

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

impl<T> ReplySender<T> {
    /// Sends the answer; nobody may be waiting any more.
    pub fn send(self, value: T) {
        let waker = {
            let mut slot = self.0.lock().expect(ONE_THREAD);
            slot.value = Some(value);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the asker has gone: it timed out, or its process died.
    pub fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl<T> Future for Reply<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.lock().expect(ONE_THREAD);
        if let Some(value) = slot.value.take() {
            return Poll::Ready(value);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
