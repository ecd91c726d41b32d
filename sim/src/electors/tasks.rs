use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tenure_backends::kubernetes::simulated::{Task, TaskGuard, Tasks};

use crate::executor::{Handle, Process};

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// What a process's backend runs beside its calls, as tasks of that process.
pub(super) struct ProcessTasks {
    pub(super) handle: Handle,
    pub(super) process: Process,
}

impl Tasks for ProcessTasks {
    fn spawn(&self, task: Task) -> TaskGuard {
        let end = End::default();
        let guarded = Guarded {
            end: end.clone(),
            task: Some(task),
        };
        self.handle.spawn(&self.process, guarded);
        TaskGuard::new(move || end.come())
    }
}

impl fmt::Debug for ProcessTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProcessTasks").field(&self.process).finish()
    }
}

/// Whether a task is to end, and how it is woken for that.
#[derive(Clone, Default)]
struct End(Arc<Mutex<(bool, Option<Waker>)>>);

impl End {
    fn come(&self) {
        let waker = {
            let mut state = self.0.lock().expect(ONE_THREAD);
            state.0 = true;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn has_come(&self, waker: &Waker) -> bool {
        let mut state = self.0.lock().expect(ONE_THREAD);
        state.1 = Some(waker.clone());
        state.0
    }
}

struct Guarded {
    end: End,
    task: Option<Task>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.end.has_come(context.waker()) {
            self.task = None;
        }
        let Some(task) = &mut self.task else {
            return Poll::Ready(());
        };
        task.as_mut().poll(context)
    }
}
