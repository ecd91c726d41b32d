//! The driver of an election: runs the [machine](crate::machine) over a [`LockBackend`] and a [`Clock`], and the work while it leads.
//!
//! An elector is a single future. It spawns nothing, and runs on any runtime; whoever awaits it runs it, and the work with it. All
//! that it waits for is polled in a fixed order, so that two runs with the same answers at the same times are the same.

mod builder;
mod control;
mod driver;
mod hub;
mod leader_clock;
mod leadership;
mod seed;
mod shared;
mod tell;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unexplained_tests;
mod validity;
mod waiters;
mod work;

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use builder::{ConfigError, ElectionBuilder};
pub use control::Control;
pub use hub::{Events, Told};
pub use leader_clock::LeaderClock;
pub use leadership::Leadership;
pub use seed::Seed;
pub use shared::View;
pub use validity::{NoteError, Validity, Watchdog};

use crate::machine::{Membership, OnMissing};
use crate::timing::Timing;
use crate::{CandidateName, Clock, LockBackend};
use driver::Driver;
use hub::locked;
use shared::Shared;
use work::{Ended, Failures, Next};

/// One candidate of one election, ready to run.
///
/// ```
/// use std::sync::Arc;
/// use tenure_core::elector::{Election, Seed};
/// # use tenure_core::{Clock, LockBackend};
/// # async fn example(backend: Arc<dyn LockBackend>, clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut election = Election::builder(backend, clock, Seed::from_bits([7, 11])).build()?;
/// let report = election
///     .run(|leadership| async move { format!("led with token {}", leadership.token()) })
///     .await?;
/// # drop(report); Ok(()) }
/// ```
#[derive(Debug)]
pub struct Election {
    backend: Arc<dyn LockBackend>,
    clock: Arc<dyn Clock>,
    membership: Membership,
    name: CandidateName,
    on_missing: OnMissing,
    #[cfg(feature = "planted")]
    planted: Option<crate::planted::Mistake>,
    seed: Seed,
    shared: Arc<Shared>,
    starts: u64,
    timing: Timing,
    watchdog: Option<Arc<dyn Watchdog>>,
}

/// Why [`Election::run`] returned without the work's value.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RunError {
    /// It was told to shut down.
    ShutDown,
    /// The work panicked, with this message. Its leadership was ended in the proper order before this was returned.
    WorkPanicked(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutDown => f.write_str("the election was shut down"),
            Self::WorkPanicked(message) => write!(f, "the work panicked: {message}"),
        }
    }
}

impl std::error::Error for RunError {}

/// How long a candidate lets others go first after its work has ended: doubled each time the work fails soon after it started. On a lock that
/// ends with a session it is 20 ms at least, also after a leadership that was told to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest wait. Work that ran for longer than this starts again with the first.
    pub longest: Duration,
}

impl Backoff {
    /// From one second, doubled up to a minute.
    pub const STANDARD: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
    };
}

impl Election {
    /// Begins to describe an election for `backend`'s lock. `seed` must be 128 bits that no other process has.
    pub fn builder(
        backend: Arc<dyn LockBackend>,
        clock: Arc<dyn Clock>,
        seed: Seed,
    ) -> ElectionBuilder {
        ElectionBuilder::new(backend, clock, seed)
    }

    /// A handle that watches and steers the election from elsewhere.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// The timing that the election keeps.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Runs `work` while this candidate leads, and returns its value when it ends by itself.
    ///
    /// Work that is stopped because the leadership ended is started again with the next leadership. Stopping means:
    /// [`Leadership::cancelled`] completes; work that has not returned after the grace (in a planned stop: the drain timeout) is
    /// dropped. The lock is given back only after that.
    ///
    /// # Errors
    /// [`RunError::ShutDown`] after [`Control::shut_down`], unless the work still returned its value;
    /// [`RunError::WorkPanicked`] when the work panicked. The lock has been given back before either.
    ///
    /// # Cancel safety
    /// Dropping the future drops the work, then lets go of the lock without a release: it ends with the session, or ages.
    pub async fn run<W, F, T>(&mut self, mut work: W) -> Result<T, RunError>
    where
        W: FnMut(Leadership) -> F,
        F: Future<Output = T>,
    {
        let decide = |ended: Ended<T>| match ended {
            Ended::Panicked(message) => Next::Finish(Err(RunError::WorkPanicked(message))),
            Ended::Returned { value, told: None } => Next::Finish(Ok(value)),
            // What the work gives back while the candidate shuts down is its last word.
            Ended::Returned {
                value,
                told: Some(_),
            } => Next::Again {
                wait: None,
                otherwise: Some(Ok(value)),
            },
        };
        self.drive(&mut work, decide)
            .await
            .unwrap_or(Err(RunError::ShutDown))
    }

    /// Runs `work` while this candidate leads, again and again, until [`Control::shut_down`].
    ///
    /// After work that ended by itself, or panicked, others may go first for as long as `backoff` says.
    ///
    /// # Errors
    /// None at present but those to come: shutting down is the only way out.
    ///
    /// # Cancel safety
    /// As for [`Election::run`].
    pub async fn run_forever<W, F, E>(
        &mut self,
        backoff: Backoff,
        mut work: W,
    ) -> Result<(), RunError>
    where
        W: FnMut(Leadership) -> F,
        F: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let mut failures = Failures::new(backoff);
        let started = Mutex::new(self.clock.now());
        let clock = Arc::clone(&self.clock);
        let mut work = |leadership: Leadership| {
            *locked(&started) = clock.now();
            work(leadership)
        };
        let clock = Arc::clone(&self.clock);
        let decide = |ended: Ended<Result<(), E>>| {
            let ran = clock.now().longest_since(*locked(&started));
            failures.next(ended, ran)
        };
        self.drive(&mut work, decide).await.unwrap_or(Ok(()))
    }

    /// Runs one start of the elector, until the work has finished or somebody shuts down.
    async fn drive<W, F, T, R>(
        &mut self,
        work: &mut W,
        decide: impl FnMut(Ended<T>) -> Next<R>,
    ) -> Option<R>
    where
        W: FnMut(Leadership) -> F,
        F: Future<Output = T>,
    {
        let start = self.starts;
        self.starts += 1;
        let mut driver = Driver::start(self, start, work, decide);
        poll_fn(|context| driver.poll(context)).await
    }
}
