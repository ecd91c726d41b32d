//! What a candidate believes, and the watchdog that ends it.

use tenure_core::Nanos;

use super::candidate::{Belief, Candidate};
use super::event::{Asked, Event};
use super::node::Validity;
use super::processes::RESTARTED_AFTER;
use super::timers::Timer;
use super::world::{UP, World, index};
use crate::TrueTime;
use crate::planted::Bug;
use crate::trace::{self, What};

/// Below this a watchdog's wake-up is not set early any more.
const EARLY_MIN: u64 = 1_000_000;
/// How late a watchdog's thread is run at the most.
const GUARD_LATE_MOST: u64 = 300_000;

impl World<'_> {
    /// Tells what the candidate believes now, where that is something else than before.
    pub(super) fn believe(&mut self, node: usize) {
        let process = self.nodes[node].process.as_mut().expect(UP);
        let (before, belief) = (process.validity, process.candidate.belief());
        match (before, belief) {
            (None, None) => {}
            (Some(validity), Some(belief)) if validity.belief.token == belief.token => {
                // What the watchdog has ended stays ended.
                if validity.belief != belief && !validity.over {
                    if let Some(validity) = &mut process.validity {
                        validity.belief = belief;
                    }
                    self.record_leads(node);
                }
            }
            (_, Some(belief)) => {
                self.end_validity(node);
                self.begin_validity(node, belief);
            }
            (Some(_), None) => self.end_validity(node),
        }
    }

    pub(super) fn begin_validity(&mut self, node: usize, belief: Belief) {
        let at = &mut self.nodes[node];
        let process = at.process.as_mut().expect(UP);
        let mut validity = Validity {
            belief,
            over: false,
            watched: None,
        };
        if belief.length.is_some() && self.options.bug.is_none_or(Bug::is_guarded) {
            let left = validity.remaining(at.clocks.reading(self.now));
            validity.watched = Some(at.clocks.boottime(self.now) + early(left));
        }
        process.validity = Some(validity);
        self.record_leads(node);
        self.set_guard(node);
    }

    /// The leadership is over, whoever says so.
    pub(super) fn end_validity(&mut self, node: usize) {
        let process = self.nodes[node].process.as_mut().expect(UP);
        if let Some(validity) = &mut process.validity
            && !validity.over
        {
            validity.over = true;
            let token = validity.belief.token;
            self.record(node, What::LeadsNot { token });
        }
        self.forget_validity(node);
    }

    /// Nobody looks at a leadership any more that is over and whose work has ended.
    pub(super) fn forget_validity(&mut self, node: usize) {
        let process = self.nodes[node].process.as_mut().expect(UP);
        if process.work.is_none() && process.validity.is_some_and(|validity| validity.over) {
            process.validity = None;
            self.timers.set(node, Timer::Guard, TrueTime::END);
        }
    }

    /// Tells until when the candidate says that it leads, by its own clocks as they go now.
    pub(super) fn record_leads(&mut self, node: usize) {
        let at = &self.nodes[node];
        let Some(process) = &at.process else {
            return;
        };
        let Some(Validity {
            belief,
            over: false,
            ..
        }) = process.validity
        else {
            return;
        };
        let until = match belief.length {
            Some(length) => at.clocks.when_passed(belief.since, length).max(self.now),
            None => TrueTime::END,
        };
        let sent = process.sent_at(belief.since).unwrap_or(self.now);
        let token = belief.token;
        self.record(node, What::Leads { token, sent, until });
    }

    /// Has the watchdog woken when it wants to be.
    pub(super) fn set_guard(&mut self, node: usize) {
        let at = &self.nodes[node];
        let validity = at.process.as_ref().and_then(|process| process.validity);
        let rings = match validity.and_then(|validity| validity.watched) {
            Some(target) if at.frozen.is_none() => at.clocks.when_boottime(target),
            _ => None,
        };
        let rings = rings.unwrap_or(TrueTime::END).max(self.now);
        self.timers.set(node, Timer::Guard, rings);
    }

    /// What the thread of a watchdog does: ends a leadership whose deadline has passed, and a process whose work then goes on.
    pub(super) fn guard(&mut self, node: usize) {
        let now = self.now;
        let at = &mut self.nodes[node];
        let reading = at.clocks.reading(now);
        let late = at.works.below(GUARD_LATE_MOST);
        let boottime = at.clocks.boottime(now);
        let grace = Nanos::from(at.timing.grace());
        let Some(process) = &mut at.process else {
            return;
        };
        let Some(validity) = &mut process.validity else {
            return;
        };
        let Belief {
            length: Some(length),
            since,
            token,
        } = validity.belief
        else {
            return;
        };
        let left = validity.remaining(reading);
        if left > Nanos::ZERO {
            validity.watched = Some(boottime + early(left));
        } else if !validity.over {
            let life = process.life;
            validity.watched = Some(boottime + 1);
            let event = trace::Told::WatchdogFired;
            self.end_validity(node);
            self.record(node, What::Told { event, token });
            self.tell_work(node);
            let ask = Asked::WatchdogFired;
            self.after(
                0,
                Event::Asked {
                    ask,
                    life,
                    node: index(node),
                },
            );
        } else {
            let abort = length
                .saturating_add(grace)
                .saturating_add(Nanos::new(late));
            let passed = reading.longest_since(since);
            let left = abort.saturating_sub(passed);
            validity.watched = Some(boottime + early(left).max(1));
            if left == Nanos::ZERO && process.work.is_some() {
                self.kill(node);
                let event = Event::Start { node: index(node) };
                return self.after(RESTARTED_AFTER, event);
            }
        }
        self.set_guard(node);
    }
}

/// Early, as who must not be late is woken; nobody is woken by the clock that nobody slews.
fn early(left: Nanos) -> u64 {
    let left = left.get();
    if left <= EARLY_MIN {
        left
    } else {
        left - left / 10
    }
}
