use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use super::{Handle, Process};

pub(super) type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TaskId(pub(super) u64);

pub(super) struct Task {
    pub(super) body: Body,
    pub(super) process: Process,
    pub(super) waker: Arc<TaskWaker>,
}

/// Puts its task into the ready queue, once until the task is polled.
pub(super) struct TaskWaker {
    handle: Handle,
    id: TaskId,
    queued: AtomicBool,
}

impl Task {
    pub(super) fn new(id: TaskId, process: Process, body: Body, handle: &Handle) -> Self {
        let waker = Arc::new(TaskWaker {
            handle: handle.clone(),
            id,
            queued: AtomicBool::new(false),
        });
        Self {
            body,
            process,
            waker,
        }
    }

    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.waker))
    }
}

impl TaskWaker {
    /// From now on a wake-up queues the task again.
    pub(super) fn polled(&self) {
        self.queued.store(false, Ordering::Relaxed);
    }

    pub(super) fn queue(&self) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.handle.lock().ready.push_back(self.id);
        }
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.queue();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.queue();
    }
}
