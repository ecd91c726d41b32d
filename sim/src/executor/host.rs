use std::fmt;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// More turns than anything needs that is to end.
const TURNS_MOST: usize = 10_000;

/// A tokio runtime for what insists on one: it has neither timers nor sockets, and runs only when the executor lets it, after each of
/// its own polls, until nothing is left to do.
///
/// The real Kubernetes client hands its requests through one such task.
#[derive(Clone)]
pub struct Host(Arc<Runtime>);

impl Host {
    /// A runtime of its own.
    ///
    /// # Panics
    /// When the machine has no room for one.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().build();
        Self(Arc::new(runtime.expect(
            "a runtime without drivers needs nothing but memory",
        )))
    }

    /// Runs `make`, which may spawn tasks on the runtime.
    pub fn inside<T>(&self, make: impl FnOnce() -> T) -> T {
        let _entered = self.0.enter();
        make()
    }

    /// Runs the tasks that have been woken, and those that they wake.
    pub(super) fn turn(&self) {
        let mut turns = 0;
        while self.0.metrics().global_queue_depth() > 0 {
            self.0.block_on(yield_now());
            turns += 1;
            assert!(
                turns < TURNS_MOST,
                "the tasks on the runtime wake each other for ever"
            );
        }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").finish()
    }
}
