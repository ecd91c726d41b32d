//! How processes start and end.

use tenure_core::backend::{LockKind, Proof};
use tenure_core::machine::{Eligibility, Input, Machine, Membership, OnMissing, Settings};
use tenure_core::{CandidateId, CandidateName, Incarnation, Nanos};

use super::candidate::Running;
use super::event::Event;
use super::node::Process;
use super::timers::Timer;
use super::world::{World, index};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Backend, OnMissingPlan};
use crate::trace::{self, Down, Life, What};

/// How soon a supervisor starts a process again that nobody asked to end.
pub(super) const RESTARTED_AFTER: u64 = 1_000_000_000;

impl World<'_> {
    /// Starts a candidate, unless one runs or none may.
    pub(super) fn start(&mut self, node: usize) {
        let blocked = self.is_away(node) || self.nodes[node].gone;
        if self.nodes[node].process.is_some() || blocked {
            return;
        }
        if self.nodes[node].frozen.is_some() {
            // A machine that sleeps starts nothing; when it wakes it does.
            self.nodes[node].start_wanted = true;
            return;
        }
        self.lives += 1;
        let life = Life(self.lives);
        self.record(node, What::Up { life });
        let timeout = Nanos::from(self.nodes[node].timing.lease_duration()).get();
        let session = self.server.open(self.now, index(node), life, timeout);
        let (id, candidate) = self.candidate(node, life);
        self.nodes[node].process = Some(Process::new(life, session, id, candidate));
        self.greet(node, life);
        self.drive(node, Input::Tick);
    }

    pub(super) fn candidate(&mut self, node: usize, life: Life) -> (CandidateId, Running) {
        let moment = self.moment(node);
        let settings = self.settings(node, life);
        let eligibility = if self.nodes[node].eligible {
            Eligibility::Eligible
        } else {
            Eligibility::Ineligible
        };
        let peer = self.options.peer;
        let id = settings.candidate.clone();
        if let Some(other) = peer.and_then(|peer| peer.candidate(moment, &settings)) {
            return (id, Running::Other(other));
        }
        let mistake = self.options.bug.and_then(|bug| bug.mistake());
        let machine = Machine::new(moment, settings, eligibility).with_mistake(mistake);
        (id, Running::Machine(machine))
    }

    pub(super) fn settings(&mut self, node: usize, life: Life) -> Settings {
        let at = &mut self.nodes[node];
        let own = NodeId(index(node)).to_string();
        let name = at.plan.name.as_deref().unwrap_or(&own);
        let name = CandidateName::new(name)
            .or_else(|_| CandidateName::new(&own))
            .expect("a node's id is a name");
        let bits = u128::from(at.jitter.next_u64()) << 32 | u128::from(life.0);
        let timing = at.timing;
        let leased = self.plan.backend.kind() == Backend::Lease;
        Settings {
            candidate: CandidateId {
                name,
                incarnation: Incarnation::from_bits(bits),
            },
            kind: if leased {
                LockKind::Leased
            } else {
                LockKind::Session
            },
            membership: Membership::Ignored,
            on_missing: match self.plan.on_missing {
                OnMissingPlan::AcquireAtOnce => OnMissing::AcquireAtOnce,
                OnMissingPlan::Wait => OnMissing::Wait,
            },
            proof: if self.plan.backend == Backend::Session && self.plan.server.late_proof {
                Proof::Later {
                    gap: timing.lease_duration() / 4,
                }
            } else {
                Proof::Itself
            },
            timing,
        }
    }

    /// Kills the process, without a word to anybody.
    pub(super) fn kill(&mut self, node: usize) {
        let work = self.nodes[node]
            .process
            .as_ref()
            .is_some_and(|process| process.work.is_some());
        if work {
            self.end_work(node, trace::WorkEnd::Died);
        }
        self.down(node, Down::Crashed);
    }

    /// The candidate has ended by itself.
    pub(super) fn ended(&mut self, node: usize) {
        let asked = self.nodes[node]
            .process
            .as_ref()
            .is_some_and(|process| process.ending);
        self.record(node, What::ShutDown);
        self.down(node, Down::Ended);
        if !asked {
            let event = Event::Start { node: index(node) };
            self.after(RESTARTED_AFTER, event);
        }
    }

    pub(super) fn down(&mut self, node: usize, how: Down) {
        let at = &mut self.nodes[node];
        let Some(process) = at.process.take() else {
            return;
        };
        at.held = false;
        at.inbox.clear();
        for timer in [Timer::Wake, Timer::Guard, Timer::Work] {
            self.timers.set(node, timer, TrueTime::END);
        }
        self.record(node, What::Down { how });
        match how {
            Down::Ended if self.server.counts_sessions() => self.hang_up(node, &process),
            _ => {
                let (told, wrote) = self.server.process_died(process.session);
                self.spread(told, wrote, None);
            }
        }
        self.settle(node);
    }
}
