use tenure_core::machine::OperationId;
use tenure_core::memory::SessionId;
use tenure_core::{CandidateId, Nanos, Reading, Timing};

use super::candidate::{Belief, Running};
use super::event::Event;
use super::work::Work;
use crate::TrueTime;
use crate::clock::Sends;
use crate::plan::{Backend, NodePlan, Plan};
use crate::planted::Distortion;
use crate::random::{Purpose, Stream};
use crate::trace::{Frozen, Life, RequestId};
use crate::world::{Clocks, Link};

/// How long the work that failed keeps its candidate from trying, at first and at the most, in nanoseconds: short beside the quiet
/// time, in which somebody has to lead though all have just ended their work.
const BACKOFF_FIRST: u64 = 1_000_000_000;
const BACKOFF_LONGEST: u64 = 8_000_000_000;

/// A machine, and the candidate that runs on it now.
#[derive(Debug)]
pub(super) struct Node {
    /// What has arrived while nothing passed.
    pub(super) clogged: Vec<Event>,
    pub(super) clocks: Clocks,
    /// Whether its work ignores what it is told.
    pub(super) deaf: bool,
    pub(super) eligible: bool,
    /// What keeps its process from running, if anything.
    pub(super) frozen: Option<Frozen>,
    /// Whether its process is ended for good.
    pub(super) gone: bool,
    /// Whether its process waits to be given time, when it is starved.
    pub(super) held: bool,
    /// What has arrived while the process did not run.
    pub(super) inbox: Vec<Event>,
    pub(super) jitter: Stream,
    pub(super) link: Link,
    pub(super) plan: NodePlan,
    pub(super) process: Option<Process>,
    /// Whether a process is to be started as soon as the machine runs again.
    pub(super) start_wanted: bool,
    /// How late it is given time at the most, in nanoseconds.
    pub(super) starved: Option<u64>,
    pub(super) timing: Timing,
    pub(super) works: Stream,
}

/// A candidate's process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) backoff: u64,
    /// The call that is under way.
    pub(super) call: Option<(OperationId, RequestId)>,
    pub(super) candidate: Running,
    /// Whether it was asked to end.
    pub(super) ending: bool,
    pub(super) id: CandidateId,
    pub(super) life: Life,
    /// When the last requests were sent that a deadline may count from, by its clocks and in true time.
    sends: Sends,
    pub(super) session: SessionId,
    pub(super) validity: Option<Validity>,
    pub(super) work: Option<Work>,
}

/// A leadership as the candidate's process sees it, whoever of it looks: the election, the work, the watchdog.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) belief: Belief,
    /// Somebody has ended it.
    pub(super) over: bool,
    /// When the watchdog looks next, by the clock that counts suspended time; nothing when nobody watches.
    pub(super) watched: Option<u64>,
}

impl Validity {
    /// How much longer it is valid; nothing is left where it is over.
    pub(super) fn remaining(&self, now: Reading) -> Nanos {
        match self.belief.length {
            _ if self.over => Nanos::ZERO,
            None => Nanos::MAX,
            Some(length) => length.saturating_sub(now.longest_since(self.belief.since)),
        }
    }
}

impl Node {
    pub(super) fn new(
        plan: &Plan,
        index: u16,
        timing: Timing,
        distortion: Option<Distortion>,
    ) -> Self {
        let node = &plan.nodes[usize::from(index)];
        let local = plan.backend == Backend::File;
        Self {
            clogged: Vec::new(),
            clocks: Clocks::new(node, usize::from(index), distortion),
            deaf: false,
            eligible: true,
            frozen: None,
            gone: false,
            held: false,
            inbox: Vec::new(),
            jitter: Stream::new(plan.seed, u64::from(index), Purpose::Elector),
            link: Link::new(plan.seed, index, local),
            plan: node.clone(),
            process: None,
            start_wanted: false,
            starved: None,
            timing,
            works: Stream::new(plan.seed, u64::from(index), Purpose::Work),
        }
    }

    /// Whether its process runs now.
    pub(super) fn runs(&self) -> bool {
        self.process.is_some() && self.frozen.is_none() && !self.held
    }

    /// Which candidate it runs.
    pub(super) fn life(&self) -> Option<Life> {
        self.process.as_ref().map(|process| process.life)
    }

    /// Whether its candidate says that it leads.
    pub(super) fn leads(&self, now: TrueTime) -> bool {
        let validity = self.process.as_ref().and_then(|process| process.validity);
        validity.is_some_and(|validity| validity.remaining(self.clocks.reading(now)) > Nanos::ZERO)
    }
}

impl Process {
    pub(super) fn new(life: Life, session: SessionId, id: CandidateId, candidate: Running) -> Self {
        Self {
            backoff: BACKOFF_FIRST,
            call: None,
            candidate,
            ending: false,
            id,
            life,
            sends: Sends::default(),
            session,
            validity: None,
            work: None,
        }
    }

    /// A request that a deadline may count from is sent.
    pub(super) fn sends(&mut self, reading: Reading, now: TrueTime) {
        self.sends.add(reading, now);
    }

    /// When the request was sent that was sent at this reading.
    pub(super) fn sent_at(&self, reading: Reading) -> Option<TrueTime> {
        self.sends.when(reading)
    }

    /// How long the candidate gives way when its work has ended by itself after so long.
    pub(super) fn backs_off(&mut self, ran: u64) -> u64 {
        if ran > BACKOFF_LONGEST {
            self.backoff = BACKOFF_FIRST;
        }
        let wait = self.backoff;
        self.backoff = (wait * 2).min(BACKOFF_LONGEST);
        wait
    }
}
