use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::Clock;
use crate::testing::yield_now;

/// How long one wait of the suite may take on the fixture's clock.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait on the fixture's clock between two looks at something that should change.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How often to look at something that should change.
pub(super) const LOOKS_MAX: u32 = 1000;
/// How often to poll where there is no clock.
const POLLS_MAX: u32 = 10_000;

/// Runs `future` to its end, or gives up after as much time as so many waits may take.
pub(super) async fn within<F: Future>(
    clock: Option<&Arc<dyn Clock>>,
    waits: u32,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = clock.map(|clock| clock.sleep(PATIENCE * waits));
    let mut polls = 0;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if let Some(sleep) = &mut sleep {
            return sleep.as_mut().poll(context).map(|()| None);
        }
        polls += 1;
        if polls == POLLS_MAX * waits {
            return Poll::Ready(None);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// A short wait before looking again.
pub(super) async fn pause(clock: Option<&Arc<dyn Clock>>) {
    match clock {
        Some(clock) => clock.sleep(LOOK_AGAIN).await,
        None => yield_now().await,
    }
}

/// Runs all futures at once, polling them in turns; their outputs in the order of the futures.
pub(super) async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut all = true;
        for (future, output) in running.iter_mut().zip(&mut outputs) {
            if output.is_some() {
                continue;
            }
            match future.as_mut().poll(context) {
                Poll::Ready(ready) => *output = Some(ready),
                Poll::Pending => all = false,
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

/// Polls `future` once and drops it, as an elector drops a call that takes too long.
pub(super) async fn drop_after_first_poll<F: Future>(future: F) {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _ = future.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}

/// Runs `future`; a panic within is an error with its message.
pub(super) async fn without_panic<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                Poll::Ready(Err(text.unwrap_or_else(|| "something".to_owned())))
            }
        }
    })
    .await
}
