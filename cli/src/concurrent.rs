//! Futures beside each other in one task, polled in a fixed order.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// What [`either`] of two futures gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Either<L, R> {
    First(L),
    Second(R),
}

/// Waits for whichever is ready first, the first one if both are, and drops the other.
pub(crate) async fn either<L, R>(
    first: impl Future<Output = L>,
    second: impl Future<Output = R>,
) -> Either<L, R> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Either::First(value));
        }
        second.as_mut().poll(context).map(Either::Second)
    })
    .await
}

/// Runs `helper` beside `main` for as long as `main` takes. A helper that is done is not missed.
pub(crate) async fn beside<T>(
    main: impl Future<Output = T>,
    helper: impl Future<Output = ()>,
) -> T {
    let mut main = pin!(main);
    let mut helper = pin!(helper);
    let mut helping = true;
    poll_fn(|context| {
        if helping && helper.as_mut().poll(context).is_ready() {
            helping = false;
        }
        main.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn the_first_of_two_that_are_ready_wins() {
        assert_eq!(run(either(ready(1), ready(2))), Either::First(1));
        assert_eq!(run(either(pending::<u8>(), ready(2))), Either::Second(2));
    }

    #[test]
    fn a_helper_is_run_and_may_end_early_or_never() {
        assert_eq!(run(beside(ready(1), ready(()))), 1);
        assert_eq!(run(beside(ready(1), pending())), 1);
    }
}
