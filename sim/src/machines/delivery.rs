//! How requests, replies and hints get from one side to the other.

use tenure_core::backend::{Acquired, Observation, Released, Renewed};
use tenure_core::machine::{Failure, Input, Moment, Operation, OperationId, Outcome};
use tenure_core::memory::{Reply, Request, Told};
use tenure_core::{CandidateId, Effect, Error, ErrorKind};

use super::event::Event;
use super::world::{UP, World, index};
use crate::TrueTime;
use crate::plan::Refusal;
use crate::planted::{self, Distortion};
use crate::trace::{self, Life, RequestId, What};
use crate::world::{Applied, Caller, Server, basis};

/// A request on its way, and its answer.
#[derive(Clone, Debug)]
pub(super) struct Call {
    caller: Caller,
    /// Its connection is gone, and it with it, if it has not landed.
    pub(super) cut: bool,
    landed: bool,
    number: RequestId,
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
    pub(super) fn arrival(&mut self, node: usize, takes: u64) -> TrueTime {
        let arrives = TrueTime::from_nanos(self.now.nanos().saturating_add(takes));
        if self.server.is_leased() {
            return arrives;
        }
        let last = &mut self.nodes[node].link.arrives;
        *last = arrives.max(TrueTime::from_nanos(last.nanos() + 1));
        *last
    }

    pub(super) fn refer(&mut self, call: u32, nanos: u64, event: Event) {
        self.calls.refer(call);
        self.after(nanos, event);
    }

    /// Something of a call was lost: its sender may learn of that, or not.
    pub(super) fn break_off(&mut self, call: u32) {
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

    pub(super) fn is_awaited(&self, call: u32) -> bool {
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
        self.keep_outcome(call, outcome);
        let at = self.calls.at_mut(call);
        at.landed = true;
        match at.reply {
            Some(takes) => self.refer(call, takes, Event::Answer { call }),
            None => self.break_off(call),
        }
    }

    pub(super) fn keep_outcome(&mut self, call: u32, outcome: Outcome) {
        let place = call as usize;
        if self.outcomes.len() <= place {
            self.outcomes.resize_with(place + 1, || None);
        }
        self.outcomes[place] = Some(outcome);
    }

    pub(super) fn apply(&mut self, call: u32, caller: Caller) -> Outcome {
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
            let outcome = self.outcomes[call as usize].take();
            let outcome = outcome.expect("a request is answered once");
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

    pub(super) fn complete(&mut self, node: usize, call: u32, outcome: Outcome) {
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
    pub(super) fn falsified(
        &mut self,
        distortion: Distortion,
        call: u32,
        outcome: Outcome,
    ) -> Outcome {
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

pub(super) fn observed(observation: &Observation, maybe_stale: bool) -> What {
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
