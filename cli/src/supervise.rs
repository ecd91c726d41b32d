//! The jobs of a leadership: started under a guard, told what the leadership is told, and gone before the leadership is given back.

use std::ffi::OsString;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustix::process::Signal;
use tenure::elector::Validity;
use tenure::{Leadership, Timing};

use crate::concurrent::{Either, beside, either};
use crate::guard::protocol::SilentProgram;
use crate::guard::{Deadline, EXECUTABLE};
use crate::job::{Guard, GuardSpec, Job, JobEnd, JobError, JobSpec};
use crate::open_lock::{Keeper, OpenLock};
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
    /// Does `work` under a guard that knows the deadline. Dropping the future kills all that the guard has started.
    ///
    /// Nothing is done, and the answer is nothing, when the leadership is to stop already.
    ///
    /// # Errors
    /// When there is no guard to be had, or it has died; nothing of a job runs then.
    pub(crate) async fn lead<T, F: Future<Output = T>>(
        &self,
        leadership: &Leadership,
        work: impl FnOnce(Arc<Guard>) -> F,
    ) -> Result<Option<T>, JobError> {
        let (lock, silent_program) = match self.lock.keeper()? {
            Keeper::Descriptor(lock) => (Some(lock), SilentProgram::End),
            Keeper::Nothing => (None, SilentProgram::Leave),
            // The elector is about to notice that too.
            Keeper::NotHeld => {
                leadership.cancelled().await;
                return Ok(None);
            }
        };
        if leadership.stop_requested().is_some() {
            leadership.cancelled().await;
            return Ok(None);
        }
        let validity = leadership.validity();
        let sent = self.deadline(validity);
        let spec = GuardSpec {
            executable: EXECUTABLE.into(),
            silent_program,
            lock,
        };
        let guard = Arc::new(Guard::start(spec, sent).await?);
        let work = beside(
            work(Arc::clone(&guard)),
            self.end_in_time(&guard, leadership),
        );
        let kept = either(work, self.keep(&guard, validity, sent));
        match self.lock.labelled(leadership, kept).await {
            Either::First(value) => Ok(Some(value)),
            Either::Second(()) => Err(JobError::guard_died()),
        }
    }

    /// Has the guard kill what has not stopped in time after the leadership was lost, be it long before its deadline.
    async fn end_in_time(&self, guard: &Guard, leadership: &Leadership) {
        leadership.lost().await;
        leadership.clock().sleep(self.grace()).await;
        guard.kill();
    }

    /// How long a job has that was told to stop at once: a little less than the elector gives this program, which has to see it dead.
    fn grace(&self) -> Duration {
        self.timing.grace() / 8 * 7
    }

    /// Tells the guard each new deadline. Returns when the guard has died.
    async fn keep(&self, guard: &Guard, validity: &Validity, mut sent: Deadline) {
        let interval = self.timing.renew_interval() / LOOKS_PER_INTERVAL;
        let interval = interval.max(Duration::from_millis(1));
        let mut tick = validity.clock().sleep(interval);
        let mut died = pin!(guard.died());
        poll_fn(|context| {
            // The elector renews in the same task, so that most renewals are seen here at once.
            while tick.as_mut().poll(context).is_ready() {
                tick = validity.clock().sleep(interval);
            }
            let deadline = self.deadline(validity);
            if deadline != sent {
                guard.extend(deadline);
                sent = deadline;
            }
            died.as_mut().poll(context)
        })
        .await;
    }

    fn deadline(&self, validity: &Validity) -> Deadline {
        let deadline = validity.deadline();
        Deadline {
            from: deadline.since,
            validity: deadline.length,
            grace: self.grace().into(),
        }
    }

    /// Runs the command until it has ended with all its descendants; asks it to stop when `stop` is ready.
    ///
    /// Dropping the future has the guard kill the command.
    pub(crate) async fn run(
        &self,
        guard: &Arc<Guard>,
        validity: &Validity,
        more: Vec<(OsString, OsString)>,
        stop: impl Future<Output = ()>,
    ) -> Result<JobEnd, JobError> {
        let job = guard.start_job(self.job(validity, more)?).await?;
        let token = validity.token();
        tracing::info!(process = job.process(), %token, "the job runs");
        let mut stop = Some(pin!(stop));
        let mut asked = false;
        let end = loop {
            match self.news(&job, &mut stop).await {
                News::Ended(end) => break end,
                News::Signal(number) => {
                    asked = true;
                    job.signal(number);
                }
                News::Stop => {
                    asked = true;
                    stop = None;
                    job.stop(Signal::TERM.as_raw());
                }
            }
        };
        if asked || end.is_success() {
            tracing::info!(%token, "the job {end}");
        } else {
            tracing::warn!(%token, "the job {end}");
        }
        Ok(end)
    }

    /// The next thing to be done about a running job.
    async fn news<S: Future<Output = ()>>(
        &self,
        job: &Job,
        stop: &mut Option<Pin<&mut S>>,
    ) -> News {
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
            wait.as_mut().poll(context).map(News::Ended)
        })
        .await
    }

    fn job(
        &self,
        validity: &Validity,
        more: Vec<(OsString, OsString)>,
    ) -> Result<JobSpec, JobError> {
        let election = self.lock.election().as_str();
        let mut environment = vec![
            ("TENURE_TOKEN".into(), validity.token().to_string().into()),
            ("TENURE_ELECTION".into(), election.into()),
            ("TENURE_CANDIDATE".into(), self.candidate.clone().into()),
        ];
        environment.extend(more);
        Ok(JobSpec {
            command: self.command.clone(),
            environment,
            stdin: stdin()?,
        })
    }
}

/// What there is to be done about a running job.
enum News {
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
