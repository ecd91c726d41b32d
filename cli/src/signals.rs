//! Signals that ask the program to end, and that its job is told too.

use std::collections::VecDeque;
use std::fs;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// More than anybody sends in earnest; the rest is dropped.
const QUEUED_MAX: usize = 64;

/// SIGTERM, SIGINT and SIGHUP, but for those that whoever started the program had it ignore, as nohup(1) does.
#[derive(Debug)]
pub(crate) struct Signals(Vec<(i32, Signal)>);

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        let ignored = ignored();
        let kinds = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
        ];
        let mut signals = Vec::new();
        for kind in kinds {
            let number = kind.as_raw_value();
            if ignored & (1 << (number - 1)) == 0 {
                signals.push((number, signal(kind)?));
            }
        }
        Ok(Self(signals))
    }

    /// The number of the next signal.
    pub(crate) async fn next(&mut self) -> i32 {
        poll_fn(|context| {
            for (number, signal) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready(*number);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// The signals that this process was started with as ignored; none where that cannot be read.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

/// Signals on their way to the job.
#[derive(Clone, Default, Debug)]
pub(crate) struct SignalQueue(Arc<Mutex<Queue>>);

#[derive(Default, Debug)]
struct Queue {
    first: Option<i32>,
    waiting: VecDeque<i32>,
    waker: Option<Waker>,
}

impl SignalQueue {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, number: i32) {
        let mut queue = self.queue();
        queue.first.get_or_insert(number);
        if queue.waiting.len() < QUEUED_MAX {
            queue.waiting.push_back(number);
        }
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
    }

    /// The signal that came first, of all that ever came.
    pub(crate) fn first(&self) -> Option<i32> {
        self.queue().first
    }

    /// The next signal for the job.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<i32> {
        let mut queue = self.queue();
        if let Some(number) = queue.waiting.pop_front() {
            return Poll::Ready(number);
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
