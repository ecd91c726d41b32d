//! How requests, replies and hints get from one side to the other.

use tenure_core::backend::{Acquired, Hint, Observation, Released, Renewed};
use tenure_core::machine::{Failure, Input, Moment, Operation, OperationId, Outcome};
use tenure_core::memory::{Reply, Request, SessionId, Told};
use tenure_core::{CandidateId, Effect, Error, ErrorKind, Nanos};

use super::event::{Event, Hinted};
use super::node::Process;
use super::world::{UP, World, index};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::Refusal;
use crate::planted::{self, Distortion};
use crate::trace::{self, Life, RequestId, What};
use crate::world::{Applied, Caller, Expired, Server, basis};

/// How long a client waits until it connects again, in nanoseconds.
const CONNECTS_AFTER: u64 = 100_000_000;
const SECOND: u64 = 1_000_000_000;

/// A request on its way, and its answer.
#[derive(Clone, Debug)]
pub(super) struct Call {
    caller: Caller,
    /// Its connection is gone, and it with it, if it has not landed.
    pub(super) cut: bool,
    landed: bool,
    number: RequestId,
    outcome: Option<Outcome>,
    reply: Option<u64>,
    request: Request,
    reset: Option<u64>,
}

impl Call {
    pub(super) fn life(&self) -> Life {
        self.caller.life
    }
}

impl World<'_> {
    /// Sends a request. From here on its effect belongs to the world.
    pub(super) fn send(
        &mut self,
        node: usize,
        moment: Moment,
        id: OperationId,
        operation: Operation,
    ) {
        self.abandon(node, None);
        self.requests = self.requests.wrapping_add(1);
        let number = RequestId(self.requests);
        let leased = self.server.is_leased();
        let at = &mut self.nodes[node];
        let process = at.process.as_mut().expect(UP);
        if let Operation::Acquire(_) | Operation::Renew(_) = operation {
            process.sends(moment.reading, self.now);
        }
        process.call = Some((id, number));
        let caller = Caller {
            life: process.life,
            node: index(node),
            session: process.session,
        };
        let candidate = &process.id;
        let request = request(operation, candidate);
        let route = at.link.route();
        let call = self.calls.insert(Call {
            caller,
            cut: false,
            landed: false,
            number,
            outcome: None,
            reply: route.reply,
            request,
            reset: route.reset,
        });
        let sent = What::Sent {
            request: number,
            operation: kind(&self.calls.at(call).request),
            basis: basis(&self.calls.at(call).request),
        };
        self.record(node, sent);
        if let (Some(again), true) = (route.again, leased) {
            self.refer(call, again, Event::Land { call });
        }
        match route.request {
            Some(takes) => {
                let arrives = self.arrival(node, takes);
                self.calls.refer(call);
                self.at(arrives, Event::Land { call });
            }
            None => self.break_off(call),
        }
        self.calls.sweep(call);
    }

    /// When a request lands that is sent now: on a session not before those that were sent earlier.
    fn arrival(&mut self, node: usize, takes: u64) -> TrueTime {
        let arrives = TrueTime::from_nanos(self.now.nanos().saturating_add(takes));
        if self.server.is_leased() {
            return arrives;
        }
        let last = &mut self.nodes[node].link.arrives;
        *last = arrives.max(TrueTime::from_nanos(last.nanos() + 1));
        *last
    }

    fn refer(&mut self, call: u32, nanos: u64, event: Event) {
        self.calls.refer(call);
        self.after(nanos, event);
    }

    /// Something of a call was lost: its sender may learn of that, or not.
    fn break_off(&mut self, call: u32) {
        if let Some(reset) = self.calls.at(call).reset {
            self.refer(call, reset, Event::Lost { call });
        }
    }

    /// The candidate waits no longer for its call.
    pub(super) fn abandon(&mut self, node: usize, only: Option<OperationId>) {
        let process = self.nodes[node].process.as_mut().expect(UP);
        let given_up = process
            .call
            .take_if(|(id, _)| only.is_none_or(|only| only == *id));
        if let Some((_, request)) = given_up {
            self.record(node, What::Abandoned { request });
        }
    }

    fn is_awaited(&self, call: u32) -> bool {
        let Call { caller, number, .. } = self.calls.at(call);
        let process = self.nodes[usize::from(caller.node)].process.as_ref();
        process.is_some_and(|process| {
            process.life == caller.life && process.call.is_some_and(|(_, waits)| waits == *number)
        })
    }

    /// A request reaches the store.
    pub(super) fn land(&mut self, call: u32, event: Event) {
        let Call { caller, cut, .. } = *self.calls.at(call);
        let node = usize::from(caller.node);
        let link = &self.nodes[node].link.condition;
        if link.clogged {
            return self.nodes[node].clogged.push(event);
        }
        if cut {
            return self.calls.forget(call);
        }
        if link.requests.cut {
            // Nobody is told.
            return self.calls.forget(call);
        }
        if self.conditions.dark {
            self.break_off(call);
            return self.calls.forget(call);
        }
        if self.conditions.hangs {
            return self.hung.push(call);
        }
        self.take_in(call);
        self.calls.forget(call);
    }

    /// The store does what it does.
    pub(super) fn take_in(&mut self, call: u32) {
        let Call {
            caller,
            number,
            landed,
            ..
        } = *self.calls.at(call);
        let node = usize::from(caller.node);
        let what = What::Landed {
            request: number,
            zombie: !self.is_awaited(call),
        };
        self.record(node, what);
        let outcome = match self.conditions.refuses {
            Some(refusal) => Outcome::Failed(refused(refusal, &mut self.draw)),
            None => self.apply(call, caller),
        };
        if landed {
            // What comes a second time is answered to nobody.
            return;
        }
        let at = self.calls.at_mut(call);
        at.landed = true;
        at.outcome = Some(outcome);
        match at.reply {
            Some(takes) => self.refer(call, takes, Event::Answer { call }),
            None => self.break_off(call),
        }
    }

    fn apply(&mut self, call: u32, caller: Caller) -> Outcome {
        let request = &self.calls.at(call).request;
        let write = !matches!(request, Request::Observe | Request::Members);
        let Applied {
            outcome,
            told,
            wrote,
        } = self.server.apply(self.now, caller, request);
        self.spread(told, wrote, Some(caller));
        let late = self.conditions.applied_timeout;
        if write && late > 0 && self.draw.happens(u64::from(late)) {
            return Outcome::Failed(Failure {
                effect: Effect::Unknown,
                kind: ErrorKind::Timeout,
            });
        }
        outcome
    }

    /// A reply reaches its caller.
    pub(super) fn answer(&mut self, call: u32, event: Event) {
        let caller = self.calls.at(call).caller;
        let node = usize::from(caller.node);
        let link = &self.nodes[node].link.condition;
        if link.clogged {
            return self.nodes[node].clogged.push(event);
        }
        if !link.replies.cut && self.is_awaited(call) {
            if !self.has_time(node, caller.life, event) {
                return;
            }
            let at = self.calls.at_mut(call);
            let outcome = at.outcome.take().expect("a request is answered once");
            self.complete(node, call, outcome);
        }
        self.calls.forget(call);
    }

    /// A caller learns that its connection broke.
    pub(super) fn lost(&mut self, call: u32, event: Event) {
        let caller = self.calls.at(call).caller;
        let node = usize::from(caller.node);
        if self.is_awaited(call) {
            if !self.has_time(node, caller.life, event) {
                return;
            }
            let effect = self
                .calls
                .at(call)
                .request
                .operation()
                .effect_without_answer();
            let kind = ErrorKind::Unavailable;
            self.complete(node, call, Outcome::Failed(Failure { effect, kind }));
        }
        self.calls.forget(call);
    }

    fn complete(&mut self, node: usize, call: u32, outcome: Outcome) {
        let Call { number, .. } = *self.calls.at(call);
        let (id, _) = self.nodes[node]
            .process
            .as_mut()
            .expect(UP)
            .call
            .take()
            .expect("an answer is awaited");
        let outcome = match self.distortion {
            Some(distortion) => self.falsified(distortion, call, outcome),
            None => outcome,
        };
        let answer = answer(&outcome);
        let request = number;
        self.record(node, What::Answered { request, answer });
        if let Some(observation) = shown(&outcome) {
            let observed = observed(observation, false);
            self.record(node, observed);
        }
        self.know_session(node);
        self.drive(
            node,
            Input::Completed {
                operation: id,
                outcome,
            },
        );
    }

    /// What a planted mistake makes of an answer.
    fn falsified(&mut self, distortion: Distortion, call: u32, outcome: Outcome) -> Outcome {
        let Call {
            caller, request, ..
        } = self.calls.at(call).clone();
        let mut behind = Behind {
            caller,
            now: self.now,
            server: &mut self.server,
            spread: Vec::new(),
        };
        let answer = distortion.falsify(&mut behind, &request, reply(outcome));
        for (told, wrote) in std::mem::take(&mut behind.spread) {
            self.spread(told, wrote, Some(caller));
        }
        crate::world::outcome(answer)
    }

    /// A client that hears from its server learns whether its session has ended, and then begins another.
    fn know_session(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        let process = at.process.as_mut().expect(UP);
        if !self.server.is_open(process.session) {
            let timeout = Nanos::from(at.timing.lease_duration()).get();
            let life = process.life;
            process.session = self.server.open(self.now, index(node), life, timeout);
        }
    }

    /// Tells everybody what changed.
    pub(super) fn spread(&mut self, told: Told, wrote: Option<What>, by: Option<Caller>) {
        if let Some(wrote) = wrote {
            let node = by.map(|by| NodeId(by.node));
            self.chronicle.record(self.now, node, wrote);
        }
        if told == Told::Nothing || self.conditions.mute {
            return;
        }
        let shown = told == Told::Lock && self.shows && self.server.is_leased();
        let hinted = match told {
            Told::Lock if shown => Hinted::Seen(self.hints.insert(self.server.observe())),
            Told::Lock => Hinted::Changed,
            _ => Hinted::Members,
        };
        for node in 0..self.nodes.len() {
            let Some(life) = self.nodes[node].life() else {
                continue;
            };
            if shown || by.is_none_or(|by| by.life != life) {
                self.send_hint(node, life, hinted, self.conditions.stale);
            }
        }
        if let Hinted::Seen(seen) = hinted {
            self.hints.sweep(seen);
        }
    }

    fn send_hint(&mut self, node: usize, life: Life, told: Hinted, late: u64) {
        let Some(takes) = self.nodes[node].link.hint() else {
            return;
        };
        if let Hinted::Seen(seen) = told {
            self.hints.refer(seen);
        }
        let node = index(node);
        self.after(takes.saturating_add(late), Event::Hint { life, node, told });
    }

    /// A hint reaches a candidate.
    pub(super) fn hint(&mut self, node: usize, life: Life, told: Hinted, event: Event) {
        let link = &self.nodes[node].link.condition;
        if link.clogged {
            return self.nodes[node].clogged.push(event);
        }
        let arrives = self.nodes[node].life() == Some(life) && !link.replies.cut;
        if arrives && !self.has_time(node, life, event) {
            return;
        }
        let hint = match told {
            Hinted::Changed => Hint::Changed,
            Hinted::Disconnected => Hint::Disconnected,
            Hinted::Members => Hint::MembersChanged,
            Hinted::Seen(seen) => Hint::Seen(self.hints.at(seen).clone()),
            Hinted::Watching(watching) => Hint::Watching(watching),
        };
        if let Hinted::Seen(seen) = told {
            self.hints.forget(seen);
        }
        if !arrives {
            return;
        }
        if let Hint::Seen(observation) = &hint {
            let observed = observed(observation, true);
            self.record(node, observed);
        }
        self.know_session(node);
        self.drive(node, Input::Hinted(hint));
    }

    /// What a candidate that has just started is told, and what its client does by itself.
    pub(super) fn greet(&mut self, node: usize, life: Life) {
        if !self.plan.server.silent && !self.conditions.mute {
            self.send_hint(node, life, Hinted::Watching(true), 0);
        }
        self.schedule_ping(node, life);
    }

    /// Tells all candidates whether they are told of changes.
    pub(super) fn tell_watching(&mut self, watching: bool) {
        for node in 0..self.nodes.len() {
            if let Some(life) = self.nodes[node].life() {
                self.send_hint(node, life, Hinted::Watching(watching), 0);
            }
        }
    }

    /// The connection of a node breaks: whoever waits is told so, whatever the store did, and it connects again.
    pub(super) fn reset(&mut self, node: usize) {
        let Some(life) = self.nodes[node].life() else {
            return;
        };
        for call in 0..self.calls.places() {
            let theirs = self.calls.get(call).is_some_and(|at| at.life() == life);
            if theirs && self.is_awaited(call) {
                self.refer(call, 0, Event::Lost { call });
            }
        }
        let node = index(node);
        let broke = match (self.server.is_leased(), self.plan.server.silent) {
            (true, true) => return,
            (true, false) => Hinted::Watching(false),
            (false, _) => Hinted::Disconnected,
        };
        let told = broke;
        self.after(0, Event::Hint { life, node, told });
        if !self.conditions.mute {
            let told = Hinted::Watching(true);
            self.after(CONNECTS_AFTER, Event::Hint { life, node, told });
        }
    }

    fn schedule_ping(&mut self, node: usize, life: Life) {
        if self.server.counts_sessions() {
            let third = self.nodes[node].timing.lease_duration() / 3;
            let third = Nanos::from(third).get();
            let node = index(node);
            self.after(third, Event::Ping { life, node });
        }
    }

    /// Keeps a session alive as a client's library does, whatever the election does: it proves nothing to anybody.
    pub(super) fn ping(&mut self, node: usize, life: Life) {
        let at = &self.nodes[node];
        let Some(process) = at.process.as_ref().filter(|process| process.life == life) else {
            return;
        };
        let link = &at.link.condition;
        let arrives = at.frozen.is_none() && !link.requests.cut && !link.clogged;
        if arrives && !self.conditions.dark {
            self.server.hear(self.now, process.session);
        }
        self.schedule_ping(node, life);
    }

    /// Ends the sessions that have expired.
    pub(super) fn reap(&mut self) {
        if !self.conditions.dark {
            while let Some(expired) = self.server.expire(self.now) {
                self.session_ended(expired);
            }
        }
        let next = self.server.next_expiry();
        let soon = TrueTime::from_nanos(self.now.nanos() + SECOND);
        let next = next.map_or(soon, |next| {
            next.max(self.now.plus(std::time::Duration::from_nanos(1)))
        });
        // Sessions that begin meanwhile expire later than that.
        let shortest = TrueTime::from_nanos(self.now.nanos() + SECOND);
        let next = if self.conditions.dark {
            soon
        } else {
            next.min(shortest)
        };
        self.at(next, Event::Reap);
    }

    pub(super) fn session_ended(&mut self, ended: (Expired, Told, Option<What>)) {
        let (Expired { life, node, .. }, told, wrote) = ended;
        self.record_of_world(What::SessionEnded { life });
        self.spread(told, wrote, None);
        let node = usize::from(node);
        if self.nodes[node].life() == Some(life) {
            self.send_hint(node, life, Hinted::Disconnected, 0);
        }
    }

    /// A candidate that has ended closes its session: the server hears of that later, or never.
    pub(super) fn hang_up(&mut self, node: usize, process: &Process) {
        let route = self.nodes[node].link.route();
        if let Some(takes) = route.request {
            let arrives = self.arrival(node, takes);
            let session = process.session;
            self.at(arrives, Event::Close { session });
        }
    }

    /// A session's end reaches the server.
    pub(super) fn close(&mut self, session: SessionId) {
        if !self.conditions.dark {
            let (told, wrote) = self.server.close(session);
            self.spread(told, wrote, None);
        }
    }
}

fn request(operation: Operation, candidate: &CandidateId) -> Request {
    match operation {
        Operation::Acquire(claim) => Request::Acquire(claim),
        Operation::Enlist => Request::Enlist(candidate.clone()),
        Operation::Members => Request::Members,
        Operation::Observe => Request::Observe,
        Operation::Release(release) => Request::Release(release),
        Operation::Renew(renewal) => Request::Renew(renewal),
        Operation::Withdraw => Request::Withdraw(candidate.clone()),
    }
}

fn kind(request: &Request) -> trace::Operation {
    match request {
        Request::Acquire(_) => trace::Operation::Acquire,
        Request::Enlist(_) => trace::Operation::Enlist,
        Request::Members => trace::Operation::Members,
        Request::Observe => trace::Operation::Observe,
        Request::Release(_) => trace::Operation::Release,
        Request::Renew(_) => trace::Operation::Renew,
        Request::Submit(_) => trace::Operation::Submit,
        Request::Withdraw(_) => trace::Operation::Withdraw,
    }
}

fn refused(refusal: Refusal, draw: &mut crate::random::Stream) -> Failure {
    let kind = match refusal {
        Refusal::Forbidden => ErrorKind::PermissionDenied,
        Refusal::Throttled => ErrorKind::Throttled {
            retry_after: Some(std::time::Duration::from_secs(draw.within(1..=5))),
        },
        Refusal::Unavailable => ErrorKind::Unavailable,
    };
    Failure {
        effect: Effect::NotApplied,
        kind,
    }
}

fn answer(outcome: &Outcome) -> trace::Answer {
    match outcome {
        Outcome::Acquired(Acquired::Busy(_))
        | Outcome::Released(Released::Conflict(_))
        | Outcome::Renewed(Renewed::Conflict(_)) => trace::Answer::Conflict,
        Outcome::Failed(failure) => match failure.effect {
            Effect::NotApplied => trace::Answer::Failed,
            Effect::Unknown => trace::Answer::Unknown,
        },
        _ => trace::Answer::Done,
    }
}

/// What an answer shows of the lock, where it does.
fn shown(outcome: &Outcome) -> Option<&Observation> {
    match outcome {
        Outcome::Observed(observation) => Some(observation),
        Outcome::Acquired(Acquired::Busy(seen))
        | Outcome::Released(Released::Conflict(seen))
        | Outcome::Renewed(Renewed::Conflict(seen)) => seen.as_ref(),
        _ => None,
    }
}

fn observed(observation: &Observation, maybe_stale: bool) -> What {
    What::Observed {
        token: observation.token.map(|token| token.value()),
        version: observation.version.map(|version| version.0),
        maybe_stale,
    }
}

/// The store as a planted mistake reaches behind it.
#[derive(Debug)]
struct Behind<'a> {
    caller: Caller,
    now: TrueTime,
    server: &'a mut Server,
    spread: Vec<(Told, Option<What>)>,
}

impl planted::Store for Behind<'_> {
    fn observation(&self) -> Observation {
        self.server.observe()
    }

    fn apply(&mut self, request: &Request) -> Result<Reply, Error> {
        let applied = self.server.apply(self.now, self.caller, request);
        self.spread.push((applied.told, applied.wrote));
        reply(applied.outcome)
    }
}

/// The answer of a store that an outcome came from.
fn reply(outcome: Outcome) -> Result<Reply, Error> {
    Ok(match outcome {
        Outcome::Acquired(acquired) => Reply::Acquired(acquired),
        Outcome::Done => Reply::Done,
        Outcome::Failed(Failure { effect, kind }) => {
            return Err(Error::new(kind, effect, "call", "sim", ""));
        }
        Outcome::Members(members) => Reply::Members(members),
        Outcome::Observed(observation) => Reply::Observed(observation),
        Outcome::Released(released) => Reply::Released(released),
        Outcome::Renewed(renewed) => Reply::Renewed(renewed),
    })
}
