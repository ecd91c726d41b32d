use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::UnixStream;

use super::{JobEnd, JobError, JobSpec};
use crate::guard::protocol::{Cause, End, Order, Report, Start};
use crate::guard::{Channel, Deadline, GUARD_NAME, Peer, adopt_orphans, kill_and_wait, pair};

/// A running job and its guard.
///
/// Dropping it kills the job with all its descendants, and blocks until nothing of it is left: who drops it is about to give the
/// lock away. A process has at most one job at a time and no other children, because all of them are killed then.
#[derive(Debug)]
pub struct Job {
    channel: Channel<UnixStream>,
    end: Option<End>,
    /// Why nothing of the job is left, once nothing is.
    gone: Option<Option<Cause>>,
    process: i32,
}

impl Job {
    /// Starts a guard and, under it, the job.
    ///
    /// Dropping the future before it is done leaves nothing running.
    ///
    /// # Errors
    /// When there are no processes or descriptors to be had, or the guard refuses; nothing runs then. A command that does not exist
    /// is no error here: the job then ends with status 127, as in a shell, or 126 when it cannot be run.
    pub async fn start(spec: JobSpec, deadline: Deadline) -> Result<Self, JobError> {
        let mut job = Self::guarded(&spec).map_err(|error| JobError(error.to_string()))?;
        let mut descriptors = vec![spec.stdin];
        descriptors.extend(spec.lock);
        let order = Order::Start(Start {
            command: spec.command,
            environment: spec.environment,
            deadline,
            silent_program: spec.silent_program,
        });
        job.channel
            .send(&order, descriptors)
            .map_err(|error| JobError(error.to_string()))?;
        match poll_fn(|context| job.poll_report(context)).await {
            Some(Report::Started(process)) => job.process = process,
            Some(Report::Refused(why)) => return Err(JobError(why)),
            _ => return Err(JobError("its guard ended".to_owned())),
        }
        Ok(job)
    }

    fn guarded(spec: &JobSpec) -> io::Result<Self> {
        // Should the guard die, the job's processes become this process's children, and can be found.
        adopt_orphans()?;
        let (own, guards) = pair()?;
        let own = UnixStream::from_std(own.into())?;
        let job = Self {
            channel: Channel::new(own),
            end: None,
            gone: None,
            process: 0,
        };
        Command::new(&spec.guard)
            .arg0(GUARD_NAME)
            .stdin(Stdio::from(guards))
            .spawn()?;
        Ok(job)
    }

    /// The number of the job's process.
    pub fn process(&self) -> i32 {
        self.process
    }

    /// Tells the guard that the hold was confirmed again.
    pub fn extend(&mut self, deadline: Deadline) {
        self.order(&Order::Extend(deadline));
    }

    /// Passes a signal on to the job.
    pub fn signal(&mut self, signal: i32) {
        self.order(&Order::Signal(signal));
    }

    /// Asks the job to stop, with this signal, unless it has been asked already.
    pub fn stop(&mut self, signal: i32) {
        self.order(&Order::Stop(signal));
    }

    /// An order that cannot be given is given up: the guard has died, which [`Job::wait`] sees, or does not read, and then the
    /// deadline that it knows only comes earlier.
    fn order(&mut self, order: &Order) {
        let _ = self.channel.send(order, Vec::new());
    }

    /// Waits until nothing of the job is left.
    ///
    /// Dropping the future loses nothing; it can be waited for again.
    pub async fn wait(&mut self) -> JobEnd {
        while self.gone.is_none() {
            match poll_fn(|context| self.poll_report(context)).await {
                Some(Report::Ended(end)) => self.end = Some(end),
                Some(Report::Gone(cause)) => self.gone = Some(Some(cause)),
                Some(Report::Started(_) | Report::Refused(_)) => {}
                None => {
                    tracing::error!("the guard of the job has died: the job is killed");
                    self.end_everything();
                    self.gone = Some(None);
                }
            }
        }
        JobEnd {
            end: self.end,
            cause: self.gone.flatten(),
        }
    }

    /// Kills the job with all its descendants and waits until nothing of it is left.
    pub async fn kill_and_wait(&mut self) -> JobEnd {
        self.order(&Order::Kill);
        self.wait().await
    }

    /// The next report; nothing when the guard has died.
    fn poll_report(&mut self, context: &mut Context<'_>) -> Poll<Option<Report>> {
        loop {
            let peer = self.channel.flush().and_then(|()| self.channel.receive());
            match self.channel.take() {
                Ok(Some(report)) => return Poll::Ready(Some(report)),
                Ok(None) if matches!(peer, Ok(Peer::There)) => {}
                Ok(None) | Err(_) => return Poll::Ready(None),
            }
            let socket = self.channel.socket();
            let mut wait = socket.poll_read_ready(context).map(|_| Interest::READABLE);
            if wait.is_pending() && self.channel.wants_to_send() {
                wait = socket.poll_write_ready(context).map(|_| Interest::WRITABLE);
            }
            let Poll::Ready(interest) = wait else {
                return Poll::Pending;
            };
            // Readiness is forgotten before the next look and not after it, so that none is missed.
            let _ = socket.try_io(interest, || Err::<(), _>(ErrorKind::WouldBlock.into()));
        }
    }

    /// Kills guard and job, and waits for them, blocking. Whatever the state of the guard, this works: it is a child too.
    fn end_everything(&self) {
        if let Err(error) = kill_and_wait() {
            tracing::error!("the job cannot be killed: {error}");
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.end_everything();
    }
}
