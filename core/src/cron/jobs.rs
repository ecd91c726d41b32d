use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::session::Session;
use super::{ClockGuard, CronEvent, FireHost, JOBS_MAX, Job, LedgerError, RegistrationError};

type EventHook = dyn Fn(&CronEvent) + Send + Sync;

/// The jobs of one election: the work of whoever leads it.
///
/// ```
/// # use std::time::Duration;
/// use tenure_core::cron::{Every, Job, JobFailed, Jobs, Policy};
///
/// let mut jobs = Jobs::new();
/// let hourly = Every::new(Duration::from_secs(3600));
/// jobs.register(Job::new("report", hourly, Policy::cautious(), |fire| async move {
///     println!("the report of {}", fire.scheduled());
///     Ok::<(), JobFailed>(())
/// }))?;
/// // election.run_forever(move |leadership| jobs.clone().run(leadership)).await
/// # Ok::<(), tenure_core::cron::RegistrationError>(())
/// ```
#[derive(Clone)]
pub struct Jobs {
    pub(super) clock_limit: Duration,
    pub(super) hook: Option<Arc<EventHook>>,
    pub(super) jobs: Vec<Job>,
}

impl Jobs {
    /// No jobs yet.
    pub fn new() -> Self {
        Self {
            clock_limit: ClockGuard::LIMIT,
            hook: None,
            jobs: Vec::new(),
        }
    }

    /// Adds a job. Jobs are looked after in the order in which they were added.
    ///
    /// # Errors
    /// When the ledger has no room for one more, or the name is empty or taken.
    pub fn register(&mut self, job: Job) -> Result<(), RegistrationError> {
        if job.name.is_empty() {
            return Err(RegistrationError::Unnamed);
        }
        if let Some(other) = self.jobs.iter().find(|other| other.id == job.id) {
            return Err(RegistrationError::NameTaken {
                name: job.name.to_string(),
                by: other.name.to_string(),
            });
        }
        if self.jobs.len() == JOBS_MAX {
            return Err(RegistrationError::TooMany {
                name: job.name.to_string(),
            });
        }
        self.jobs.push(job);
        Ok(())
    }

    /// Takes two wall clocks that are more than `limit` apart for not both right; [`ClockGuard::LIMIT`] unless set.
    #[must_use]
    pub fn clock_limit(mut self, limit: Duration) -> Self {
        self.clock_limit = limit;
        self
    }

    /// Tells each event to `hook`, after it was told to `tracing`. It must not block.
    #[must_use]
    pub fn on_event(mut self, hook: impl Fn(&CronEvent) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Fires the jobs for as long as the leadership lasts. Ready when nothing of them runs any more.
    ///
    /// Told to drain, it starts nothing more, lets what runs finish, and records how that ended. Told to stop at once, it tells
    /// every run, and is ready when they have stopped.
    ///
    /// # Errors
    /// When the lock's note holds something that must not be overwritten, or a start or end could not be recorded.
    ///
    /// # Cancel safety
    /// Dropping the future drops the runs. Their fires have a start and no end in the ledger, as after a crash.
    pub async fn run(self, host: impl FireHost) -> Result<(), JobsError> {
        Session::new(&self, &host)?.run().await
    }

    pub(super) fn tell(&self, host: &dyn FireHost, event: &CronEvent) {
        event.tell(host);
        if let Some(hook) = &self.hook {
            hook(event);
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs")
            .field("jobs", &self.jobs)
            .field("clock_limit", &self.clock_limit)
            .finish_non_exhaustive()
    }
}

/// Why jobs stopped firing before they were told to.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobsError {
    /// The lock's note holds something that must not be overwritten.
    Ledger(LedgerError),
    /// A start or an end could not be recorded. It may be in the ledger all the same.
    NotRecorded(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for JobsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(f),
            Self::NotRecorded(error) => {
                write!(f, "nothing fires, the ledger cannot be written: {error}")
            }
        }
    }
}

impl Error for JobsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Ledger(error) => Some(error),
            Self::NotRecorded(error) => Some(&**error),
        }
    }
}
