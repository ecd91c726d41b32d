//! What a store tells without being asked.

use tenure_core::backend::Hint;
use tenure_core::machine::Input;
use tenure_core::memory::Told;

use super::delivery::observed;
use super::event::{Event, Hinted};
use super::world::{World, index};
use crate::executor::NodeId;
use crate::trace::{Life, What};
use crate::world::Caller;

/// How long a client waits until it connects again, in nanoseconds.
const CONNECTS_AFTER: u64 = 100_000_000;

impl World<'_> {
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

    pub(super) fn send_hint(&mut self, node: usize, life: Life, told: Hinted, late: u64) {
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
}
