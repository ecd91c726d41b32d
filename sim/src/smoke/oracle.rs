use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tenure_core::elector::Validity;
use tenure_core::{Clock, FencingToken, Nanos, Reading};

use super::recorder::Recorder;
use super::stats::Tally;
use crate::TrueTime;
use crate::executor::{NodeId, Process};

/// What must never happen, and happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Violation {
    /// The events of one elector do not follow each other as they must.
    Grammar {
        /// What came, and when it must not.
        event: String,
        /// Whose events.
        node: NodeId,
    },
    /// Long after the last fault nobody led, or not the same candidate all the time.
    NobodyLeads {
        /// How many leaderships began in the part of the quiet time in which one should have lasted.
        begun_late: u64,
        /// How many leaders there were at the end.
        leaders: usize,
    },
    /// Something panicked.
    Panicked {
        /// With this message.
        message: String,
    },
    /// Work ran on for longer than its stop timeout after its leadership had ended, by its own node's clock.
    Overrun {
        /// On which node.
        node: NodeId,
        /// The leadership's token.
        token: FencingToken,
    },
    /// A leadership began with a token that is not larger than one before.
    TokenNotLarger {
        /// The largest token before.
        before: FencingToken,
        /// The node that began to lead.
        node: NodeId,
        /// Its token.
        token: FencingToken,
    },
    /// Two leaderships at the same moment of true time.
    TwoLeaders {
        /// The one that began first.
        first: (NodeId, FencingToken),
        /// The other one.
        second: (NodeId, FencingToken),
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grammar { event, node } => write!(f, "{node}: event out of order: {event}"),
            Self::NobodyLeads {
                begun_late,
                leaders,
            } => write!(
                f,
                "{leaders} leaders at the end of the quiet time, in which {begun_late} leaderships began late"
            ),
            Self::Panicked { message } => write!(f, "panic: {message}"),
            Self::Overrun { node, token } => {
                write!(
                    f,
                    "{node}: work of token {token} runs on after its stop timeout"
                )
            }
            Self::TokenNotLarger {
                before,
                node,
                token,
            } => {
                write!(f, "{node} leads with token {token} after token {before}")
            }
            Self::TwoLeaders { first, second } => write!(
                f,
                "two leaders: {} with token {} and {} with token {}",
                first.0, first.1, second.0, second.1
            ),
        }
    }
}

/// One leadership, from the start of its work until neither the work runs nor its own clock calls it valid.
#[derive(Debug)]
struct Term {
    clock: Arc<dyn Clock>,
    /// Frozen past its deadline: from then on its work is beyond what is claimed, but not what it says by its own clock.
    excused: bool,
    /// Since when it has been seen invalid, by its own clock.
    invalid_since: Option<Reading>,
    process: Process,
    running: bool,
    stop_timeout: Nanos,
    token: FencingToken,
    validity: Arc<Validity>,
}

#[derive(Debug)]
struct State {
    begun: Vec<TrueTime>,
    newest: Option<FencingToken>,
    terms: Vec<Term>,
    violation: Option<Violation>,
}

/// Sees everything in true time, and asks at every event who leads.
#[derive(Clone, Debug)]
pub(super) struct Oracle {
    recorder: Arc<Mutex<Recorder>>,
    state: Arc<Mutex<State>>,
    tally: Tally,
}

/// Work that runs. Dropped, it does not run any more.
#[derive(Debug)]
pub(super) struct RunningWork {
    node: NodeId,
    oracle: Oracle,
    /// Whether the work came to its own end.
    pub(super) returned: bool,
    token: FencingToken,
}

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

impl Oracle {
    pub(super) fn new(tally: Tally, lines: usize) -> Self {
        Self {
            recorder: Arc::new(Mutex::new(Recorder::new(lines))),
            state: Arc::new(Mutex::new(State {
                begun: Vec::new(),
                newest: None,
                terms: Vec::new(),
                violation: None,
            })),
            tally,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(ONE_THREAD)
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn record(&self, at: TrueTime, what: fmt::Arguments<'_>) {
        self.recorder.lock().expect(ONE_THREAD).record(at, what);
    }

    pub(super) fn recorder(&self) -> Recorder {
        self.recorder.lock().expect(ONE_THREAD).clone()
    }

    pub(super) fn accuse(&self, violation: Violation) {
        self.state().violation.get_or_insert(violation);
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        self.state().violation.clone()
    }

    /// Work begins under a leadership.
    pub(super) fn work_begins(
        &self,
        at: TrueTime,
        process: &Process,
        validity: &Arc<Validity>,
        stop_timeout: Duration,
    ) -> RunningWork {
        let node = process.node().expect("only nodes run work");
        let token = validity.token();
        self.record(at, format_args!("{node} leads with token {token}"));
        self.tally.count(|stats| stats.leaderships += 1);
        let mut state = self.state();
        let before = state.newest.filter(|newest| *newest >= token);
        if let Some(before) = before {
            let violation = Violation::TokenNotLarger {
                before,
                node,
                token,
            };
            state.violation.get_or_insert(violation);
        }
        state.newest = state.newest.max(Some(token));
        state.begun.push(at);
        state.terms.push(Term {
            clock: Arc::clone(validity.clock()),
            excused: false,
            invalid_since: None,
            process: process.clone(),
            running: true,
            stop_timeout: stop_timeout.into(),
            token,
            validity: Arc::clone(validity),
        });
        drop(state);
        RunningWork {
            node,
            oracle: self.clone(),
            returned: false,
            token,
        }
    }

    /// A frozen process goes on: what its work does now is beyond what is claimed if the deadline has passed meanwhile.
    pub(super) fn thawed(&self, process: &Process) {
        let mut state = self.state();
        for term in &mut state.terms {
            if term.process.is(process) && term.remaining() == Nanos::ZERO && !term.excused {
                term.excused = true;
                self.tally.count(|stats| stats.frozen_past_deadline += 1);
            }
        }
    }

    /// Asks everybody whether they lead.
    pub(super) fn look(&self) {
        let mut state = self.state();
        if state.terms.is_empty() {
            return;
        }
        let state = &mut *state;
        state.terms.retain(Term::is_open);
        for term in &mut state.terms {
            if let Some(violation) = term.overrun() {
                state.violation.get_or_insert(violation);
            }
        }
        let mut leaders = state.terms.iter().filter(|term| term.leads());
        if let (Some(first), Some(second)) = (leaders.next(), leaders.next()) {
            let violation = Violation::TwoLeaders {
                first: first.name(),
                second: second.name(),
            };
            state.violation.get_or_insert(violation);
        }
    }

    /// The quiet time is over: exactly one leads, and has since `settled`.
    pub(super) fn ends(&self, settled: TrueTime) {
        self.look();
        let mut state = self.state();
        let leaders = state.terms.iter().filter(|term| term.leads()).count();
        let late = state.begun.iter().filter(|begun| **begun > settled).count();
        let begun_late = u64::try_from(late).expect("a count fits 64 bits");
        if leaders != 1 || begun_late > 0 {
            let violation = Violation::NobodyLeads {
                begun_late,
                leaders,
            };
            state.violation.get_or_insert(violation);
        }
    }
}

impl Term {
    fn remaining(&self) -> Nanos {
        self.validity.remaining(self.clock.now())
    }

    fn name(&self) -> (NodeId, FencingToken) {
        (
            self.process.node().expect("only nodes run work"),
            self.token,
        )
    }

    fn is_open(&self) -> bool {
        self.process.is_alive() && (self.running || self.remaining() > Nanos::ZERO)
    }

    /// Whether it says that it leads by its own clock, or its work still does something.
    fn leads(&self) -> bool {
        let works = self.running && !self.excused && !self.process.is_paused();
        self.process.is_alive() && (works || self.remaining() > Nanos::ZERO)
    }

    fn overrun(&mut self) -> Option<Violation> {
        if self.excused || self.process.is_paused() || self.remaining() > Nanos::ZERO {
            return None;
        }
        let now = self.clock.now();
        let since = *self.invalid_since.get_or_insert(now);
        let late = self.running && now.longest_since(since) > self.stop_timeout;
        let (node, token) = self.name();
        late.then_some(Violation::Overrun { node, token })
    }
}

impl Drop for RunningWork {
    fn drop(&mut self) {
        let mut state = self.oracle.state();
        let mine = state
            .terms
            .iter_mut()
            .find(|term| term.token == self.token && term.name().0 == self.node && term.running);
        if let Some(term) = mine {
            term.running = false;
            if !self.returned && term.process.is_alive() {
                self.oracle.tally.count(|stats| stats.aborted += 1);
            }
        }
    }
}
