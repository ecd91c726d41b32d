//! Work for several threads, with results in the order of the work: whatever is put together from them does not depend on how many
//! threads there were, nor on which was faster.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

/// How many items are handed out at most before the first of them is taken back: so many results may wait for an earlier one.
const AHEAD_MOST: usize = 4_096;

/// Does `work` for each item on so many threads, and hands the results to `take` in the order of the items, until that breaks off or
/// `stop` is set. Once it is set, what has been done without a gap is still taken.
///
/// # Panics
/// When `work` does.
pub fn in_order<I: Copy + Send, T: Send>(
    items: impl IntoIterator<Item = I>,
    jobs: NonZeroUsize,
    stop: &AtomicBool,
    work: impl Fn(I) -> T + Sync,
    mut take: impl FnMut(I, T) -> ControlFlow<()>,
) {
    let (hands, handed) = mpsc::channel();
    let (results, arrived) = mpsc::channel();
    let handed = Mutex::new(handed);
    let next = || {
        let handed = handed.lock().expect("nothing panics under the lock");
        handed.recv().ok()
    };
    let one = |results: mpsc::Sender<_>| {
        while let Some((number, item)) = next() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(item)));
            if results.send((number, item, result)).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.get() {
            let results = results.clone();
            scope.spawn(|| one(results));
        }
        drop(results);
        let mut items = items.into_iter().enumerate().fuse();
        // Threads end when nothing is handed out any more, and nobody can.
        let mut hands = Some(hands);
        let mut hand_out = || match (items.next(), &hands) {
            (Some(item), Some(open)) => open.send(item).expect("the other end outlives this one"),
            _ => hands = None,
        };
        (0..AHEAD_MOST).for_each(|_| hand_out());
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (number, item, result) in arrived {
            waiting.insert(number, (item, result));
            while let Some((item, result)) = waiting.remove(&wanted) {
                wanted += 1;
                hand_out();
                let result = result.unwrap_or_else(|panic| resume_unwind(panic));
                if take(item, result).is_break() {
                    return;
                }
            }
        }
    });
}

/// As many threads as there are processors.
pub fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn jobs(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn results_come_in_order_from_any_number_of_threads() {
        for count in [1, 2, 7] {
            let mut seen = Vec::new();
            in_order(
                0..2 * AHEAD_MOST,
                jobs(count),
                &AtomicBool::new(false),
                |number| number * 2,
                |number, double| {
                    assert_eq!(double, number * 2);
                    seen.push(number);
                    ControlFlow::Continue(())
                },
            );
            assert_eq!(seen, (0..2 * AHEAD_MOST).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_is_taken_after_the_end() {
        let mut seen = 0;
        let take = |number, ()| {
            seen += 1;
            if number == 9 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        in_order(0.., jobs(2), &AtomicBool::new(false), |_: u64| (), take);
        assert_eq!(seen, 10);
    }

    #[test]
    fn what_was_done_before_a_stop_is_taken_without_a_gap() {
        let stop = AtomicBool::new(false);
        let taken = AtomicUsize::new(0);
        let mut seen = Vec::new();
        let work = |_: u64| stop.store(taken.load(Ordering::SeqCst) >= 100, Ordering::SeqCst);
        in_order(0.., jobs(3), &stop, work, |number, ()| {
            seen.push(number);
            taken.store(seen.len(), Ordering::SeqCst);
            ControlFlow::Continue(())
        });
        assert!(seen.len() >= 100, "{}", seen.len());
        assert_eq!(seen, (0..seen.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_of_the_work_ends_it() {
        let work = |number: u64| assert_ne!(number, 50);
        let all = || {
            in_order(0.., jobs(2), &AtomicBool::new(false), work, |_, ()| {
                ControlFlow::Continue(())
            });
        };
        assert!(catch_unwind(AssertUnwindSafe(all)).is_err());
    }
}
