use tenure_core::backend::RequestKind;
use tenure_core::machine::Eligibility;
use tenure_core::memory::Watch;

use super::lock::Wiring;
use super::node::{Node, Scene};
use super::oracle::Oracle;
use super::plan::{Fault, Plan};
use crate::TrueTime;
use crate::executor::Executor;

/// One moment at which something is done to the world.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Deed {
    pub(super) at: TrueTime,
    pub(super) fault: Fault,
    pub(super) part: Part,
}

/// A fault begins, and later ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Part {
    Begins,
    Ends,
}

/// All that a plan does, in the order of time.
pub(super) fn timeline(plan: &Plan) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = plan
        .faults
        .iter()
        .flat_map(|planned| {
            let deed = |at, part| Deed {
                at,
                fault: planned.fault.clone(),
                part,
            };
            let ends = planned.at().plus(planned.lasts());
            [deed(planned.at(), Part::Begins), deed(ends, Part::Ends)]
        })
        .collect();
    deeds.sort_by_key(|deed| deed.at);
    deeds
}

/// The parts of a world that deeds are done to.
#[derive(Debug)]
pub(super) struct World {
    pub(super) executor: Executor,
    pub(super) nodes: Vec<Node>,
    pub(super) oracle: Oracle,
    pub(super) quiet_from: TrueTime,
    pub(super) wiring: Wiring,
}

impl World {
    pub(super) fn start(&mut self, node: usize) {
        let scene = Scene {
            executor: &self.executor,
            oracle: &self.oracle,
            quiet_from: self.quiet_from,
            wiring: &self.wiring,
        };
        self.nodes[node].start(&scene);
        // A machine that sleeps starts nothing.
        self.settle(node);
    }

    /// Does one deed.
    pub(super) fn act(&mut self, deed: &Deed) {
        let Deed { fault, part, .. } = deed;
        self.oracle
            .record(self.executor.now(), format_args!("{part:?} {fault:?}"));
        let begins = *part == Part::Begins;
        match *fault {
            Fault::Crash { node } if begins => {
                self.nodes[node].kill(&mut self.executor, &self.wiring);
            }
            Fault::ShutDown { node } if begins => {
                if let Some(running) = &self.nodes[node].running {
                    running.control.shut_down();
                }
            }
            Fault::Crash { node } | Fault::ShutDown { node } => self.restart(node),
            Fault::Cut { direction, node } => {
                let id = self.nodes[node].id;
                self.wiring.network.set_cut(id, begins.then_some(direction));
            }
            Fault::Foreign(foreign) if begins => self.wiring.store.tamper(foreign),
            Fault::Ineligible { node } => self.set_eligible(node, !begins),
            Fault::Lossy { node, per_mille } => {
                let id = self.nodes[node].id;
                self.wiring
                    .network
                    .set_loss(id, if begins { per_mille } else { 0 });
            }
            Fault::NoHints => {
                let watch = if begins { Watch::Off } else { Watch::Changes };
                self.wiring.store.set_hints(watch);
            }
            Fault::OperatorPause => {
                let kind = if begins {
                    RequestKind::Pause
                } else {
                    RequestKind::Resume
                };
                self.wiring.store.submit(kind);
            }
            Fault::OperatorResign if begins => self.wiring.store.submit(RequestKind::Resign),
            Fault::Pause { node } => self.freeze(node, begins),
            Fault::Rate { node, ppm } if begins => self.nodes[node].clock.set_rate(ppm),
            Fault::Refuse => self.wiring.store.set_refuses(begins),
            Fault::Resign { node } if begins => {
                if let Some(running) = &self.nodes[node].running {
                    running.control.resign();
                }
            }
            Fault::Slew { node, ppm } => {
                self.nodes[node]
                    .clock
                    .set_slew(if begins { ppm } else { 0 });
            }
            Fault::Slow { most_ms, node } => {
                let id = self.nodes[node].id;
                self.wiring.network.set_slow(id, begins.then_some(most_ms));
            }
            Fault::StepWall { by_s, node } if begins => {
                self.nodes[node].clock.step_wall(by_s * 1_000_000);
            }
            Fault::Suspend { node } => self.suspend(node, begins),
            Fault::Foreign(_)
            | Fault::OperatorResign
            | Fault::Rate { .. }
            | Fault::Resign { .. }
            | Fault::StepWall { .. } => {}
        }
    }

    /// Heals everything that a plan can have broken. Clocks keep their rates, which lie within the drift.
    pub(super) fn heal(&mut self) {
        self.wiring.network.heal();
        self.wiring.store.set_refuses(false);
        self.wiring.store.set_hints(Watch::Changes);
        self.wiring.store.submit(RequestKind::Resume);
        for node in 0..self.nodes.len() {
            self.nodes[node].clock.set_slew(0);
            self.freeze(node, false);
            self.suspend(node, false);
            self.start(node);
            self.set_eligible(node, true);
        }
    }

    /// A process that still runs, because it was shut down and is not done yet, is killed: its supervisor waits no longer.
    fn restart(&mut self, node: usize) {
        self.nodes[node].kill(&mut self.executor, &self.wiring);
        self.start(node);
    }

    fn set_eligible(&self, node: usize, eligible: bool) {
        if let Some(running) = &self.nodes[node].running {
            running.control.set_eligibility(if eligible {
                Eligibility::Eligible
            } else {
                Eligibility::Ineligible
            });
        }
    }

    fn freeze(&mut self, node: usize, freeze: bool) {
        self.nodes[node].stopped = freeze;
        self.settle(node);
    }

    fn suspend(&mut self, node: usize, suspend: bool) {
        let machine = &mut self.nodes[node];
        machine.asleep = suspend;
        if suspend {
            machine.clock.suspend();
        } else {
            machine.clock.resume();
        }
        self.settle(node);
    }

    /// Lets the process of a node run only while neither it is stopped nor its machine sleeps.
    fn settle(&mut self, node: usize) {
        let machine = &self.nodes[node];
        let freeze = machine.stopped || machine.asleep;
        let Some(running) = &machine.running else {
            return;
        };
        match (freeze, running.process.is_paused()) {
            (true, false) => self.executor.pause(&running.process),
            (false, true) => {
                self.executor.resume(&running.process);
                self.oracle.thawed(&running.process);
            }
            _ => {}
        }
    }
}
