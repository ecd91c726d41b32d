use std::ffi::OsString;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::UnixStream;

use super::{JobEnd, JobError};
use crate::guard::protocol::{Cause, End, Order, Report, SilentProgram, Start};
use crate::guard::{Channel, Deadline, GUARD_NAME, Peer, adopt_orphans, kill_and_wait, pair};

/// What a guard needs to watch over a leadership.
#[derive(Debug)]
pub struct GuardSpec {
    /// The executable to run as the guard: this program's own.
    pub executable: PathBuf,
    /// A descriptor of the lock, where the kernel has it: the guard and its jobs keep it.
    pub lock: Option<OwnedFd>,
    /// What the guard does with a program that shows no life past its deadline.
    pub silent_program: SilentProgram,
}

/// A job to start.
#[derive(Debug)]
pub struct JobSpec {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Variables that the job gets beside those that this process has.
    pub environment: Vec<(OsString, OsString)>,
    /// The job's standard input.
    pub stdin: OwnedFd,
}

/// The guard of one leadership, which starts its jobs, one at a time.
///
/// Dropping it kills the job with all its descendants, and blocks until nothing of it is left: who drops it is about to give the
/// lock away. A process has one guard at a time and no other children, because all of them are killed then. All that waits for a guard
/// is to be part of one task.
#[derive(Debug)]
pub struct Guard(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    channel: Channel<UnixStream>,
    dead: bool,
    end: Option<End>,
    /// Why nothing of the newest job is left, once nothing is.
    gone: Option<Option<Cause>>,
    /// What the guard has answered to the newest order that has an answer.
    answer: Option<Result<i32, String>>,
}

impl Guard {
    /// Starts the guard of a leadership.
    ///
    /// Dropping the future before it is done leaves nothing running.
    ///
    /// # Errors
    /// When there are no processes or descriptors to be had, or the guard refuses.
    pub async fn start(spec: GuardSpec, deadline: Deadline) -> Result<Self, JobError> {
        // Should the guard die, the job's processes become this process's children, and can be found.
        adopt_orphans()?;
        let (own, guards) = pair()?;
        let own = UnixStream::from_std(own.into())?;
        let guard = Self(Mutex::new(Inner {
            channel: Channel::new(own),
            dead: false,
            end: None,
            gone: Some(None),
            answer: None,
        }));
        Command::new(&spec.executable)
            .arg0(GUARD_NAME)
            .stdin(Stdio::from(guards))
            .spawn()?;
        let order = Order::Watch(deadline, spec.silent_program);
        guard.ask(&order, spec.lock.into_iter().collect()).await?;
        Ok(guard)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a job, when nothing is left of the one before.
    ///
    /// # Errors
    /// When the guard refuses, or has died; nothing runs then. A command that does not exist is no error here: the job then ends
    /// with status 127, as in a shell, or 126 when it cannot be run.
    pub async fn start_job(self: &Arc<Self>, spec: JobSpec) -> Result<Job, JobError> {
        self.wait().await;
        let order = Order::Start(Start {
            command: spec.command,
            environment: spec.environment,
        });
        let mut job = Job {
            guard: Arc::clone(self),
            process: 0,
        };
        {
            let mut inner = self.inner();
            inner.gone = None;
            inner.end = None;
        }
        match self.ask(&order, vec![spec.stdin]).await {
            Ok(process) => job.process = process,
            Err(error) => {
                self.inner().gone = Some(None);
                return Err(error);
            }
        }
        Ok(job)
    }

    /// Tells the guard that the hold was confirmed again.
    pub fn extend(&self, deadline: Deadline) {
        self.order(&Order::Extend(deadline));
    }

    /// Kills the job, if there is one, with all its descendants.
    pub fn kill(&self) {
        self.order(&Order::Kill);
    }

    /// Returns when the guard has died. The job is killed then, with all that it left.
    pub async fn died(&self) {
        poll_fn(|context| self.poll(context, |inner| inner.dead.then_some(()))).await;
    }

    /// An order that cannot be given is given up: the guard has died, which [`Guard::died`] sees, or does not read, and then the
    /// deadline that it knows only comes earlier.
    fn order(&self, order: &Order) {
        let _ = self.inner().channel.send(order, Vec::new());
    }

    async fn ask(&self, order: &Order, descriptors: Vec<OwnedFd>) -> Result<i32, JobError> {
        {
            let mut inner = self.inner();
            inner.answer = None;
            inner.channel.send(order, descriptors)?;
        }
        let answer = poll_fn(|context| {
            self.poll(context, |inner| match inner.answer.take() {
                None if inner.dead => Some(Err("its guard has died".to_owned())),
                answer => answer,
            })
        });
        answer.await.map_err(JobError)
    }

    /// Waits until nothing of the newest job is left.
    async fn wait(&self) -> JobEnd {
        poll_fn(|context| {
            self.poll(context, |inner| {
                let end = inner.end;
                inner.gone.map(|cause| JobEnd { end, cause })
            })
        })
        .await
    }

    /// Takes in what the guard says, then asks `found`.
    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        found: impl FnOnce(&mut Inner) -> Option<T>,
    ) -> Poll<T> {
        let mut inner = self.inner();
        inner.listen(context);
        found(&mut inner).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Inner {
    /// Takes in all that the guard has said, and sees to it that the task is woken when it says more.
    fn listen(&mut self, context: &mut Context<'_>) {
        while !self.dead {
            let peer = self.channel.flush().and_then(|()| self.channel.receive());
            let mut news = false;
            while let Ok(Some(report)) = self.channel.take() {
                self.note(report);
                news = true;
            }
            if !matches!(peer, Ok(Peer::There)) {
                self.bury();
                news = true;
            }
            if news {
                // It may be news for another part of the task, which has been asked before.
                context.waker().wake_by_ref();
            }
            if !self.may_have_changed(context) {
                return;
            }
        }
    }

    /// Whether there may be more to take in. If not, the task is woken when there is.
    fn may_have_changed(&self, context: &mut Context<'_>) -> bool {
        let socket = self.channel.socket();
        let mut wait = socket.poll_read_ready(context).map(|_| Interest::READABLE);
        if wait.is_pending() && self.channel.wants_to_send() {
            wait = socket.poll_write_ready(context).map(|_| Interest::WRITABLE);
        }
        let Poll::Ready(interest) = wait else {
            return false;
        };
        // Readiness is forgotten before the next look and not after it, so that none is missed.
        let _ = socket.try_io(interest, || Err::<(), _>(ErrorKind::WouldBlock.into()));
        true
    }

    fn note(&mut self, report: Report) {
        match report {
            Report::Ready => self.answer = Some(Ok(0)),
            Report::Started(process) => self.answer = Some(Ok(process)),
            Report::Refused(why) => self.answer = Some(Err(why)),
            Report::Ended(end) => self.end = Some(end),
            Report::Gone(cause) => self.gone = Some(Some(cause)),
        }
    }

    /// Leaves nothing of a guard that has died, nor of its job. Blocks until that is done.
    fn bury(&mut self) {
        self.dead = true;
        if self.gone.is_none() {
            tracing::error!("the guard of the job has died: the job is killed");
            self.gone = Some(None);
        }
        end_everything();
    }
}

/// Kills guard and job, and waits for them, blocking. Whatever the state of the guard, this works: it is a child too.
fn end_everything() {
    if let Err(error) = kill_and_wait() {
        tracing::error!("the job cannot be killed: {error}");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        end_everything();
    }
}

/// A job that was started under a [`Guard`]. Dropping it has the guard kill it, with all its descendants.
#[derive(Debug)]
pub struct Job {
    guard: Arc<Guard>,
    process: i32,
}

impl Job {
    /// The number of the job's process.
    pub fn process(&self) -> i32 {
        self.process
    }

    /// Passes a signal on to the job.
    pub fn signal(&self, signal: i32) {
        self.guard.order(&Order::Signal(signal));
    }

    /// Asks the job to stop, with this signal, unless it has been asked already.
    pub fn stop(&self, signal: i32) {
        self.guard.order(&Order::Stop(signal));
    }

    /// Waits until nothing of the job is left.
    ///
    /// Dropping the future loses nothing; it can be waited for again.
    pub async fn wait(&self) -> JobEnd {
        self.guard.wait().await
    }

    /// Kills the job with all its descendants and waits until nothing of it is left.
    pub async fn kill_and_wait(&self) -> JobEnd {
        self.guard.kill();
        self.wait().await
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.guard.inner().gone.is_none() {
            self.guard.kill();
        }
    }
}
