use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenure_core::backend::{
    Acquired, Basis, Claim, Description, Hint, Member, Observation, OperatorRequest, Release,
    Released, Renewal, Renewed, Submitted,
};
use tenure_core::{CandidateId, Clock, Effect, Error, LockBackend, Reading};

use super::belief::Beliefs;
use super::files::Files;
use super::log::Actor;
use crate::TrueTime;
use crate::clock::{self, SimClock};
use crate::executor::Handle;
use crate::trace::{Answer, Life, Operation, RequestId, What};

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// The number of the request that a process makes now, for whoever carries it.
#[derive(Clone, Default, Debug)]
pub(super) struct Current(Arc<AtomicU32>);

impl Current {
    pub(super) fn request(&self) -> RequestId {
        RequestId(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, request: RequestId) {
        self.0.store(request.0, Ordering::Relaxed);
    }
}

/// The sends of a process, for whoever of it looks.
#[derive(Clone, Default, Debug)]
pub(super) struct Sends(Arc<Mutex<clock::Sends>>);

impl Sends {
    pub(super) fn add(&self, reading: Reading, at: TrueTime) {
        self.0.lock().expect(ONE_THREAD).add(reading, at);
    }

    /// When the write was sent that a deadline counts from.
    pub(super) fn when(&self, reading: Reading) -> Option<TrueTime> {
        self.0.lock().expect(ONE_THREAD).when(reading)
    }
}

/// Any backend, with everything told that its candidate asks and is answered.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) actor: Actor,
    pub(super) beliefs: Beliefs,
    pub(super) clock: Arc<SimClock>,
    pub(super) current: Current,
    /// Where the lock is a file: who is told what its answers say, because no server sees them.
    pub(super) files: Option<Files>,
    pub(super) handle: Handle,
    pub(super) inner: Arc<dyn LockBackend>,
    pub(super) life: Life,
    pub(super) sends: Sends,
}

/// A call that is under way. Dropped before its answer has come, it was abandoned.
struct Call<'a> {
    actor: &'a Actor,
    answered: bool,
    request: RequestId,
}

impl Recorded {
    fn begin(&self, operation: Operation, basis: Option<u64>) -> Call<'_> {
        // What was believed before this call is told before it.
        self.beliefs.look();
        let request = self.actor.log.next_request();
        self.current.set(request);
        if matches!(operation, Operation::Acquire | Operation::Renew) {
            self.sends.add(self.clock.now(), self.handle.now());
        }
        self.actor.tell(What::Sent {
            request,
            operation,
            basis,
        });
        Call {
            actor: &self.actor,
            answered: false,
            request,
        }
    }

    fn observed(&self, seen: &Observation, maybe_stale: bool) {
        self.actor.tell(What::Observed {
            token: seen.token.map(|token| token.value()),
            version: seen.version.map(|version| version.0),
            maybe_stale,
        });
    }
}

impl Call<'_> {
    fn answered<T>(mut self, answer: &Result<T, Error>, conflict: impl Fn(&T) -> bool) {
        self.answered = true;
        let answer = match answer {
            Ok(answer) if conflict(answer) => Answer::Conflict,
            Ok(_) => Answer::Done,
            Err(error) if error.effect() == Effect::Unknown => Answer::Unknown,
            Err(_) => Answer::Failed,
        };
        self.actor.tell(What::Answered {
            request: self.request,
            answer,
        });
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.actor.tell(What::Abandoned {
                request: self.request,
            });
        }
    }
}

#[async_trait]
impl LockBackend for Recorded {
    fn description(&self) -> &Description {
        self.inner.description()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let call = self.begin(Operation::Observe, None);
        let answer = self.inner.observe().await;
        call.answered(&answer, |_| false);
        if let Ok(seen) = &answer {
            self.observed(seen, false);
        }
        answer
    }

    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error> {
        let basis = match claim.basis {
            Basis::At(version) => Some(version.0),
            Basis::Missing => None,
        };
        let call = self.begin(Operation::Acquire, basis);
        let answer = self.inner.acquire(claim).await;
        if let (Some(files), Ok(Acquired::Granted(grant))) = (&self.files, &answer) {
            files.granted(&self.actor, self.life, &grant.hold);
        }
        call.answered(&answer, |answer| matches!(answer, Acquired::Busy(_)));
        answer
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error> {
        let call = self.begin(Operation::Renew, Some(renewal.hold.version.0));
        let answer = self.inner.renew(renewal).await;
        if let (Some(files), Ok(Renewed::Confirmed(receipt))) = (&self.files, &answer) {
            files.renewed(&self.actor, self.life, receipt.version);
        }
        call.answered(&answer, |answer| matches!(answer, Renewed::Conflict(_)));
        answer
    }

    async fn release(&self, release: &Release) -> Result<Released, Error> {
        let call = self.begin(Operation::Release, Some(release.hold.version.0));
        let answer = self.inner.release(release).await;
        if let (Some(files), Ok(Released::Vacated)) = (&self.files, &answer) {
            files.released(&self.actor, self.life);
        }
        call.answered(&answer, |answer| matches!(answer, Released::Conflict(_)));
        answer
    }

    async fn changed(&self) -> Hint {
        let hint = self.inner.changed().await;
        if let Hint::Seen(seen) = &hint {
            self.observed(seen, true);
        }
        hint
    }

    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        let call = self.begin(Operation::Enlist, None);
        let answer = self.inner.enlist(candidate).await;
        call.answered(&answer, |()| false);
        answer
    }

    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        let call = self.begin(Operation::Withdraw, None);
        let answer = self.inner.withdraw(candidate).await;
        call.answered(&answer, |()| false);
        answer
    }

    fn abandon(&self) {
        self.inner.abandon();
    }

    async fn members(&self) -> Result<Vec<Member>, Error> {
        let call = self.begin(Operation::Members, None);
        let answer = self.inner.members().await;
        call.answered(&answer, |_| false);
        answer
    }

    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let call = self.begin(Operation::Submit, None);
        let answer = self.inner.submit(request).await;
        call.answered(&answer, |answer| matches!(answer, Submitted::Outdated(_)));
        answer
    }
}
