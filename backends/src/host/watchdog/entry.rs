use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tenure_core::elector::Validity;
use tenure_core::{Nanos, Reading};

use super::{OnOverrun, Overrun};

/// Below this a wake-up is not set early any more: a slewed timer is then late by less than timers are anyway.
const EARLY_MIN: Nanos = Nanos::from_millis(1);

/// A leadership that is watched over.
#[derive(Debug)]
pub(super) struct Entry {
    ended: bool,
    on_overrun: OnOverrun,
    validity: Arc<Validity>,
}

/// What is to be done about a leadership now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Nothing of it runs any more.
    Done,
    /// Its deadline has passed and nobody has ended it.
    End,
    /// Its work still runs, and others may begin to lead.
    Overrun,
    /// Look again after this.
    Wait(Nanos),
}

impl Entry {
    pub(super) fn new(validity: Arc<Validity>, on_overrun: OnOverrun) -> Self {
        Self {
            ended: false,
            on_overrun,
            validity,
        }
    }

    /// What is to be done now.
    pub(super) fn judge(&self) -> Verdict {
        let only_we_know_it = Arc::strong_count(&self.validity) == 1;
        if self.validity.work_stopped() || only_we_know_it {
            return Verdict::Done;
        }
        let now = self.validity.clock().now();
        if !self.ended && !self.validity.is_over() {
            return match self.validity.remaining(now) {
                Nanos::ZERO => Verdict::End,
                left => Verdict::Wait(early(left)),
            };
        }
        match self.validity.abort_deadline().remaining(now) {
            Nanos::ZERO => Verdict::Overrun,
            left => Verdict::Wait(early(left)),
        }
    }

    /// Ends the leadership: its elector was not run in time.
    pub(super) fn end(&mut self) {
        self.ended = true;
        if self.validity.fire() {
            let token = self.validity.token();
            let late = late(&self.validity, self.validity.clock().now());
            tracing::error!(target: "tenure", %token, late = ?std::time::Duration::from(late),
                "the deadline of {} passed while its runtime was blocked or the machine asleep: the leadership is over",
                self.validity.description());
        }
    }

    /// Does what is to be done about work that still runs.
    pub(super) fn overrun(&self) {
        let overrun = Overrun {
            description: self.validity.description(),
            token: self.validity.token(),
        };
        tracing::error!(target: "tenure", token = %overrun.token,
            "the work of {} still runs, and others may begin to lead: {}", overrun.description, self.consequence());
        match &self.on_overrun {
            OnOverrun::Abort => std::process::abort(),
            OnOverrun::Call(hook) => {
                if catch_unwind(AssertUnwindSafe(|| hook(&overrun))).is_err() {
                    tracing::error!(target: "tenure", "the watchdog's hook panicked");
                }
            }
            OnOverrun::Tell => {}
        }
    }

    fn consequence(&self) -> &'static str {
        match self.on_overrun {
            OnOverrun::Abort => "the process is aborted",
            OnOverrun::Call(_) => "the configured hook is called",
            OnOverrun::Tell => "nothing is configured that could end it",
        }
    }
}

fn late(validity: &Validity, now: Reading) -> Nanos {
    let deadline = validity.deadline();
    now.longest_since(deadline.since)
        .saturating_sub(deadline.length)
}

fn early(left: Nanos) -> Nanos {
    if left <= EARLY_MIN {
        left
    } else {
        Nanos::new(left.get() - left.get() / 10)
    }
}
