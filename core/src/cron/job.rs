use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Calendar, Fire, JOBS_MAX, JobId, Outcome, Policy};

/// Why a job failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobFailed {
    /// Its exit code, from 1; kept in the ledger.
    pub code: u8,
    /// What went wrong, for people; not kept.
    pub text: String,
}

impl JobFailed {
    /// A failure with exit code 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self::with_code(1, text)
    }

    /// A failure with this exit code.
    pub fn with_code(code: u8, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

impl fmt::Display for JobFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.text, self.code)
    }
}

/// What a hook on failures is told.
#[derive(Clone, Debug)]
pub struct FailedFire {
    /// The fire.
    pub fire: Fire,
    /// How the try ended.
    pub outcome: Outcome,
    /// What went wrong, for people.
    pub text: String,
    /// Whether it will be tried again.
    pub tried_again: bool,
}

type Action = dyn Fn(Fire) -> JobFuture + Send + Sync;
type FailureHook = dyn Fn(&FailedFire) + Send + Sync;

/// A run of a job.
pub(super) type JobFuture = Pin<Box<dyn Future<Output = Result<(), JobFailed>> + Send>>;

/// Work with a calendar.
#[derive(Clone)]
pub struct Job {
    action: Arc<Action>,
    pub(super) calendar: Arc<dyn Calendar>,
    hook: Option<Arc<FailureHook>>,
    pub(super) id: JobId,
    pub(super) name: Arc<str>,
    pub(super) policy: Policy,
}

impl Job {
    /// A job of this name, which identifies it in the ledger: a job under another name is another job.
    ///
    /// `action` makes one run of it. It should watch [`Fire::cancelled`], and is dropped when it does not stop.
    pub fn new<F, Run>(name: &str, calendar: impl Calendar, policy: Policy, action: F) -> Self
    where
        F: Fn(Fire) -> Run + Send + Sync + 'static,
        Run: Future<Output = Result<(), JobFailed>> + Send + 'static,
    {
        Self {
            action: Arc::new(move |fire| Box::pin(action(fire))),
            calendar: Arc::new(calendar),
            hook: None,
            id: JobId::of(name),
            name: Arc::from(name),
            policy,
        }
    }

    /// Calls `hook` after each try that failed or timed out. It must not block.
    #[must_use]
    pub fn on_failure(mut self, hook: impl Fn(&FailedFire) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// A run that begins when it is first polled, so that a panic in the job's own call is the run's.
    pub(super) fn run(&self, fire: Fire) -> JobFuture {
        let action = Arc::clone(&self.action);
        Box::pin(async move { action(fire).await })
    }

    pub(super) fn tell_failure(&self, failed: &FailedFire) {
        if let Some(hook) = &self.hook {
            hook(failed);
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name)
            .field("calendar", &self.calendar)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A job that cannot be registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistrationError {
    /// Another job has this name, or one whose hash is the same.
    NameTaken {
        /// The name.
        name: String,
        /// The name that was registered before.
        by: String,
    },
    /// The ledger has no room for one more.
    TooMany {
        /// The job that is one too many.
        name: String,
    },
    /// The name is empty.
    Unnamed,
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken { name, by } => {
                write!(
                    f,
                    "job {name:?} is taken for job {by:?} in the ledger: rename it"
                )
            }
            Self::TooMany { name } => write!(
                f,
                "job {name:?} is one too many: an election's ledger has room for {JOBS_MAX}; use another election for it"
            ),
            Self::Unnamed => f.write_str("a job needs a name"),
        }
    }
}

impl std::error::Error for RegistrationError {}
