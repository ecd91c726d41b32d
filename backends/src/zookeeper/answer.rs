//! Answers that somebody sees to, whether or not anybody waits for them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use tokio::runtime::Handle;

use super::session::Failed;

/// An answer that is under way. Where nobody waits for it any more, a task of its own does: the client's futures keep the client, and so the
/// session, until they are done.
pub(crate) struct Answer<F: Future + Send + 'static> {
    comes: Option<Pin<Box<F>>>,
    runtime: Handle,
}

impl<F: Future + Send + 'static> Answer<F> {
    pub(crate) fn new(comes: Pin<Box<F>>, runtime: Handle) -> Self {
        Self {
            comes: Some(comes),
            runtime,
        }
    }
}

impl<F, T> Future for Answer<F>
where
    F: Future<Output = thread::Result<Result<T, Failed>>> + Send + 'static,
{
    type Output = Result<T, Failed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(comes) = &mut self.comes else {
            return Poll::Pending;
        };
        let answer = ready!(comes.as_mut().poll(context));
        self.comes = None;
        // The client has panicked, and who knows when.
        Poll::Ready(answer.unwrap_or(Err(Failed::Lost)))
    }
}

impl<F: Future + Send + 'static> Drop for Answer<F> {
    fn drop(&mut self) {
        if let Some(comes) = self.comes.take() {
            self.runtime.spawn(async move { drop(comes.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures_util::FutureExt;
    use tokio::runtime::Builder;
    use tokio::sync::oneshot;

    use super::*;

    fn answer<F>(comes: F) -> Answer<impl Future<Output = thread::Result<F::Output>> + Send>
    where
        F: Future<Output = Result<(), Failed>> + Send + 'static,
    {
        let comes = Box::pin(AssertUnwindSafe(comes).catch_unwind());
        Answer::new(comes, Handle::current())
    }

    fn wait(test: impl Future<Output = ()>) {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(test);
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_seen_to_all_the_same() {
        wait(async {
            let (tell, told) = oneshot::channel();
            let (answers, asked) = oneshot::channel::<()>();
            let waits = async move {
                asked.await.expect("it is kept until it answers");
                tell.send(()).expect("the test waits");
                Ok(())
            };
            let mut waits = answer(waits);
            assert!((&mut waits).now_or_never().is_none());
            drop(waits);
            answers.send(()).expect("somebody still waits");
            told.await.expect("it has answered");
        });
    }

    #[test]
    fn a_client_that_panics_has_lost_the_answer() {
        wait(async {
            let panics = async { panic!("who knows when") };
            assert_eq!(answer(panics).await, Err(Failed::Lost));
            assert_eq!(answer(async { Ok(()) }).await, Ok(()));
        });
    }
}
