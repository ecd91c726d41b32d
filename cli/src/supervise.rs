//! The job of a leadership: started under a guard, told what the leadership is told, and gone before the leadership is given back.

use std::ffi::OsString;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustix::process::Signal;
use tenure::Timing;
use tenure::elector::Validity;

use crate::guard::protocol::SilentProgram;
use crate::guard::{Deadline, EXECUTABLE};
use crate::job::{Job, JobEnd, JobError, JobSpec};
use crate::lock_url::OpenLock;
use crate::signals::SignalQueue;

/// How often within a renew interval the deadline is looked at, at least.
const LOOKS_PER_INTERVAL: u32 = 4;

/// Starts the command under each leadership.
#[derive(Clone, Debug)]
pub(crate) struct Supervisor {
    pub(crate) candidate: String,
    pub(crate) command: Vec<OsString>,
    pub(crate) lock: OpenLock,
    pub(crate) signals: SignalQueue,
    pub(crate) timing: Timing,
}

impl Supervisor {
    /// Runs the command until it has ended with all its descendants; asks it to stop when `stop` is ready.
    ///
    /// Nothing is started, and the answer is nothing, when the leadership is over already. Dropping the future kills the command.
    pub(crate) async fn run(
        &self,
        validity: &Arc<Validity>,
        more: Vec<(OsString, OsString)>,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<JobEnd>, JobError> {
        let mut stop = pin!(stop);
        let told = poll_fn(|context| Poll::Ready(stop.as_mut().poll(context).is_ready())).await;
        let lock = self.lock.descriptor().map_err(JobError::from)?;
        if told || lock.is_none() {
            // A lock that is no longer held is about to be noticed by the elector too.
            if !told {
                stop.await;
            }
            return Ok(None);
        }
        let mut sent = self.deadline(validity);
        let mut job = Job::start(self.spec(validity, lock, more)?, sent).await?;
        tracing::info!(process = job.process(), token = %validity.token(), "the job runs");
        let mut stop = Some(stop);
        let end = loop {
            match self.news(&mut job, validity, sent, &mut stop).await {
                News::Deadline(deadline) => {
                    job.extend(deadline);
                    sent = deadline;
                }
                News::Ended(end) => break end,
                News::Signal(number) => job.signal(number),
                News::Stop => {
                    stop = None;
                    job.stop(Signal::TERM.as_raw());
                }
            }
        };
        let (token, asked) = (validity.token(), stop.is_none());
        if asked || end.is_success() {
            tracing::info!(%token, "the job {end}");
        } else {
            tracing::warn!(%token, "the job {end}");
        }
        Ok(Some(end))
    }

    /// The next thing to be done about a running job. `sent` is the deadline that its guard knows.
    async fn news<S: Future<Output = ()>>(
        &self,
        job: &mut Job,
        validity: &Validity,
        sent: Deadline,
        stop: &mut Option<Pin<&mut S>>,
    ) -> News {
        let interval = self.timing.renew_interval() / LOOKS_PER_INTERVAL;
        let interval = interval.max(Duration::from_millis(1));
        let mut tick = validity.clock().sleep(interval);
        let mut wait = pin!(job.wait());
        poll_fn(|context| {
            if let Poll::Ready(number) = self.signals.poll_next(context) {
                return Poll::Ready(News::Signal(number));
            }
            if let Some(stop) = stop
                && stop.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(News::Stop);
            }
            if let Poll::Ready(end) = wait.as_mut().poll(context) {
                return Poll::Ready(News::Ended(end));
            }
            // The elector renews in the same task, so that most renewals are seen here at once.
            let deadline = self.deadline(validity);
            if deadline != sent || tick.as_mut().poll(context).is_ready() {
                return Poll::Ready(News::Deadline(deadline));
            }
            Poll::Pending
        })
        .await
    }

    fn deadline(&self, validity: &Validity) -> Deadline {
        let deadline = validity.deadline();
        Deadline {
            from: deadline.since,
            validity: deadline.length,
            grace: self.timing.grace().into(),
        }
    }

    fn spec(
        &self,
        validity: &Validity,
        lock: Option<OwnedFd>,
        more: Vec<(OsString, OsString)>,
    ) -> Result<JobSpec, JobError> {
        let mut environment = vec![
            ("TENURE_TOKEN".into(), validity.token().to_string().into()),
            (
                "TENURE_ELECTION".into(),
                self.lock.election().as_str().into(),
            ),
            ("TENURE_CANDIDATE".into(), self.candidate.clone().into()),
        ];
        environment.extend(more);
        Ok(JobSpec {
            command: self.command.clone(),
            environment,
            guard: EXECUTABLE.into(),
            silent_program: if lock.is_some() {
                SilentProgram::End
            } else {
                SilentProgram::Leave
            },
            lock,
            stdin: stdin().map_err(JobError::from)?,
        })
    }
}

/// What there is to be done about a running job.
enum News {
    Deadline(Deadline),
    Ended(JobEnd),
    Signal(i32),
    Stop,
}

/// The program's own standard input, or nothing to read where it was closed.
fn stdin() -> io::Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)
        .map_err(io::Error::from)
        .or_else(|_| Ok(std::fs::File::open("/dev/null")?.into()))
}
