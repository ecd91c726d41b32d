//! The decisions of an election, as plain data in and plain data out.
//!
//! The machine does no input or output, reads no clock, draws no random number and spawns nothing. Whoever drives it hands it what
//! happened, with the time at which it happened, and then does what it says:
//!
//! > **One mutation, then drain.** After each [`Machine::handle`], call [`Machine::poll`] until it returns nothing. Then wait until
//! > something happens, or until [`Machine::wake_after`] has passed, and hand it the next input.
//!
//! It is level-triggered: an input changes what is known, and then one function looks at all that is known and at the time, and
//! decides what is to be done next. At most one call of the backend is under way at any time.
//!
//! Production, the simulator and the model checker run this type; there is no second copy of the election's logic.

mod answers;
mod company;
mod following;
mod holding;
mod input;
mod knowledge;
#[cfg(feature = "testing")]
mod normal;
mod output;
mod planted;
mod settings;
mod stages;
mod state;
#[cfg(test)]
mod tests;
mod timer;
mod wake;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use input::{Eligibility, Failure, Input, Moment, Operation, OperationId, Outcome, WorkEnd};
#[cfg(feature = "testing")]
pub use normal::Labels;
pub use output::{Deadline, Output};
pub use settings::{Membership, OnMissing, Settings};
pub use state::State;

use crate::backend::Hint;
use crate::event::{Event, StopReason};
use crate::planted::Mistake;
use crate::{FencingToken, Nanos, Nonce, Reading};
use company::Company;
use following::{Following, Opportunity};
use holding::{Holding, Stage};
use knowledge::Knowledge;
use settings::Spans;
use timer::Timer;

/// One candidate of one election. See the [module](self).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    company: Company,
    eligibility: Eligibility,
    ending: bool,
    knowledge: Knowledge,
    last_nonce: u64,
    last_reading: Reading,
    last_token: Option<FencingToken>,
    operations: u64,
    outputs: VecDeque<Output>,
    pending: Option<Pending>,
    phase: Phase,
    retry: Option<Timer>,
    settings: Arc<Settings>,
    spans: Spans,
}

/// The call of the backend that is under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Pending {
    id: OperationId,
    purpose: Purpose,
    sent: Reading,
}

/// What an answer will be needed for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Purpose {
    Acquire(Opportunity, Nonce),
    Enlist,
    Members,
    Observe,
    Release,
    Renew(holding::Attempt),
    Withdraw,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Ended,
    Following(Following),
    Holding(Box<Holding>),
}

impl Machine {
    /// A candidate that starts now. The first [`Input::Tick`] sets it to work.
    pub fn new(now: Moment, settings: Settings, eligibility: Eligibility) -> Self {
        let spans = Spans::of(&settings);
        let knowledge = Knowledge::new(settings.candidate.clone(), settings.kind);
        Self {
            company: Company::default(),
            eligibility,
            ending: false,
            knowledge,
            last_nonce: 0,
            last_reading: now.reading,
            last_token: None,
            operations: 0,
            outputs: VecDeque::new(),
            pending: None,
            phase: Phase::Following(Following::starting(now.reading)),
            retry: None,
            settings: Arc::new(settings),
            spans,
        }
    }

    /// Takes in what happened at `now`. Drain the outputs with [`Machine::poll`] before the next call.
    ///
    /// # Panics
    /// When outputs of the last call have not been drained, and when one of the machine's own invariants does not hold.
    pub fn handle(&mut self, now: Moment, input: Input) {
        assert!(
            self.outputs.is_empty(),
            "outputs were not drained before the next input"
        );
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        let now = if self.planted(Mistake::TimerIsTrusted) {
            self.as_the_alarm_says(now, &input)
        } else {
            now
        };
        self.notice_suspend(now.reading);
        // Time comes first: an answer that arrives after the deadline must find the leadership over.
        self.expire(now);
        self.take_in(now, input);
        self.advance(now);
        self.check(now);
    }

    /// The next thing to do, until there is nothing.
    #[must_use]
    pub fn poll(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() {
            // An election waits most of its time, and a process may have many.
            self.outputs = VecDeque::new();
        }
        output
    }

    fn take_in(&mut self, now: Moment, input: Input) {
        match input {
            Input::Completed { operation, outcome } => self.completed(now, operation, outcome),
            Input::GiveWay(span) => self.give_way(now, span),
            Input::Hinted(hint) => self.hinted(now, hint),
            Input::Resign => self.leave(now, StopReason::Resigned),
            Input::SetEligibility(eligibility) => {
                self.eligibility = eligibility;
                match eligibility {
                    Eligibility::Eligible => self.look_as_follower(),
                    Eligibility::Ineligible => self.leave(now, StopReason::Ineligible),
                }
            }
            Input::ShutDown => {
                self.ending = true;
                self.leave(now, StopReason::ShutDown);
            }
            Input::Tick => {}
            Input::WatchdogFired => self.lose(now, StopReason::Watchdog, holding::Lock::MaybeOurs),
            Input::WorkEnded(end) => self.work_ended(now, end),
            Input::WriteNote(note) => {
                if let Phase::Holding(holding) = &mut self.phase {
                    holding.want_note(note);
                }
            }
        }
    }

    fn hinted(&mut self, now: Moment, hint: Hint) {
        match hint {
            Hint::Changed => self.look_by_hint(),
            Hint::Disconnected => {
                if let Phase::Holding(holding) = &mut self.phase {
                    holding.disconnected = true;
                }
            }
            Hint::MembersChanged => self.company.look = self.settings.follows_members(),
            Hint::Seen(observation) => match self.phase {
                Phase::Holding(_) => self.glimpsed(now, observation),
                Phase::Following(_) => self.told_of(now, observation),
                Phase::Ended => {}
            },
            Hint::Watching(watching) => {
                // What happened before the watch began was not told.
                self.knowledge.watching = watching;
                self.company.look = self.settings.follows_members();
                self.look_by_hint();
            }
        }
    }

    /// Wants a read, unless the lock is being given back: then nothing that a read can show is of use before the release.
    fn look_by_hint(&mut self) {
        if !self.releases() {
            self.look();
        }
    }

    fn releases(&self) -> bool {
        matches!(&self.phase, Phase::Holding(holding) if holding.stage.is_releasing())
    }

    /// Wants an authoritative read, or a try, as soon as no other call is under way.
    fn look(&mut self) {
        match &mut self.phase {
            Phase::Ended => {}
            Phase::Following(following) => following.look = true,
            Phase::Holding(holding) => holding.look = true,
        }
    }

    fn look_as_follower(&mut self) {
        if let Phase::Following(following) = &mut self.phase {
            following.look = true;
        }
    }

    /// Does what time alone brings about.
    fn expire(&mut self, now: Moment) {
        if self.retry.is_some_and(|retry| retry.due(now.reading)) {
            self.retry = None;
        }
        let patient = self.planted(Mistake::NoRequestTimeout);
        let overdue = self.pending.take_if(|pending| {
            !patient && Timer::new(pending.sent, self.spans.request_timeout).due(now.reading)
        });
        if let Some(pending) = overdue {
            self.outputs.push_back(Output::Abandon(pending.id));
            self.failed(now, &pending, Failure::timed_out());
        }
        match self.phase {
            Phase::Ended => {}
            Phase::Following(_) => self.expire_following(now),
            Phase::Holding(_) => self.expire_holding(now),
        }
    }

    /// Decides what to do next.
    fn advance(&mut self, now: Moment) {
        if let Phase::Holding(_) = self.phase {
            self.advance_holding(now);
        }
        // What ends a hold may free the way for the next step at once.
        if let Phase::Following(_) = self.phase {
            self.advance_following(now);
        }
    }

    /// Lets others go first for `span`.
    fn give_way(&mut self, now: Moment, span: Duration) {
        self.knowledge.give_way = Some(Timer::new(now.reading, span.into()));
    }

    fn send(&mut self, now: Moment, purpose: Purpose, operation: Operation) {
        assert!(self.pending.is_none(), "two calls of the backend at once");
        self.operations += 1;
        let id = OperationId(self.operations);
        self.pending = Some(Pending {
            id,
            purpose,
            sent: now.reading,
        });
        self.outputs.push_back(Output::Send(id, operation));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// A number that no earlier write of this elector had.
    fn nonce(&mut self, now: Moment) -> Nonce {
        self.last_nonce = now.wall.unix_micros().max(self.last_nonce + 1);
        Nonce(self.last_nonce)
    }

    /// Waits with the next call until `span` after `sent`, when the last one was sent.
    fn back_off(&mut self, now: Moment, sent: Reading, span: Nanos) {
        let planted = self.spans.planted;
        let span = planted.pick(Mistake::RetriesAtOnce, Nanos::ZERO, span);
        let span = planted.pick(Mistake::NeverRetries, Nanos::MAX, span);
        let retry = Timer::new(sent, span);
        self.retry = (!retry.due(now.reading)).then_some(retry);
    }

    /// A clock that counts suspended time runs ahead of one that does not. Slewing explains a tenth; the rest was suspend.
    fn notice_suspend(&mut self, now: Reading) {
        const NOTABLE: Nanos = Nanos::from_millis(1000);
        let awake = now.raw_since(self.last_reading);
        let passed = now.boottime_since(self.last_reading);
        self.last_reading = now;
        let explained = awake.saturating_add(Nanos::new(awake.get() / 10));
        if passed.saturating_sub(explained) >= NOTABLE {
            self.tell(Event::Suspended {
                duration: passed.saturating_sub(awake).into(),
            });
        }
    }

    /// What must hold after every input.
    fn check(&self, now: Moment) {
        match &self.phase {
            Phase::Ended => assert!(
                self.pending.is_none(),
                "an ended candidate waits for an answer"
            ),
            Phase::Following(_) => assert!(self.deadline().is_none(), "a follower has a deadline"),
            Phase::Holding(holding) => holding.check(now.reading, &self.spans),
        }
        assert!(
            self.outputs.len() <= OUTPUTS_MAX,
            "one input made too many outputs"
        );
    }
}

/// More outputs than one input can make.
const OUTPUTS_MAX: usize = 32;
