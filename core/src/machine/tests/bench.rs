use std::time::Duration;

use crate::backend::{
    Acquired, Basis, Claim, Grant, Held, Hold, Holder, LockKind, LockState, Note, Observation,
    OperatorRequest, Proof, Release, ReleaseMark, Released, Renewal, RenewalReceipt, Renewed,
    Vacancy,
};
use crate::event::{Event, StopReason};
use crate::machine::{
    Eligibility, Failure, Input, Machine, Membership, Moment, OnMissing, Operation, OperationId,
    Outcome, Output, Settings, WorkEnd,
};
use crate::timing::Timing;
use crate::{
    CandidateId, CandidateName, Effect, ErrorKind, FencingToken, Identity, Incarnation, Nanos,
    Nonce, Reading, Version, WallTime,
};

/// Our lock's identity, unless a test says another.
pub(super) const LOCK: Identity = Identity(7);

/// One machine whose clocks, answers and hints are moved by hand.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Bench {
    pub(super) aborted: bool,
    /// The call that is under way.
    pub(super) call: Option<(OperationId, Operation)>,
    /// A call to be shown as a member, which is answered at once.
    enlisting: Option<OperationId>,
    /// Whether such calls are answered by the test itself.
    pub(super) enlists_by_hand: bool,
    pub(super) ended: bool,
    /// All events so far that were not taken.
    pub(super) events: Vec<Event>,
    pub(super) machine: Machine,
    pub(super) now: Reading,
    /// What the work was told, in order.
    pub(super) told: Vec<StopReason>,
    /// How many calls were sent so far.
    pub(super) calls: usize,
    pub(super) notes: Vec<Note>,
    pub(super) work: Option<FencingToken>,
}

pub(super) fn candidate(bits: u128) -> CandidateId {
    CandidateId {
        name: CandidateName::new("pod").unwrap(),
        incarnation: Incarnation::from_bits(bits),
    }
}

pub(super) fn settings(kind: LockKind) -> Settings {
    Settings {
        candidate: candidate(1),
        kind,
        membership: Membership::Ignored,
        on_missing: OnMissing::Wait,
        proof: Proof::Itself,
        timing: Timing::standard(),
    }
}

pub(super) fn ms(milliseconds: u64) -> Nanos {
    Nanos::from_millis(milliseconds)
}

pub(super) fn token(value: u64) -> FencingToken {
    FencingToken::new(value).unwrap()
}

pub(super) fn note(text: &str) -> Note {
    Note::new(text.as_bytes()).unwrap()
}

/// A record with a holder.
pub(super) fn held(by: u128, nonce: u64, version: u64) -> Observation {
    held_for(15, by, nonce, version)
}

pub(super) fn held_for(seconds: u64, by: u128, nonce: u64, version: u64) -> Observation {
    Observation {
        version: Some(Version(version)),
        ..Observation::of(LockState::Held(Held {
            duration: Some(Duration::from_secs(seconds)),
            holder: Holder::from(&candidate(by)),
            identity: LOCK,
            nonce: Nonce(nonce),
        }))
    }
}

/// A record that `by` released, if anybody.
pub(super) fn vacant(by: Option<u128>, version: u64) -> Observation {
    Observation {
        version: Some(Version(version)),
        ..Observation::of(LockState::Vacant {
            identity: LOCK,
            mark: by.map(|by| ReleaseMark {
                by: Incarnation::from_bits(by),
                identity: LOCK,
            }),
        })
    }
}

pub(super) fn missing() -> Observation {
    Observation::of(LockState::Missing)
}

pub(super) fn with_request(
    request: Option<OperatorRequest>,
    observation: Observation,
) -> Observation {
    Observation {
        request,
        ..observation
    }
}

pub(super) fn grant(version: u64) -> Grant {
    Grant {
        hold: Hold {
            identity: LOCK,
            token: token(version),
            version: Version(version),
        },
        note: None,
        request: None,
        standing: None,
        vacancy: Vacancy::AsClaimed,
    }
}

pub(super) fn granted(version: u64) -> Outcome {
    Outcome::Acquired(Acquired::Granted(grant(version)))
}

pub(super) fn confirmed(version: u64) -> Outcome {
    Outcome::Renewed(Renewed::Confirmed(RenewalReceipt {
        request: None,
        standing: None,
        version: Version(version),
    }))
}

impl Bench {
    pub(super) fn with(settings: Settings) -> Self {
        let mut bench = Self::unstarted(settings);
        bench.give(Input::Tick);
        bench
    }

    /// Has been told of nothing, not even of the time.
    pub(super) fn unstarted(settings: Settings) -> Self {
        // Two clocks that never agree on where they began.
        let now = Reading {
            boottime: ms(5_000_000),
            raw: ms(3_000_000),
        };
        let moment = Moment {
            jitter: 0,
            reading: now,
            wall: WallTime::from_unix_seconds(1_700_000_000),
        };
        Self {
            aborted: false,
            call: None,
            calls: 0,
            enlisting: None,
            enlists_by_hand: false,
            ended: false,
            events: Vec::new(),
            machine: Machine::new(moment, settings, Eligibility::Eligible),
            notes: Vec::new(),
            now,
            told: Vec::new(),
            work: None,
        }
    }

    /// Follows a leased lock, and asks to be shown as a member.
    pub(super) fn enlisting() -> Self {
        let mut bench = Self::unstarted(settings(LockKind::Leased));
        bench.enlists_by_hand = true;
        bench.give(Input::Tick);
        bench.observed(held(2, 1, 10));
        assert_eq!(bench.call(), "enlist");
        bench
    }

    /// Reads a leased lock.
    pub(super) fn reading(settings: Settings) -> Self {
        let bench = Self::with(settings);
        assert_eq!(bench.call(), "observe");
        bench
    }

    /// Claims a lock that is free. A session's is not read before.
    pub(super) fn claiming(settings: Settings) -> Self {
        let kind = settings.kind;
        let mut bench = Self::with(settings);
        if kind == LockKind::Leased {
            bench.observed(vacant(Some(2), 9));
        }
        bench.claim();
        bench
    }

    /// Follows a leased lock, of which it has seen `observation`.
    pub(super) fn following(observation: Observation) -> Self {
        let mut bench = Self::reading(settings(LockKind::Leased));
        bench.answer(Outcome::Observed(observation));
        bench
    }

    /// Leads since now, with version and token 10.
    pub(super) fn leading(settings: Settings) -> Self {
        let mut bench = Self::claiming(settings);
        let grant = Grant {
            vacancy: Vacancy::Proven,
            ..grant(10)
        };
        bench.answer(Outcome::Acquired(Acquired::Granted(grant)));
        assert_eq!(bench.work, Some(token(10)));
        bench
    }

    pub(super) fn leading_leased() -> Self {
        Self::leading(settings(LockKind::Leased))
    }

    pub(super) fn leading_session() -> Self {
        Self::leading(settings(LockKind::Session))
    }

    /// Hands in an input and does what comes out.
    pub(super) fn give(&mut self, input: Input) {
        let moment = Moment {
            jitter: 0,
            reading: self.now,
            wall: WallTime::from_unix_seconds(1_700_000_000),
        };
        self.machine.handle(moment, input);
        while let Some(output) = self.machine.poll() {
            self.act(output);
        }
        if let Some(operation) = self.enlisting.take() {
            let outcome = Outcome::Done;
            self.give(Input::Completed { operation, outcome });
        }
    }

    fn act(&mut self, output: Output) {
        match output {
            Output::Abandon(id) => {
                if self.call.as_ref().is_some_and(|(call, _)| *call == id) {
                    self.call = None;
                }
            }
            Output::AbortWork => {
                assert!(self.work.is_some(), "aborted what does not run");
                self.aborted = true;
            }
            Output::Ended => self.ended = true,
            Output::Event(event) => self.events.push(event),
            Output::NoteWritten(note) => self.notes.push(note),
            Output::Send(id, Operation::Enlist) if !self.enlists_by_hand => {
                self.enlisting = Some(id);
            }
            Output::Send(id, operation) => {
                assert!(self.call.is_none(), "two calls at once");
                self.calls += 1;
                self.call = Some((id, operation));
            }
            Output::StartWork { token, .. } => {
                assert!(self.work.is_none(), "two works at once");
                self.work = Some(token);
                self.aborted = false;
            }
            Output::StopWork(reason) => self.told.push(reason),
        }
    }

    /// Moves both clocks, waking the machine whenever it asks for it.
    pub(super) fn pass(&mut self, milliseconds: u64) {
        let end = self.now.plus(ms(milliseconds));
        for _ in 0..100_000 {
            let left = Nanos::new(end.raw.get() - self.now.raw.get());
            match self.machine.wake_after(self.now) {
                Some(wait) if wait < left => {
                    self.now = self.now.plus(wait);
                    self.give(Input::Tick);
                }
                _ => {
                    self.now = end;
                    self.give(Input::Tick);
                    return;
                }
            }
        }
        panic!("woken without end: {:?}", self.machine);
    }

    /// Moves both clocks at once, as when nobody ran the machine, and hands in nothing.
    pub(super) fn freeze(&mut self, milliseconds: u64) {
        self.now = self.now.plus(ms(milliseconds));
    }

    /// Moves the clocks apart.
    pub(super) fn move_clocks(&mut self, boottime_ms: u64, raw_ms: u64) {
        self.now = Reading {
            boottime: self.now.boottime.saturating_add(ms(boottime_ms)),
            raw: self.now.raw.saturating_add(ms(raw_ms)),
        };
    }

    /// The name of the call under way, or nothing.
    pub(super) fn call(&self) -> &'static str {
        self.call
            .as_ref()
            .map_or("", |(_, operation)| operation.name())
    }

    /// Answers the call under way.
    pub(super) fn answer(&mut self, outcome: Outcome) {
        let (operation, _) = self.call.take().expect("a call is under way");
        self.give(Input::Completed { operation, outcome });
    }

    pub(super) fn fail(&mut self, kind: ErrorKind, effect: Effect) {
        self.answer(Outcome::Failed(Failure { effect, kind }));
    }

    pub(super) fn observed(&mut self, observation: Observation) {
        assert_eq!(self.call(), "observe");
        self.answer(Outcome::Observed(observation));
    }

    pub(super) fn busy(&mut self, seen: Option<Observation>) {
        assert_eq!(self.call(), "acquire");
        self.answer(Outcome::Acquired(Acquired::Busy(seen)));
    }

    pub(super) fn conflict(&mut self, seen: Option<Observation>) {
        match self.call() {
            "renew" => self.answer(Outcome::Renewed(Renewed::Conflict(seen))),
            "release" => self.answer(Outcome::Released(Released::Conflict(seen))),
            other => panic!("{other:?} cannot conflict"),
        }
    }

    /// The claim under way.
    pub(super) fn claim(&self) -> &Claim {
        match &self.call {
            Some((_, Operation::Acquire(claim))) => claim,
            other => panic!("not a claim: {other:?}"),
        }
    }

    pub(super) fn basis(&self) -> Basis {
        self.claim().basis
    }

    /// The renewal under way.
    pub(super) fn renewal(&self) -> &Renewal {
        match &self.call {
            Some((_, Operation::Renew(renewal))) => renewal,
            other => panic!("not a renewal: {other:?}"),
        }
    }

    /// The release under way.
    pub(super) fn release(&self) -> &Release {
        match &self.call {
            Some((_, Operation::Release(release))) => release,
            other => panic!("not a release: {other:?}"),
        }
    }

    /// The work has stopped.
    pub(super) fn stopped(&mut self) {
        assert!(self.work.take().is_some(), "no work runs");
        self.give(Input::WorkEnded(WorkEnd::Returned));
    }

    pub(super) fn leads(&self) -> bool {
        self.machine.leads(self.now)
    }

    /// How much longer it leads, in whole milliseconds.
    pub(super) fn left_ms(&self) -> u64 {
        self.machine
            .deadline()
            .map_or(0, |deadline| deadline.remaining(self.now).get() / 1_000_000)
    }

    /// Whether such an event has been told; forgets it and those before.
    pub(super) fn heard(&mut self, wanted: impl Fn(&Event) -> bool) -> bool {
        match self.events.iter().position(wanted) {
            Some(index) => {
                self.events.drain(..=index);
                true
            }
            None => false,
        }
    }

    /// How many calls are sent while `milliseconds` pass and each is answered by `answer`.
    pub(super) fn calls_in(
        &mut self,
        milliseconds: u64,
        mut answer: impl FnMut(&Operation) -> Outcome,
    ) -> usize {
        let before = self.calls;
        let end = self.now.plus(ms(milliseconds));
        for _ in 0..10_000 {
            if let Some((_, operation)) = &self.call {
                let outcome = answer(operation);
                self.answer(outcome);
                continue;
            }
            let left = Nanos::new(end.raw.get() - self.now.raw.get());
            match self.machine.wake_after(self.now) {
                Some(wait) if wait < left => self.now = self.now.plus(wait),
                _ => {
                    self.now = end;
                    return self.calls - before;
                }
            }
            self.give(Input::Tick);
        }
        panic!("calls without end: {:?}", self.machine);
    }
}
