use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How often one [`block_on`] or [`Executor::run_until_stalled`] polls at most: a test that needs more goes round in circles.
pub const POLLS_MAX: u32 = 1_000_000;

/// Remembers that it was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs `future` on this thread to its end. It waits for nothing: whatever `future` waits for, it has to do itself.
///
/// # Panics
/// When nothing has woken the future and so it will never end, or when it needs more than [`POLLS_MAX`] polls.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut context = Context::from_waker(&waker);
    for _ in 0..POLLS_MAX {
        assert!(
            flag.0.swap(false, Ordering::SeqCst),
            "stalled: the future waits, and nothing is left that could wake it"
        );
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("the future is still not ready after {POLLS_MAX} polls");
}

/// Polls `future` once, as its first poll or a later one, without wanting to be woken.
pub fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets others run before going on.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

type Ready = Arc<Mutex<VecDeque<usize>>>;
type Task = Pin<Box<dyn Future<Output = ()>>>;

struct TaskWaker {
    ready: Ready,
    task: usize,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = lock(&self.ready);
        if !ready.contains(&self.task) {
            ready.push_back(self.task);
        }
    }
}

/// Runs several futures in turns on this thread, those that were woken first come first. Two runs of the same futures are the same.
#[derive(Default)]
pub struct Executor {
    ready: Ready,
    tasks: Vec<Option<Task>>,
}

impl Executor {
    /// An executor without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task; it is polled for the first time within [`Executor::run_until_stalled`].
    pub fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        lock(&self.ready).push_back(self.tasks.len());
        self.tasks.push(Some(Box::pin(task)));
    }

    /// Polls whoever was woken until nobody is, and says how many tasks have not ended.
    ///
    /// # Panics
    /// When that takes more than [`POLLS_MAX`] polls.
    pub fn run_until_stalled(&mut self) -> usize {
        for _ in 0..POLLS_MAX {
            let next = lock(&self.ready).pop_front();
            let Some(task) = next else {
                return self.tasks.iter().flatten().count();
            };
            self.poll(task);
        }
        panic!("the tasks are still waking each other after {POLLS_MAX} polls");
    }

    fn poll(&mut self, task: usize) {
        let waker = Waker::from(Arc::new(TaskWaker {
            ready: Arc::clone(&self.ready),
            task,
        }));
        let mut context = Context::from_waker(&waker);
        let slot = &mut self.tasks[task];
        if let Some(future) = slot
            && future.as_mut().poll(&mut context).is_ready()
        {
            *slot = None;
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("tasks", &self.tasks.len())
            .field("ready", &lock(&self.ready))
            .finish()
    }
}

fn lock(ready: &Mutex<VecDeque<usize>>) -> MutexGuard<'_, VecDeque<usize>> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_future_that_nothing_wakes_is_a_clear_failure() {
        let stalled = catch_unwind(|| block_on(std::future::pending::<()>())).unwrap_err();
        let message = stalled.downcast_ref::<&str>().unwrap();
        assert!(message.starts_with("stalled"), "{message}");
    }

    #[test]
    fn tasks_take_turns_in_the_order_in_which_they_were_woken() {
        let order: Arc<Mutex<Vec<u32>>> = Arc::default();
        let mut executor = Executor::new();
        for task in 0..3 {
            let order = Arc::clone(&order);
            executor.spawn(async move {
                for turn in 0..2 {
                    order.lock().unwrap().push(10 * turn + task);
                    yield_now().await;
                }
            });
        }
        assert_eq!(executor.run_until_stalled(), 0);
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 10, 11, 12]);
    }
}
