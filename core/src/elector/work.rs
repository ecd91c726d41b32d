use std::any::Any;
use std::fmt;
use std::time::Duration;

use super::{Backoff, RunError};
use crate::Nanos;
use crate::event::StopReason;

/// How the work of one leadership ended by itself. Work that was dropped has no such end.
pub(super) enum Ended<T> {
    Panicked(String),
    Returned {
        /// Why it had been told to stop, when it had.
        told: Option<StopReason>,
        value: T,
    },
}

/// What follows the end of the work.
pub(super) enum Next<R> {
    /// Campaign again after `wait`; if the candidate is shutting down instead, `otherwise` is the result.
    Again {
        otherwise: Option<R>,
        wait: Option<Duration>,
    },
    /// Give the lock back and return this.
    Finish(R),
}

/// What a panic said.
pub(super) fn panic_message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(without a message)".to_owned())
}

/// Counts failures of work that is run for ever.
pub(super) struct Failures {
    backoff: Backoff,
    wait: Duration,
}

impl Failures {
    pub(super) fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            wait: backoff.first,
        }
    }

    /// What follows the end of work that ran for so long.
    pub(super) fn next<E: fmt::Display>(
        &mut self,
        ended: Ended<Result<(), E>>,
        ran: Nanos,
    ) -> Next<Result<(), RunError>> {
        let told = matches!(&ended, Ended::Returned { told: Some(_), .. });
        match ended {
            Ended::Panicked(message) => tracing::error!(message, "the work panicked"),
            Ended::Returned {
                value: Err(error), ..
            } => tracing::error!(%error, "the work failed"),
            Ended::Returned { value: Ok(()), .. } => {}
        }
        if told {
            // It ended because it was told to: nothing failed.
            return Next::Again {
                otherwise: Some(Ok(())),
                wait: None,
            };
        }
        if ran > Nanos::from(self.backoff.longest) {
            self.wait = self.backoff.first;
        }
        let wait = self.wait;
        self.wait = self.wait.saturating_mul(2).min(self.backoff.longest);
        Next::Again {
            otherwise: Some(Ok(())),
            wait: Some(wait),
        }
    }
}
