use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::backend::{
    Acquired, Basis, Claim, Hold, Holder, LockState, Observation, Release, Released, Renewal,
    Renewed,
};
use tenure_core::event::StopReason;
use tenure_core::machine::{Input, Moment, Operation, OperationId, Outcome, Output};
use tenure_core::{CandidateId, FencingToken, Identity, Nanos, Reading, Version, WallTime};

use super::model::{self, Answer, Ask, Call, Lease, Model, Now};
use crate::machines::{Belief, Candidate};

/// How long a pod waits until it makes itself known once more, when that got no answer.
const ENLISTS_AGAIN_AFTER: Nanos = Nanos::from_millis(2_000);

/// A candidate of another make on a node of the machine tier: its requests in the words of our store.
///
/// | it asks for | the store is asked for |
/// | --- | --- |
/// | GET of the Lease | a read |
/// | POST | an acquisition of a missing record |
/// | PUT that names itself | a renewal, where the record names this very candidate; an acquisition against the version otherwise |
/// | PUT that names nobody | a release by whomever the record names |
/// | GET of the pods | the members |
#[derive(Debug)]
pub(super) struct Seat {
    asked: Option<Asked>,
    belief: Option<Belief>,
    calls: u64,
    /// When the model wants to be woken, by the clock that stops in suspend.
    due: Option<Nanos>,
    enlists: Enlists,
    id: CandidateId,
    model: Box<dyn Model>,
    outputs: VecDeque<Output>,
    seen: Option<Seen>,
    /// When the newest write was sent.
    wrote_at: Reading,
}

/// Whether the candidate shows itself as a member before it does anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Enlists {
    First,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asked {
    basis: Option<Version>,
    call: Call,
    operation: OperationId,
}

/// The record as it was last read or written by this candidate.
#[derive(Clone, Debug)]
struct Seen {
    holder: Option<Holder>,
    identity: Identity,
    token: Option<FencingToken>,
    version: Version,
}

impl Seat {
    pub(super) fn new(id: CandidateId, model: Box<dyn Model>, enlists: Enlists) -> Self {
        Self {
            asked: None,
            belief: None,
            calls: 0,
            due: None,
            enlists,
            id,
            model,
            outputs: VecDeque::new(),
            seen: None,
            wrote_at: Reading::default(),
        }
    }

    fn tell(&mut self, now: Moment, input: model::Input) {
        let told = Now {
            clock: now.reading.raw,
            jitter: now.jitter,
            wall: now.wall,
        };
        self.model.handle(told, input);
        while let Some(output) = self.model.poll() {
            self.act(now, output);
        }
        self.due = self.model.due(told);
    }

    fn act(&mut self, now: Moment, output: model::Output) {
        match output {
            model::Output::Abandon(call) => {
                if let Some(asked) = self.asked.take_if(|asked| asked.call == call) {
                    self.outputs.push_back(Output::Abandon(asked.operation));
                }
            }
            model::Output::Ended => self.outputs.push_back(Output::Ended),
            model::Output::Send(call, ask) => self.send(now, call, ask),
            model::Output::Start => {
                let token = self.seen.as_ref().and_then(|seen| seen.token);
                let token = token.or(FencingToken::new(1)).expect("one is a token");
                self.belief = Some(Belief {
                    length: None,
                    since: self.wrote_at,
                    token: token.value(),
                });
                self.outputs
                    .push_back(Output::StartWork { note: None, token });
            }
            model::Output::Stop => {
                self.belief = None;
                let stop = Output::StopWork(StopReason::DeadlinePassed);
                self.outputs.push_back(stop);
            }
        }
    }

    fn send(&mut self, now: Moment, call: Call, ask: Ask) {
        let (basis, operation) = match ask {
            Ask::Get => (None, Operation::Observe),
            Ask::Pods => (None, Operation::Members),
            Ask::Create(lease) => (None, self.claim(Basis::Missing, &lease)),
            Ask::Update(version, lease) => (Some(version), self.update(version, &lease)),
        };
        if matches!(operation, Operation::Acquire(_) | Operation::Renew(_)) {
            self.wrote_at = now.reading;
        }
        self.make(operation, |operation| Asked {
            basis,
            call,
            operation,
        });
    }

    fn make(&mut self, operation: Operation, asked: impl FnOnce(OperationId) -> Asked) {
        self.calls += 1;
        let id = OperationId::new(self.calls);
        self.asked = Some(asked(id));
        self.outputs.push_back(Output::Send(id, operation));
    }

    fn claim(&self, basis: Basis, lease: &Lease) -> Operation {
        Operation::Acquire(Claim {
            basis,
            candidate: self.id.clone(),
            lease_duration: lease.duration.into(),
            nonce: lease.nonce,
            wall: lease.renewed,
        })
    }

    fn update(&self, version: Version, lease: &Lease) -> Operation {
        let claim = || self.claim(Basis::At(version), lease);
        let Some(seen) = &self.seen else {
            return claim();
        };
        let (Some(holder), Some(token)) = (&seen.holder, seen.token) else {
            return claim();
        };
        let hold = Hold {
            identity: seen.identity,
            token,
            version,
        };
        if lease.holder.is_none() {
            // The store takes a release from the holder alone, and whoever writes the whole record may be anybody.
            let incarnation = holder.incarnation().unwrap_or(self.id.incarnation);
            let name = self.id.name.clone();
            return Operation::Release(Release {
                candidate: CandidateId { name, incarnation },
                hold,
                wall: lease.renewed,
            });
        }
        if !holder.is(&self.id) {
            return claim();
        }
        Operation::Renew(Renewal {
            candidate: self.id.clone(),
            hold,
            lease_duration: lease.duration.into(),
            nonce: lease.nonce,
            note: None,
            wall: lease.renewed,
        })
    }

    fn answer(&mut self, asked: Asked, outcome: Outcome) -> Answer {
        match outcome {
            Outcome::Acquired(Acquired::Granted(grant)) => {
                let hold = grant.hold;
                self.seen = Some(Seen {
                    holder: Some(Holder::from(&self.id)),
                    identity: hold.identity,
                    token: Some(hold.token),
                    version: hold.version,
                });
                Answer::Written(hold.version)
            }
            Outcome::Renewed(Renewed::Confirmed(receipt)) => {
                if let Some(seen) = &mut self.seen {
                    seen.version = receipt.version;
                }
                Answer::Written(receipt.version)
            }
            Outcome::Released(Released::Vacated) => {
                Answer::Written(asked.basis.unwrap_or(Version(0)))
            }
            Outcome::Acquired(Acquired::Busy(found))
            | Outcome::Renewed(Renewed::Conflict(found))
            | Outcome::Released(Released::Conflict(found)) => match found {
                Some(found) if found.version.is_none() && asked.basis.is_some() => Answer::Missing,
                _ => Answer::Conflict,
            },
            Outcome::Observed(observation) => self.observed(&observation),
            Outcome::Members(members) => {
                let names = members.iter().map(|member| Arc::from(member.name.as_ref()));
                Answer::Pods(names.collect())
            }
            Outcome::Done | Outcome::Failed(_) => Answer::Failed,
        }
    }

    fn observed(&mut self, observation: &Observation) -> Answer {
        let Some(version) = observation.version else {
            self.seen = None;
            return Answer::Missing;
        };
        let (identity, holder, duration, nonce) = match &observation.lock {
            LockState::Held(held) => (
                held.identity,
                Some(&held.holder),
                held.duration.unwrap_or(Duration::ZERO),
                held.nonce,
            ),
            LockState::Vacant { identity, .. } => {
                let nonce = tenure_core::Nonce(version.0);
                (*identity, None, Duration::from_secs(1), nonce)
            }
            LockState::Missing | LockState::NeverHeld => {
                self.seen = None;
                return Answer::Missing;
            }
        };
        self.seen = Some(Seen {
            holder: holder.cloned(),
            identity,
            token: observation.token,
            version,
        });
        let lease = Lease {
            duration: duration.into(),
            holder: holder.map(|holder| Arc::from(holder.name())),
            nonce,
            renewed: observation.written.unwrap_or(WallTime::from_unix_micros(0)),
        };
        Answer::Read(lease, version)
    }

    /// Whether the candidate is not yet known as a member: nothing else is done before it is.
    fn enlist(&mut self, now: Moment, input: &Input) -> bool {
        if self.enlists == Enlists::Never {
            return false;
        }
        if let Input::Completed {
            outcome: Outcome::Done,
            ..
        } = input
        {
            self.enlists = Enlists::Never;
            self.asked = None;
            self.tell(now, model::Input::Tick);
        } else if self.due.is_none_or(|due| due <= now.reading.raw) {
            self.make(Operation::Enlist, |operation| Asked {
                basis: None,
                call: Call(0),
                operation,
            });
            self.due = Some(now.reading.raw.saturating_add(ENLISTS_AGAIN_AFTER));
        }
        true
    }
}

impl Candidate for Seat {
    fn handle(&mut self, now: Moment, input: Input) {
        if self.enlist(now, &input) {
            return;
        }
        match input {
            Input::Completed { operation, outcome } => {
                let mine = |asked: &mut Asked| asked.operation == operation;
                if let Some(asked) = self.asked.take_if(mine) {
                    let answer = self.answer(asked, outcome);
                    self.tell(now, model::Input::Answered(asked.call, answer));
                }
            }
            Input::ShutDown => self.tell(now, model::Input::ShutDown),
            Input::Tick => self.tell(now, model::Input::Tick),
            // They look at no hints, know no operators' requests, and do not care how their work ended.
            _ => {}
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn wake_after(&self, now: Reading) -> Option<Nanos> {
        Some(self.due?.saturating_sub(now.raw))
    }

    fn belief(&self) -> Option<Belief> {
        self.belief
    }
}
