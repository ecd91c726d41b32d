use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tenure_core::Nanos;

use super::node::Node;
use crate::executor::TimerKey;

/// Which of a node's counters a wait counts by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Timeline {
    /// As timers on `CLOCK_BOOTTIME`: a suspend counts.
    OverSuspend,
    /// As timers on `CLOCK_MONOTONIC`: a suspend makes them late.
    WhileAwake,
}

/// A wait on one of a node's counters.
pub(super) struct SimSleep {
    node: Arc<Node>,
    number: u64,
    target: u64,
    timeline: Timeline,
    timer: Option<TimerKey>,
}

impl SimSleep {
    pub(super) fn new(node: &Arc<Node>, timeline: Timeline, duration: Nanos) -> Self {
        let now = node.handle.now();
        let mut state = node.lock();
        state.sleeps_made += 1;
        Self {
            node: Arc::clone(node),
            number: state.sleeps_made,
            target: state
                .counter(timeline)
                .at(now)
                .saturating_add(duration.get()),
            timeline,
            timer: None,
        }
    }

    fn disarm(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.node.handle.cancel_timer(timer);
        }
        let sleeper = self.node.lock().sleepers.remove(&self.number);
        drop(sleeper);
    }
}

impl Future for SimSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.disarm();
        let now = self.node.handle.now();
        let when = {
            let mut state = self.node.lock();
            if state.counter(self.timeline).at(now) >= self.target {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            state.sleepers.insert(self.number, waker);
            state.counter(self.timeline).when(self.target)
        };
        self.timer = when.map(|at| self.node.handle.set_timer(at, context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for SimSleep {
    fn drop(&mut self) {
        self.disarm();
    }
}
