use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Claim, Description, Hint, LockBackend, LockKind, LockState, Member, Observation,
    OperatorRequest, Proof, Release, Released, Renewal, Renewed, Submitted,
};
use tenure_core::{CandidateId, ElectionName, Error, ErrorKind};

use super::candidacy::{Candidacy, Grip, Seen};
use super::descriptors::Share;
use super::error::{BACKEND, Failure};
use super::hints::Hints;
use super::paths::Paths;
use super::root::{self, FileRoot};
use super::worker::{Speed, Task, reply};
use crate::locked::locked;

/// More than an elector ever has under way: one operation, and some that it gave up while the disk hangs.
const OPERATIONS_MAX: usize = 16;

type Operation = Box<dyn FnOnce(&mut Candidacy) + Send>;

/// A lock that is a file: one election's, for one candidate.
///
/// The kernel holds it for the process and whoever inherits a [descriptor](Self::descriptor) of it, and frees it when the last of them
/// is gone, whatever they died of. Dropping it lets go of everything.
#[derive(Debug)]
pub struct FileLock(Arc<Handle>);

struct Handle {
    candidacy: Mutex<Candidacy>,
    description: Description,
    grip: Grip,
    hints: Arc<Hints>,
    operations: Mutex<Operations>,
    root: Arc<root::Shared>,
    _share: Share,
}

/// What waits for this handle, in the order in which it was asked. Only one thread serves it at a time.
#[derive(Default)]
struct Operations {
    being_served: bool,
    waiting: VecDeque<Operation>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("url", &self.description.url)
            .finish_non_exhaustive()
    }
}

impl Task for Handle {
    fn run(&self) {
        loop {
            let operation = {
                let mut operations = locked(&self.operations);
                let next = operations.waiting.pop_front();
                operations.being_served = next.is_some();
                next
            };
            let Some(operation) = operation else { return };
            let mut candidacy = locked(&self.candidacy);
            let run = std::panic::AssertUnwindSafe(|| operation(&mut candidacy));
            if std::panic::catch_unwind(run).is_err() {
                // Half done is not known to be held: nothing is.
                candidacy.let_go();
            }
        }
    }
}

impl Handle {
    /// Queues `operation`; whether there was room.
    fn queue(self: &Arc<Self>, operation: Operation, speed: Speed, limit: usize) -> bool {
        let mut operations = locked(&self.operations);
        if operations.waiting.len() >= limit {
            return false;
        }
        operations.waiting.push_back(operation);
        if !operations.being_served {
            let task = Arc::clone(self) as Arc<dyn Task>;
            if limit == usize::MAX {
                self.root.worker.push_always(task, speed);
            } else if !self.root.worker.push(task, speed) {
                operations.waiting.pop_back();
                return false;
            }
            operations.being_served = true;
        }
        true
    }

    /// Has what is held, or all that is open, closed after whatever is under way.
    fn close_soon(self: &Arc<Self>, close: fn(&mut Candidacy)) {
        self.queue(Box::new(close), Speed::Quick, usize::MAX);
    }

    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        name: &'static str,
        speed: Speed,
        operation: impl FnOnce(&mut Candidacy) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = reply();
        let operation = move |candidacy: &mut Candidacy| {
            // Given up before it was begun: it never happened.
            if !reply.is_abandoned() {
                reply.send(operation(candidacy));
            }
        };
        if !self.queue(Box::new(operation), speed, OPERATIONS_MAX) {
            let detail = "too many calls wait for this disk, which does not answer: look at it";
            return Err(Failure::new(ErrorKind::Unavailable, detail).into_error(name));
        }
        let outcome = answer.await.unwrap_or_else(|| {
            let detail = "the operation panicked: report it with the log lines before this one";
            Err(Failure::new(ErrorKind::Panicked, detail).unknown())
        });
        outcome.map_err(|failure| failure.into_error(name))
    }
}

/// Gives a grant back that nobody waits for any more.
struct Unclaimed<'a>(Option<&'a Arc<Handle>>);

impl Drop for Unclaimed<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.0 {
            handle.close_soon(Candidacy::let_go);
        }
    }
}

impl FileLock {
    /// The lock at `path`: its directory is the [root](FileRoot) and its name the election's. For one lock in a process; with more,
    /// open a [`FileRoot`] and share its threads.
    ///
    /// # Errors
    /// As [`FileRoot::open`] and [`FileRoot::lock`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let refused = |problem: &str| {
            let detail = format!("{} {problem}", path.display());
            Failure::new(ErrorKind::InvalidInput, detail).into_error("open")
        };
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused("has no file name: end it in the election's name"));
        };
        let name = name
            .to_str()
            .ok_or_else(|| refused("is not valid UTF-8: choose another name"))?;
        let election = ElectionName::new(name).map_err(|error| refused(&error.to_string()))?;
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        FileRoot::open(directory)?.lock(election)
    }

    pub(crate) fn new(root: &Arc<root::Shared>, paths: Paths, share: Share) -> Self {
        let hints = Arc::new(Hints::default());
        let grip = Grip::default();
        root.watcher.register(paths.election(), &hints);
        let description = Description {
            backend: BACKEND,
            election: paths.election().clone(),
            url: format!("file://{}", paths.lock().display()),
            kind: LockKind::Session,
            proof: Proof::Itself,
            tells_members: true,
        };
        let candidacy = Candidacy {
            grip: Arc::clone(&grip),
            held: None,
            hints: Arc::clone(&hints),
            member: None,
            paths,
            root: root.inode,
            seen: Seen::default(),
            system: Arc::clone(&root.system),
            token_floor: root.token_floor,
            waiting: None,
            watcher: Arc::clone(&root.watcher),
        };
        Self(Arc::new(Handle {
            candidacy: Mutex::new(candidacy),
            description,
            grip,
            hints,
            operations: Mutex::default(),
            root: Arc::clone(root),
            _share: share,
        }))
    }

    /// A duplicate of the held lock's descriptor; nothing while the lock is not held.
    ///
    /// Who inherits it keeps the lock: hand it to the job and to its guard, so that the kernel excludes others until the last process
    /// of the job is gone. It is closed on exec: clear that where it is to be inherited. A release is complete only when all
    /// duplicates are closed.
    ///
    /// # Errors
    /// When there are too many open files.
    #[cfg(unix)]
    pub fn descriptor(&self) -> std::io::Result<Option<std::os::fd::OwnedFd>> {
        let grip = locked(&self.0.grip);
        grip.as_ref().map(|file| file.duplicate()).transpose()
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let election = &self.0.description.election;
        self.0.root.watcher.deregister(election, &self.0.hints);
        self.0.close_soon(Candidacy::leave);
    }
}

#[async_trait]
impl LockBackend for FileLock {
    fn description(&self) -> &Description {
        &self.0.description
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let look = |candidacy: &mut Candidacy| {
            let seen = candidacy.observe()?;
            if matches!(seen.lock, LockState::Held(_)) && candidacy.held.is_none() {
                candidacy.remind_if_soon_free(&seen);
            }
            Ok(seen)
        };
        self.0.ask("observe", Speed::Quick, look).await
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        let claim = claim.clone();
        let mut unclaimed = Unclaimed(Some(&self.0));
        let acquire = move |candidacy: &mut Candidacy| candidacy.acquire(&claim);
        let acquired = self.0.ask("acquire", Speed::Durable, acquire).await;
        unclaimed.0 = None;
        acquired
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        let renewal = renewal.clone();
        let speed = match renewal.note {
            Some(_) => Speed::Durable,
            None => Speed::Quick,
        };
        let renew = move |candidacy: &mut Candidacy| candidacy.renew(&renewal);
        self.0.ask("renew", speed, renew).await
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        let release = release.clone();
        let release = move |candidacy: &mut Candidacy| candidacy.release(&release);
        self.0.ask("release", Speed::Durable, release).await
    }

    async fn changed(&self) -> Hint {
        self.0.hints.next().await
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        let candidate = candidate.clone();
        let enlist = move |candidacy: &mut Candidacy| candidacy.enlist(&candidate);
        self.0.ask("enlist", Speed::Quick, enlist).await
    }

    async fn withdraw(&self, _candidate: &CandidateId) -> Result<(), Error> {
        let handle = &self.0;
        // Not given up with the call: nobody would do it later.
        handle.close_soon(Candidacy::leave);
        handle.ask("withdraw", Speed::Quick, |_| Ok(())).await
    }

    fn abandon(&self) {
        self.0.close_soon(Candidacy::leave);
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        self.0
            .ask("members", Speed::Quick, Candidacy::members)
            .await
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let request = *request;
        let submit = move |candidacy: &mut Candidacy| candidacy.submit(&request);
        self.0.ask("submit", Speed::Durable, submit).await
    }
}
