use std::fmt;
use std::sync::Arc;

use tenure_core::elector::Validity;
use tenure_core::{Clock, Nanos, Watchdog};

use crate::clock::NodeClock;
use crate::executor::{Handle, Process};

/// Below this a wake-up is not set early any more.
const EARLY_MIN: Nanos = Nanos::from_millis(1);

/// What the thread of a production watchdog does: wakes on a timer that counts suspended time, and ends a leadership whose deadline
/// has passed.
pub(super) struct SimWatchdog {
    pub(super) clock: NodeClock,
    pub(super) handle: Handle,
    pub(super) process: Process,
}

impl Watchdog for SimWatchdog {
    fn watch(&self, validity: Arc<Validity>) {
        let clock = self.clock.clone();
        self.handle.spawn(&self.process, async move {
            let readings = clock.clock();
            while !validity.is_over() {
                let left = validity.remaining(readings.now());
                if left == Nanos::ZERO {
                    validity.fire();
                    return;
                }
                let early = if left <= EARLY_MIN {
                    left
                } else {
                    Nanos::new(left.get() - left.get() / 10)
                };
                clock.sleep_over_suspend(early.into()).await;
            }
        });
    }
}

impl fmt::Debug for SimWatchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimWatchdog").field(&self.process).finish()
    }
}
