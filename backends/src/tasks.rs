//! Who runs what goes on beside the calls: watches.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A task, from its spawn to its end.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs tasks.
pub trait Tasks: fmt::Debug + Send + Sync + 'static {
    /// Runs `task` until it ends or the guard is dropped.
    fn spawn(&self, task: Task) -> TaskGuard;
}

/// Ends its task when it is dropped.
pub struct TaskGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl TaskGuard {
    /// A guard that calls `end` when it is dropped.
    pub fn new(end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(end)))
    }
}

impl fmt::Debug for TaskGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGuard").finish_non_exhaustive()
    }
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

/// Tasks on the tokio runtime that was entered when this was made.
#[derive(Clone, Debug)]
pub(crate) struct TokioTasks(tokio::runtime::Handle);

impl TokioTasks {
    /// Tasks on the present runtime; nothing outside of one.
    pub(crate) fn present() -> Option<Self> {
        tokio::runtime::Handle::try_current().ok().map(Self)
    }
}

impl Tasks for TokioTasks {
    fn spawn(&self, task: Task) -> TaskGuard {
        let handle = self.0.spawn(task).abort_handle();
        TaskGuard::new(move || handle.abort())
    }
}
