//! What the plan does to the world, and when.

use tenure_core::backend::RequestKind;

use super::event::{Asked, Event};
use super::world::{World, index};
use crate::TrueTime;
use crate::plan::{Backend, Fault, Foreign, Plan, Refusal, Who};
use crate::trace::{Ask, Frozen, Life, What};
use crate::world::{Condition, Halt};

/// One step of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deed {
    at: TrueTime,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Begin(u32),
    Edit,
    End(u32),
    Quiet,
    Stop,
}

/// A fault that lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active {
    fault: u32,
    /// Which life of the node's candidate it struck.
    life: Option<Life>,
    node: Option<u16>,
}

/// How the store is now.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Conditions {
    /// How many of a thousand writes are applied and then answered with a time-out.
    pub(super) applied_timeout: u16,
    /// It hears nobody and answers nobody.
    pub(super) dark: bool,
    /// Watches have ended, and their clients know.
    pub(super) gap: bool,
    /// It takes requests in and does nothing with them yet.
    pub(super) hangs: bool,
    /// It tells nobody of changes.
    pub(super) mute: bool,
    pub(super) refuses: Option<Refusal>,
    /// How much later it tells of changes, in nanoseconds.
    pub(super) stale: u64,
}

/// The most edits of a run.
const EDITS_MOST: usize = 100_000;

impl Deed {
    /// All that a plan does, in the order of time.
    pub(super) fn all(plan: &Plan) -> Vec<Self> {
        let quiet = plan.quiet_from.from_start();
        let mut deeds: Vec<Self> = (0_u32..)
            .zip(&plan.faults)
            .flat_map(|(fault, planned)| {
                let at = planned.at.from_start();
                let begins = Self {
                    at,
                    step: Step::Begin(fault),
                };
                let lasts = planned
                    .lasts
                    .map(|lasts| planned.at.plus(lasts).from_start());
                let ends = lasts.map(|at| Self {
                    at,
                    step: Step::End(fault),
                });
                [Some(begins), ends]
            })
            .flatten()
            .filter(|deed| deed.at <= quiet)
            .collect();
        deeds.push(Self {
            at: quiet,
            step: Step::Quiet,
        });
        let end = plan.end.max(plan.quiet_from).from_start();
        deeds.push(Self {
            at: end,
            step: Step::Stop,
        });
        if let (Some(every), Backend::Lease) = (plan.server.edited_every, plan.backend.kind()) {
            let step = usize::try_from(every.nanos().max(1)).unwrap_or(usize::MAX);
            let edits = (0..end.nanos()).step_by(step).skip(1).take(EDITS_MOST);
            deeds.extend(edits.map(|at| Self {
                at: TrueTime::from_nanos(at),
                step: Step::Edit,
            }));
        }
        deeds.sort_by_key(|deed| deed.at);
        deeds
    }
}

impl World<'_> {
    /// Has the next step of the plan done when its time comes.
    pub(super) fn schedule_deed(&mut self) {
        if let Some(deed) = self.deeds.get(self.next_deed) {
            self.at(deed.at, Event::Deed);
        }
    }

    pub(super) fn do_deed(&mut self) {
        let Deed { step, .. } = self.deeds[self.next_deed];
        self.next_deed += 1;
        match step {
            Step::Begin(fault) => self.begin(fault),
            Step::Edit => self.tamper(Foreign::EditLabel),
            Step::End(fault) => self.end(fault),
            Step::Quiet => self.heal(),
            Step::Stop => {
                self.record_of_world(What::End);
                self.ended = true;
            }
        }
        self.schedule_deed();
    }

    fn begin(&mut self, fault: u32) {
        self.record_of_world(What::FaultBegan { fault });
        let planned = &self.plan.faults[fault as usize];
        let who = planned.what.who();
        let node = who.and_then(|who| self.whom(who));
        if who.is_some() && node.is_none() {
            return;
        }
        let life = node.and_then(|node| self.nodes[node].life());
        let lasts = planned.lasts.is_some();
        self.active.push(Active {
            fault,
            life,
            node: node.map(index),
        });
        self.strike(&self.plan.faults[fault as usize].what, node, lasts);
        self.apply_conditions();
    }

    /// What a fault does at its beginning, besides what it is while it lasts.
    fn strike(&mut self, fault: &Fault, node: Option<usize>, lasts: bool) {
        match (fault, node) {
            (Fault::Crash { .. } | Fault::PowerLoss { .. }, Some(node)) => {
                self.nodes[node].gone |= !lasts;
                self.kill(node);
            }
            (Fault::CrashCut { .. }, Some(node)) => {
                self.nodes[node].gone |= !lasts;
                if let Some(life) = self.nodes[node].life() {
                    let theirs = self.calls.iter_mut().filter(|call| call.life() == life);
                    theirs.for_each(|call| call.cut = true);
                }
                self.kill(node);
            }
            (Fault::ShutDown { .. }, Some(node)) => {
                self.nodes[node].gone |= !lasts;
                self.ask(node, Ask::ShutDown);
            }
            (Fault::Resign { .. }, Some(node)) => self.ask(node, Ask::Resign),
            (Fault::Panic { .. }, Some(node)) => {
                if let Some(life) = self.nodes[node].life() {
                    let node = index(node);
                    self.after(0, Event::WorkPanics { life, node });
                }
            }
            (Fault::StepWall { by_s, .. }, Some(node)) => {
                self.nodes[node].clocks.step_wall(*by_s);
                self.record(node, What::WallStepped { by_s: *by_s });
            }
            (Fault::Reset { .. }, Some(node)) => self.reset(node),
            (Fault::ExpireSession { .. }, Some(node)) => {
                let ended = self.nodes[node].life();
                let ended = ended.and_then(|life| self.server.expire_life(life));
                if let Some(ended) = ended {
                    self.session_ended(ended);
                }
            }
            (Fault::OperatorResign, _) => self.submit(RequestKind::Resign),
            (Fault::OperatorPause, _) => self.submit(RequestKind::Pause),
            (Fault::Foreign(foreign), _) => self.tamper(*foreign),
            (Fault::LeaderChange, _) => {
                self.server.renew_sessions(self.now);
                self.reset_all();
            }
            (Fault::Restart | Fault::QuorumLoss, _) => self.reset_all(),
            _ => {}
        }
    }

    fn tamper(&mut self, foreign: Foreign) {
        if let Some(wrote) = self.server.tamper(foreign) {
            self.spread(tenure_core::memory::Told::Lock, Some(wrote), None);
        }
    }

    fn end(&mut self, fault: u32) {
        self.record_of_world(What::FaultEnded { fault });
        let Some(place) = self.active.iter().position(|active| active.fault == fault) else {
            return;
        };
        let Active { node, .. } = self.active.remove(place);
        self.apply_conditions();
        let planned = &self.plan.faults[fault as usize].what;
        match (planned, node.map(usize::from)) {
            (fault, Some(node)) if ends_process(fault) && !self.is_away(node) => {
                // Who was asked to end and is not done yet is killed: its supervisor waits no longer.
                self.kill(node);
                self.start(node);
            }
            (Fault::OperatorPause, _) => self.submit(RequestKind::Resume),
            _ => {}
        }
    }

    /// Heals everything. Nothing goes wrong from now on.
    fn heal(&mut self) {
        self.record_of_world(What::Quiet);
        self.active.clear();
        self.apply_conditions();
        self.submit(RequestKind::Resume);
        for node in 0..self.nodes.len() {
            let ending = self.nodes[node]
                .process
                .as_ref()
                .is_some_and(|process| process.ending);
            if ending && !self.nodes[node].gone {
                self.kill(node);
            }
            self.start(node);
        }
    }

    fn whom(&self, who: Who) -> Option<usize> {
        match who {
            Who::Node(node) => Some(usize::from(node)).filter(|node| *node < self.nodes.len()),
            Who::Leader => self.nodes.iter().position(|node| node.leads(self.now)),
            Who::Follower => self
                .nodes
                .iter()
                .position(|node| node.process.is_some() && !node.leads(self.now)),
        }
    }

    fn ask(&mut self, node: usize, ask: Ask) {
        let Some(life) = self.nodes[node].life() else {
            return;
        };
        self.record(node, What::Asked { ask });
        let node = index(node);
        let ask = Asked::For(ask);
        self.after(0, Event::Asked { ask, life, node });
    }

    fn submit(&mut self, kind: RequestKind) {
        let applied = self.server.submit(self.now, kind);
        self.spread(applied.told, applied.wrote, None);
    }

    fn reset_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.reset(node);
        }
    }

    /// Whether a fault keeps the node's process away.
    pub(super) fn is_away(&self, node: usize) -> bool {
        let node = index(node);
        self.active.iter().any(|active| {
            active.node == Some(node) && ends_process(&self.plan.faults[active.fault as usize].what)
        })
    }

    /// The faults that last, of those that concern `node`, or no node.
    fn lasting(&self, node: Option<usize>) -> impl Iterator<Item = (&Fault, Option<Life>)> {
        let node = node.map(index);
        self.active
            .iter()
            .filter(move |active| active.node == node)
            .map(|active| {
                let fault = &self.plan.faults[active.fault as usize].what;
                (fault, active.life)
            })
    }

    /// How the store is, as far as faults that last say.
    pub(super) fn conditions_now(&self) -> Conditions {
        let mut conditions = Conditions {
            mute: self.plan.server.silent,
            ..Conditions::default()
        };
        for (fault, _) in self.lasting(None) {
            match fault {
                Fault::AppliedTimeout { per_mille } => conditions.applied_timeout = *per_mille,
                Fault::Hang => conditions.hangs = true,
                Fault::NoHints => conditions.mute = true,
                Fault::QuorumLoss | Fault::Restart => conditions.dark = true,
                Fault::Refuse { with } => conditions.refuses = Some(*with),
                Fault::Stale { by } => conditions.stale = by.nanos(),
                Fault::WatchGap => (conditions.gap, conditions.mute) = (true, true),
                _ => {}
            }
        }
        conditions
    }

    /// Makes everything as the faults that last say.
    fn apply_conditions(&mut self) {
        let (before, now) = (self.conditions, self.conditions_now());
        self.conditions = now;
        if before.dark && !now.dark {
            self.server.renew_sessions(self.now);
        }
        if before.hangs && !now.hangs {
            for call in std::mem::take(&mut self.hung) {
                self.take_in(call);
                self.calls.forget(call);
            }
        }
        if before.gap != now.gap && !self.plan.server.silent {
            self.tell_watching(!now.gap);
        }
        for node in 0..self.nodes.len() {
            self.settle(node);
        }
    }

    /// Makes a node as the faults that last say.
    pub(super) fn settle(&mut self, node: usize) {
        let own = self.nodes[node].plan.rate_ppm;
        let (mut rate, mut slew, mut link) = (own, 0, Condition::default());
        let (mut starved, mut deaf, mut eligible) = (None, false, true);
        let (mut stopped, mut asleep, mut iced) = (false, false, false);
        let life = self.nodes[node].life();
        for (fault, struck) in self.lasting(Some(node)) {
            match *fault {
                Fault::Clog { .. } => link.clogged = true,
                Fault::Cut { direction, .. } => link.each(direction, |way| way.cut = true),
                Fault::Deaf { .. } => deaf = true,
                Fault::Delay { by, direction, .. } => {
                    link.each(direction, |way| way.delay += by.nanos());
                }
                Fault::Duplicate { per_mille, .. } => link.duplicate_per_mille = per_mille,
                Fault::Freeze { .. } => iced = true,
                Fault::Ineligible { .. } => eligible = false,
                Fault::Lossy {
                    direction,
                    per_mille,
                    ..
                } => {
                    link.each(direction, |way| way.lose_per_mille = per_mille);
                }
                // A new process is not stopped by the signal that stopped the one before, nor starved for what that one did.
                Fault::Pause { .. } => stopped |= struck == life && life.is_some(),
                Fault::Rate { ppm, .. } => rate = ppm,
                // A machine has one time service.
                Fault::Slew { ppm, .. } => slew = ppm,
                Fault::Slow {
                    direction, most, ..
                } => {
                    link.each(direction, |way| way.slow = Some(most.nanos()));
                }
                Fault::Starve { most, .. } if struck == life => starved = Some(most.nanos()),
                Fault::Suspend { .. } => asleep = true,
                _ => {}
            }
        }
        let frozen = match (iced, asleep, stopped) {
            (true, _, _) => Some(Frozen::VirtualMachine),
            (_, true, _) => Some(Frozen::Suspended),
            (_, _, true) => Some(Frozen::Stopped),
            _ => None,
        };
        self.nodes[node].deaf = deaf;
        self.set_link(node, link);
        let changed = std::mem::replace(&mut self.nodes[node].frozen, frozen) != frozen;
        if changed && self.nodes[node].process.is_some() {
            let what = frozen.map_or(What::Thawed, |by| What::Frozen { by });
            self.record(node, what);
        }
        self.set_clocks(node, (rate, slew), frozen);
        if changed {
            self.thaw_or_freeze(node);
        }
        self.set_starved(node, starved);
        if self.nodes[node].eligible != eligible {
            self.nodes[node].eligible = eligible;
            self.ask(
                node,
                if eligible {
                    Ask::Eligible
                } else {
                    Ask::Ineligible
                },
            );
        }
    }

    fn set_clocks(&mut self, node: usize, rates: (i64, i64), frozen: Option<Frozen>) {
        let halt = match frozen {
            Some(Frozen::VirtualMachine) => Some(Halt::Frozen),
            Some(Frozen::Suspended) => Some(Halt::Suspended),
            _ => None,
        };
        let now = self.now;
        let clocks = &mut self.nodes[node].clocks;
        let before = clocks.rates();
        if !clocks.set(now, rates, halt) {
            return;
        }
        if before != rates {
            let (rate_ppm, slew_ppm) = rates;
            self.record(node, What::Clock { rate_ppm, slew_ppm });
        }
        self.record_leads(node);
        self.set_alarm(node);
        self.set_guard(node);
        self.set_work(node);
    }

    fn set_link(&mut self, node: usize, condition: Condition) {
        let before = std::mem::replace(&mut self.nodes[node].link.condition, condition);
        if before.clogged && !condition.clogged {
            let clogged = std::mem::take(&mut self.nodes[node].clogged);
            for (order, event) in (1..).zip(clogged) {
                // In the order in which it came, as on one connection.
                self.after(order, event);
            }
        }
    }

    fn thaw_or_freeze(&mut self, node: usize) {
        self.empty_inbox(node);
        let at = &mut self.nodes[node];
        if at.frozen.is_none() && std::mem::take(&mut at.start_wanted) {
            self.start(node);
        }
    }

    fn set_starved(&mut self, node: usize, starved: Option<u64>) {
        self.nodes[node].starved = starved;
        if starved.is_none() && self.nodes[node].held {
            self.after(0, Event::Run { node: index(node) });
        }
    }
}

/// Whether it ends a process, and another is started when it is over.
fn ends_process(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Crash { .. }
            | Fault::CrashCut { .. }
            | Fault::PowerLoss { .. }
            | Fault::ShutDown { .. }
    )
}
