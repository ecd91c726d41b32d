//! Sees to answers, whether or not anybody waits for them.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::session::{Failed, Pending};

type Answer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is asked of one client. Its futures keep the client, and so the session, until they are done: somebody has to ask them until then. One task
/// does that for all of them.
pub(crate) struct Answers(UnboundedSender<Answer>);

impl Answers {
    pub(crate) fn new(runtime: &Handle) -> Self {
        let (give, given) = unbounded_channel();
        runtime.spawn(see_to_all(given));
        Self(give)
    }

    /// Has `answer` seen to. Its first poll is before this returns.
    pub(crate) fn see_to<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, Failed>> + Send + 'static,
    ) -> Pending<T> {
        let (tell, told) = oneshot::channel();
        let mut answer: Answer = Box::pin(async move {
            // The client has panicked, and who knows when.
            let answer = AssertUnwindSafe(answer).catch_unwind().await;
            // Nobody may be waiting for it.
            let _ = tell.send(answer.unwrap_or(Err(Failed::Lost)));
        });
        let first = answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if first.is_pending() {
            // Where nobody takes it, the runtime has ended.
            drop(self.0.send(answer));
        }
        Box::pin(async move { told.await.unwrap_or(Err(Failed::Lost)) })
    }
}

/// Goes on until no more can be given and all are done.
async fn see_to_all(mut given: UnboundedReceiver<Answer>) {
    let mut all = FuturesUnordered::new();
    let mut ends = false;
    poll_fn(|context| {
        while !ends {
            match given.poll_recv(context) {
                Poll::Ready(Some(answer)) => all.push(answer),
                Poll::Ready(None) => ends = true,
                Poll::Pending => break,
            }
        }
        while let Some(()) = ready!(all.poll_next_unpin(context)) {}
        if ends { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::runtime::Builder;

    use super::*;

    fn wait<F: Future<Output = ()>>(test: impl FnOnce(Answers) -> F) {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let answers = Answers::new(runtime.handle());
        runtime.block_on(test(answers));
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_seen_to_also_when_nothing_more_is_asked() {
        wait(|answers| async move {
            let (tell, told) = oneshot::channel();
            let (answer, asked) = oneshot::channel::<()>();
            let waits = async move {
                asked.await.expect("it is kept until it answers");
                tell.send(()).expect("the test waits");
                Ok(())
            };
            drop(answers.see_to(waits));
            drop(answers);
            answer.send(()).expect("somebody still waits");
            told.await.expect("it has answered");
        });
    }

    #[test]
    fn answers_come_in_the_order_in_which_they_are_there() {
        wait(|answers| async move {
            let (tell_first, first) = oneshot::channel();
            let (tell_second, second) = oneshot::channel();
            let first = answers.see_to(first.map(|answer| Ok(answer.expect("it is told"))));
            let second = answers.see_to(second.map(|answer| Ok(answer.expect("it is told"))));
            tell_second.send(2).expect("somebody waits");
            assert_eq!(second.await, Ok(2));
            tell_first.send(1).expect("somebody waits");
            assert_eq!(first.await, Ok(1));
        });
    }

    #[test]
    fn a_client_that_panics_has_lost_one_answer_and_no_other() {
        wait(|answers| async move {
            let (tell, told) = oneshot::channel::<()>();
            let panics = async move {
                told.await.expect("it is told");
                panic!("who knows when")
            };
            let panics = answers.see_to::<()>(panics);
            tell.send(()).expect("somebody waits");
            assert_eq!(panics.await, Err(Failed::Lost));
            assert_eq!(
                answers.see_to(async { panic!("at once") }).await,
                Err::<(), _>(Failed::Lost)
            );
            assert_eq!(answers.see_to(ready(Ok(()))).await, Ok(()));
        });
    }
}
