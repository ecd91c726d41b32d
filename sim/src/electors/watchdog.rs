use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::elector::Validity;
use tenure_core::{Clock, Nanos, Watchdog};

use super::belief::{Beliefs, Believer};
use super::exits::Exits;
use crate::clock::NodeClock;
use crate::executor::Handle;

/// Below this a wake-up is not set early any more.
const EARLY_MIN: Nanos = Nanos::from_millis(1);
/// How much later than an elector's own task a thread comes to look at work that overruns.
const THREAD_LATER: Duration = Duration::from_millis(1);

/// What the thread of a production watchdog does: wakes on a timer that counts suspended time, ends a leadership whose deadline has
/// passed, and aborts the process when its work still runs after the grace.
pub(super) struct SimWatchdog {
    pub(super) beliefs: Beliefs,
    pub(super) believer: Believer,
    pub(super) clock: NodeClock,
    pub(super) exits: Exits,
    pub(super) handle: Handle,
    /// Whether it watches over nothing.
    pub(super) sleeps: bool,
}

impl Watchdog for SimWatchdog {
    fn watch(&self, validity: Arc<Validity>) {
        self.beliefs.begin(&self.believer, Arc::clone(&validity));
        if self.sleeps {
            return;
        }
        let guard = Guard {
            clock: self.clock.clone(),
            exits: self.exits.clone(),
            validity,
        };
        let process = self.believer.actor.process.clone();
        let node = self.believer.actor.node;
        self.handle.spawn_thread(&process, async move {
            if guard.keep().await == Kept::Overrun {
                guard.exits.abort(node);
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    Overrun,
    WorkStopped,
}

struct Guard {
    clock: NodeClock,
    exits: Exits,
    validity: Arc<Validity>,
}

impl Guard {
    async fn keep(&self) -> Kept {
        let readings = self.clock.clock();
        loop {
            if self.is_done() {
                return Kept::WorkStopped;
            }
            let now = readings.now();
            let left = if self.validity.is_over() {
                self.validity.abort_deadline().remaining(now)
            } else {
                self.validity.remaining(now)
            };
            match (left, self.validity.is_over()) {
                (Nanos::ZERO, false) => drop(self.validity.fire()),
                (Nanos::ZERO, true) => break,
                (left, _) => self.clock.sleep_over_suspend(early(left).into()).await,
            }
        }
        self.clock.sleep_over_suspend(THREAD_LATER).await;
        if self.is_done() {
            Kept::WorkStopped
        } else {
            Kept::Overrun
        }
    }

    fn is_done(&self) -> bool {
        self.validity.work_stopped()
    }
}

fn early(left: Nanos) -> Nanos {
    if left <= EARLY_MIN {
        left
    } else {
        Nanos::new(left.get() - left.get() / 10)
    }
}

impl fmt::Debug for SimWatchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimWatchdog").field(&self.believer).finish()
    }
}
