use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::seed::SplitMix64;
use super::shared::Shared;
use super::tell::tell;
use super::validity::Validity;
use super::work::{Ended, Next, panic_message};
use super::{Election, LeaderClock, Leadership, Watchdog};
use crate::backend::{Hint, Note};
use crate::event::{Event, StopReason};
use crate::machine::{
    Failure, Input, Machine, Moment, Operation, OperationId, Outcome, Output, Settings, State,
    WorkEnd,
};
use crate::time::Sleep;
use crate::{CandidateId, Clock, Effect, Error, ErrorKind, FencingToken, LockBackend};

type Call = Pin<Box<dyn Future<Output = Result<Outcome, Error>> + Send>>;
type Watch = Pin<Box<dyn Future<Output = Hint> + Send>>;

/// One start of an elector: a future that ends when the machine has.
///
/// The fields are dropped in this order where it matters: the work before anything that could let go of the lock.
pub(super) struct Driver<'a, W, F, D, R> {
    work: Option<Pin<Box<F>>>,
    validity: Option<Arc<Validity>>,
    call: Option<(OperationId, Call)>,
    hint: Option<Watch>,
    alarm: Option<Sleep>,
    /// Whether the machine has taken something in since the alarm was set.
    alarm_is_old: bool,
    backend: Arc<dyn LockBackend>,
    candidate: CandidateId,
    clock: Arc<dyn Clock>,
    decide: D,
    ended: bool,
    /// The operation under way, or the last one.
    calling: &'static str,
    /// What each operation that fails failed with, to tell a lasting failure once.
    failing: Vec<(&'static str, ErrorKind)>,
    give_way: Option<Duration>,
    jitter: SplitMix64,
    machine: Machine,
    make_work: &'a mut W,
    result: Option<R>,
    shared: Arc<Shared>,
    watchdog: Option<Arc<dyn Watchdog>>,
}

/// The most steps in one poll. A driver that has more to do lets others run first.
const STEPS_PER_POLL_MAX: u32 = 64;

impl<'a, W, F, T, D, R> Driver<'a, W, F, D, R>
where
    W: FnMut(Leadership) -> F,
    F: Future<Output = T>,
    D: FnMut(Ended<T>) -> Next<R>,
{
    pub(super) fn start(election: &Election, start: u64, make_work: &'a mut W, decide: D) -> Self {
        let incarnation = election.seed.incarnation(start);
        let candidate = CandidateId {
            name: election.name.clone(),
            incarnation,
        };
        let description = election.backend.description();
        let settings = Settings {
            candidate: candidate.clone(),
            kind: description.kind,
            membership: election.membership,
            on_missing: election.on_missing,
            proof: description.proof,
            timing: election.timing,
        };
        let mut jitter = election.seed.jitter(start);
        let moment = moment(&*election.clock, &mut jitter);
        let machine = Machine::new(moment, settings, election.shared.eligibility());
        #[cfg(feature = "planted")]
        let machine = machine.with_mistake(election.planted);
        election
            .shared
            .update_view(|view| view.candidate = candidate.clone());
        election.shared.hub.set_ended(false);
        Self {
            work: None,
            validity: None,
            call: None,
            hint: None,
            alarm: None,
            alarm_is_old: true,
            backend: Arc::clone(&election.backend),
            candidate,
            clock: Arc::clone(&election.clock),
            decide,
            ended: false,
            calling: "",
            failing: Vec::new(),
            give_way: None,
            jitter,
            machine,
            make_work,
            result: None,
            shared: Arc::clone(&election.shared),
            watchdog: election.watchdog.clone(),
        }
    }

    /// Runs until the machine has ended.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<R>> {
        for _ in 0..STEPS_PER_POLL_MAX {
            if self.ended {
                return Poll::Ready(self.result.take());
            }
            match self.next_input(context) {
                Some(input) => self.step(input),
                None => return Poll::Pending,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Hands an input to the machine and does all that it says.
    fn step(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let moment = moment(&*self.clock, &mut self.jitter);
            self.machine.handle(moment, input);
            while let Some(output) = self.machine.poll() {
                if let Some(answer) = self.act(output) {
                    assert!(next.is_none(), "one input made two answers");
                    next = Some(answer);
                }
            }
        }
        self.alarm_is_old = true;
        self.publish();
    }

    fn act(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Abandon(id) => {
                if self.call.as_ref().is_some_and(|(call, _)| *call == id) {
                    dropped("the backend", self.call.take());
                }
            }
            Output::AbortWork => {
                self.drop_work(StopReason::ShutDown);
                return Some(Input::WorkEnded(WorkEnd::Returned));
            }
            Output::Ended => self.ended = true,
            Output::Event(event) => self.tell(&event),
            Output::NoteWritten(note) => self.note_written(&note),
            Output::Send(id, operation) => {
                self.calling = operation.name();
                self.call = Some((id, self.make_call(operation)));
            }
            Output::StartWork { note, token } => return self.start_work(note, token),
            Output::StopWork(reason) => self.stop_work(reason),
        }
        None
    }

    fn start_work(&mut self, note: Option<Note>, token: FencingToken) -> Option<Input> {
        let deadline = self
            .machine
            .deadline()
            .expect("a leadership that starts has a deadline");
        let validity = Arc::new(Validity::new(
            Arc::clone(&self.shared),
            Arc::clone(&self.clock),
            token,
            deadline,
            self.machine.grace(),
            note,
        ));
        self.validity = Some(Arc::clone(&validity));
        if let Some(watchdog) = &self.watchdog {
            watchdog.watch(Arc::clone(&validity));
        }
        self.publish();
        match catch_unwind(AssertUnwindSafe(|| {
            (self.make_work)(Leadership::new(validity))
        })) {
            Ok(work) => {
                self.work = Some(Box::pin(work));
                None
            }
            Err(payload) => Some(self.work_panicked(&*payload)),
        }
    }

    fn stop_work(&self, reason: StopReason) {
        let Some(validity) = &self.validity else {
            return;
        };
        if self.machine.deadline().is_some() {
            validity.drain(reason);
        } else {
            validity.end(reason);
        }
    }

    fn work_panicked(&mut self, payload: &(dyn std::any::Any + Send)) -> Input {
        let message = panic_message(payload);
        dropped("the work", self.work.take());
        self.leadership_ended(StopReason::WorkPanicked);
        self.decided(Ended::Panicked(message));
        Input::WorkEnded(WorkEnd::Panicked)
    }

    fn note_written(&self, note: &Note) {
        if let Some(validity) = &self.validity {
            validity.note_written(note);
        }
    }

    fn make_call(&self, operation: Operation) -> Call {
        let backend = Arc::clone(&self.backend);
        let candidate = self.candidate.clone();
        Box::pin(async move {
            match &operation {
                Operation::Acquire(claim) => backend.acquire(claim).await.map(Outcome::Acquired),
                Operation::Enlist => backend.enlist(&candidate).await.map(|()| Outcome::Done),
                Operation::Members => backend.members().await.map(Outcome::Members),
                Operation::Observe => backend.observe().await.map(Outcome::Observed),
                Operation::Release(release) => {
                    backend.release(release).await.map(Outcome::Released)
                }
                Operation::Renew(renewal) => backend.renew(renewal).await.map(Outcome::Renewed),
                Operation::Withdraw => backend.withdraw(&candidate).await.map(|()| Outcome::Done),
            }
        })
    }

    /// What the backend has answered, if it has.
    fn poll_call(&mut self, context: &mut Context<'_>) -> Option<Input> {
        let (id, call) = self.call.as_mut()?;
        let operation = *id;
        let outcome = match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
            Ok(Poll::Pending) => return None,
            Ok(Poll::Ready(Ok(outcome))) => {
                self.failing.retain(|(failing, _)| *failing != self.calling);
                outcome
            }
            Ok(Poll::Ready(Err(error))) => {
                self.tell_failure(&error);
                Outcome::Failed(Failure {
                    effect: error.effect(),
                    kind: error.kind(),
                })
            }
            Err(payload) => {
                let message = panic_message(&*payload);
                tracing::error!(target: "tenure", election = %self.shared.election, message, "the backend panicked");
                Outcome::Failed(Failure {
                    effect: Effect::Unknown,
                    kind: ErrorKind::Panicked,
                })
            }
        };
        dropped("the backend", self.call.take());
        Some(Input::Completed { operation, outcome })
    }

    fn poll_hint(&mut self, context: &mut Context<'_>) -> Option<Input> {
        let backend = &self.backend;
        let hint = self.hint.get_or_insert_with(|| {
            let backend = Arc::clone(backend);
            Box::pin(async move { backend.changed().await })
        });
        match catch_unwind(AssertUnwindSafe(|| hint.as_mut().poll(context))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(hint)) => {
                self.hint = None;
                Some(Input::Hinted(hint))
            }
            Err(payload) => {
                let message = panic_message(&*payload);
                tracing::error!(target: "tenure", election = %self.shared.election, message, "the backend's watch panicked: polling instead");
                self.hint = Some(Box::pin(std::future::pending()));
                Some(Input::Hinted(Hint::Watching(false)))
            }
        }
    }

    fn poll_work(&mut self, context: &mut Context<'_>) -> Option<Input> {
        let work = self.work.as_mut()?;
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(value)) => {
                let told = self
                    .validity
                    .as_ref()
                    .and_then(|validity| validity.stop_reason());
                dropped("the work", self.work.take());
                self.leadership_ended(StopReason::WorkEnded);
                self.decided(Ended::Returned { told, value });
                Some(Input::WorkEnded(WorkEnd::Returned))
            }
            Err(payload) => Some(self.work_panicked(&*payload)),
        }
    }

    fn decided(&mut self, ended: Ended<T>) {
        match (self.decide)(ended) {
            Next::Again { otherwise, wait } => {
                if self.shared.is_shutting_down() {
                    self.result = otherwise;
                }
                if let Some(wait) = wait {
                    self.give_way = Some(wait);
                }
            }
            Next::Finish(result) => {
                self.result = Some(result);
                self.shared.shut_down();
            }
        }
    }

    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Option<Input> {
        if self.alarm_is_old {
            self.alarm_is_old = false;
            let now = self.clock.now();
            self.alarm = self
                .machine
                .wake_after(now)
                .map(|wait| self.clock.sleep(wait.into()));
        }
        let alarm = self.alarm.as_mut()?;
        match alarm.as_mut().poll(context) {
            Poll::Pending => None,
            Poll::Ready(()) => {
                self.alarm = None;
                Some(Input::Tick)
            }
        }
    }

    /// The next thing that has happened, looked for in a fixed order.
    fn next_input(&mut self, context: &mut Context<'_>) -> Option<Input> {
        if let Some(input) = self.shared.next_input(context.waker()) {
            return Some(input);
        }
        if let Some(wait) = self.give_way.take() {
            return Some(Input::GiveWay(wait));
        }
        self.poll_call(context)
            .or_else(|| self.poll_work(context))
            .or_else(|| self.wanted_note().map(Input::WriteNote))
            .or_else(|| self.poll_alarm(context))
            .or_else(|| self.poll_hint(context))
    }

    /// The note that the work wants next, once.
    fn wanted_note(&self) -> Option<Note> {
        let note = self.validity.as_ref()?.next_note()?;
        (self.machine.wanted_note() != Some(&note) && self.machine.deadline().is_some())
            .then_some(note)
    }

    /// Shows what the machine has come to.
    fn publish(&self) {
        let machine = &self.machine;
        if let Some(validity) = &self.validity {
            validity.update(machine.deadline(), machine.in_jeopardy());
        }
        self.shared.update_view(|view| {
            view.state = machine.state();
            view.token = machine.token();
            if view.leader.as_ref() != machine.leader() {
                view.leader = machine.leader().cloned();
            }
            if view.members != machine.members() {
                view.members = machine.members().to_vec();
            }
            if view.observation.as_ref() != machine.observation() {
                let now = machine.last_reading();
                let before = view.observation.as_deref().zip(view.observed_at);
                let clock = before.zip(machine.observation().map(Arc::as_ref)).and_then(
                    |(before, after)| LeaderClock::between(before, (after, now), &view.candidate),
                );
                view.leader_clock = clock.or(view.leader_clock);
                view.observation = machine.observation().cloned();
                view.observed_at = Some(now);
            }
        });
    }
}

impl<W, F, D, R> Driver<'_, W, F, D, R> {
    fn tell(&self, event: &Event) {
        tell(&self.shared, event);
        self.shared.publish(event);
    }

    /// Drops the work and everything that it borrows, before anybody is told that it has stopped.
    fn drop_work(&mut self, reason: StopReason) {
        dropped("the work", self.work.take());
        self.leadership_ended(reason);
    }

    fn leadership_ended(&mut self, otherwise: StopReason) {
        if let Some(validity) = self.validity.take() {
            let reason = validity.stop_reason().unwrap_or(otherwise);
            validity.end(reason);
            validity.set_work_stopped();
        }
    }

    /// Tells what failed, once as long as it lasts: the machine tries again by itself.
    fn tell_failure(&mut self, error: &Error) {
        let failure = (self.calling, error.kind());
        let election = self.shared.election.as_str();
        let candidate = self.candidate.name.as_str();
        if self.failing.contains(&failure) {
            tracing::debug!(target: "tenure", election, candidate, %error, "still failing");
        } else {
            tracing::warn!(target: "tenure", election, candidate, "{error}; trying again");
        }
        self.failing.retain(|(failing, _)| *failing != failure.0);
        self.failing.push(failure);
    }
}

impl<W, F, D, R> Drop for Driver<'_, W, F, D, R> {
    fn drop(&mut self) {
        if !self.ended {
            let token = self.machine.token();
            self.drop_work(StopReason::Dropped);
            dropped("the backend", (self.call.take(), self.hint.take()));
            // Only now is there nothing left that the lock protects.
            let backend = Arc::clone(&self.backend);
            quietly("the backend", || backend.abandon());
            if let Some(token) = token {
                tracing::warn!(target: "tenure", election = %self.shared.election, %token,
                    "the elector was dropped while it led: the lock ends with its session, or ages");
                self.shared.publish(&Event::Stopped {
                    reason: StopReason::Dropped,
                    token,
                });
            }
        }
        self.shared.update_view(|view| {
            view.state = State::Ended;
            view.token = None;
            // Whoever holds the lock now, it is not led from here.
            view.leader = view
                .leader
                .take()
                .filter(|leader| !leader.is(&view.candidate));
        });
        self.shared.forget_wishes();
        self.shared.hub.set_ended(true);
    }
}

/// Drops somebody else's value, whose `Drop` may panic: that must not keep the election from going on.
fn dropped<T>(whose: &'static str, value: T) {
    quietly(whose, || drop(value));
}

fn quietly(whose: &'static str, action: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(action)) {
        let message = panic_message(&*payload);
        tracing::error!(target: "tenure", message, "{whose} panicked while it was dropped");
    }
}

fn moment(clock: &dyn Clock, jitter: &mut SplitMix64) -> Moment {
    Moment {
        jitter: jitter.next_u32(),
        reading: clock.now(),
        wall: clock.wall(),
    }
}
