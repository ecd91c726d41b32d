use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

/// How many results may wait for an earlier one.
const AHEAD_MOST: u64 = 4_096;

/// Does `work` for each number below `count` on so many threads, and hands the results to `take` in the order of the numbers, until
/// that breaks off or `stop` is set.
pub(crate) fn in_order<T: Send>(
    count: u64,
    jobs: usize,
    stop: &AtomicBool,
    work: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, T) -> ControlFlow<()>,
) {
    let next = AtomicU64::new(0);
    let taken = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let (results, arrived) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let results = results.clone();
            let (next, taken, over, work) = (&next, &taken, &over, &work);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    // Who is far ahead lets the slow one go on.
                    while number.saturating_sub(taken.load(Ordering::SeqCst)) > AHEAD_MOST
                        && !over.load(Ordering::SeqCst)
                    {
                        thread::yield_now();
                    }
                    let ends = over.load(Ordering::SeqCst) || stop.load(Ordering::SeqCst);
                    if number >= count || ends || results.send((number, work(number))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        let mut waiting = BTreeMap::new();
        let mut wanted = 0;
        for (number, result) in arrived {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&wanted) {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                if take(wanted, result).is_break() {
                    over.store(true, Ordering::SeqCst);
                }
                wanted += 1;
                taken.store(wanted, Ordering::SeqCst);
            }
        }
    });
}

/// A number below a length, as an index.
pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number).expect("what is below a length is an index")
}

/// As many threads as there are processors.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_from_any_number_of_threads() {
        for jobs in [1, 2, 7] {
            let mut seen = Vec::new();
            let stop = AtomicBool::new(false);
            in_order(
                1_000,
                jobs,
                &stop,
                |number| number * 2,
                |number, double| {
                    assert_eq!(double, number * 2);
                    seen.push(number);
                    ControlFlow::Continue(())
                },
            );
            assert_eq!(seen, (0..1_000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_is_taken_after_the_end() {
        let mut seen = 0;
        let stop = AtomicBool::new(false);
        let take = |number, ()| {
            seen += 1;
            if number == 9 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        in_order(1_000_000, 2, &stop, |_| (), take);
        assert_eq!(seen, 10);
    }
}
