use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tenure_core::Leadership;

use super::oracle::Oracle;
use crate::TrueTime;
use crate::executor::{Handle, Process};

/// What a candidate's work does: nothing but to run, and to take its time to stop.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) handle: Handle,
    /// After how long it ends by itself.
    pub(super) lasts: Option<Duration>,
    pub(super) oracle: Oracle,
    pub(super) process: Process,
    /// From then on it does not end by itself.
    pub(super) quiet_from: TrueTime,
    pub(super) stop_takes: Duration,
    pub(super) stop_timeout: Duration,
}

impl Work {
    pub(super) async fn run(self, leadership: Leadership) {
        let validity = leadership.validity();
        let now = self.handle.now();
        let mut running = self
            .oracle
            .work_begins(now, &self.process, validity, self.stop_timeout);
        let clock = leadership.clock();
        let ends = async {
            match self.lasts {
                Some(lasts) if now < self.quiet_from => clock.sleep(lasts).await,
                _ => std::future::pending().await,
            }
        };
        let told = async {
            leadership.cancelled().await;
        };
        if first(told, ends).await == Which::First {
            clock.sleep(self.stop_takes).await;
        }
        running.returned = true;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    First,
    Second,
}

/// Waits for either, and looks at the first one first.
async fn first(a: impl Future<Output = ()>, b: impl Future<Output = ()>) -> Which {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| {
        if a.as_mut().poll(context).is_ready() {
            Poll::Ready(Which::First)
        } else if b.as_mut().poll(context).is_ready() {
            Poll::Ready(Which::Second)
        } else {
            Poll::Pending
        }
    })
    .await
}
