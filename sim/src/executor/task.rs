use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use super::{Handle, Process};
use crate::TrueTime;

pub(super) type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TaskId(pub(super) u64);

/// A task that has not been taken over by the executor yet.
pub(super) struct New {
    pub(super) body: Body,
    pub(super) own_thread: bool,
    pub(super) process: Process,
}

pub(super) struct Task {
    pub(super) body: Body,
    /// When it may be polled, while its process is starved and it has been woken.
    pub(super) due: Option<TrueTime>,
    pub(super) own_thread: bool,
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
    pub(super) fn new(id: TaskId, new: New, handle: &Handle) -> Self {
        let New {
            body,
            own_thread,
            process,
        } = new;
        let waker = Arc::new(TaskWaker {
            handle: handle.clone(),
            id,
            queued: AtomicBool::new(false),
        });
        Self {
            body,
            due: None,
            own_thread,
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
