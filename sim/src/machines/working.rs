//! What the work on a node does.

use tenure_core::machine::{Input, WorkEnd};

use super::event::Event;
use super::timers::Timer;
use super::work::{Told, Work};
use super::world::{UP, World};
use crate::TrueTime;
use crate::trace::{self, Life, What};

impl World<'_> {
    pub(super) fn start_work(&mut self, node: usize, token: u64) {
        let lasts = self.now < self.plan.quiet_from.from_start();
        let at = &mut self.nodes[node];
        let lasts = at
            .plan
            .work_lasts
            .filter(|_| lasts)
            .map(|lasts| lasts.nanos());
        let work = Work::new(at.clocks.timers(self.now), token, lasts);
        at.process.as_mut().expect(UP).work = Some(work);
        self.record(node, What::WorkBegan { token });
        self.set_work(node);
    }

    /// Has the work woken when it wants to be.
    pub(super) fn set_work(&mut self, node: usize) {
        let at = &self.nodes[node];
        let mut rings = None;
        if at.runs()
            && let Some(work) = at
                .process
                .as_ref()
                .and_then(|process| process.work.as_ref())
        {
            rings = at.clocks.when_timers(work.next());
        }
        let rings = rings.unwrap_or(TrueTime::END).max(self.now);
        self.timers.set(node, Timer::Work, rings);
    }

    /// Tells the work to stop: to finish, as long as the leadership is valid; at once otherwise.
    pub(super) fn tell_work(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        let now = at.clocks.timers(self.now);
        let process = at.process.as_mut().expect(UP);
        let valid = process.validity.is_some_and(|validity| !validity.over);
        let Some(work) = &mut process.work else {
            return;
        };
        let (told, takes) = if valid {
            (Told::ToFinish, at.plan.drain_takes)
        } else {
            (Told::ToStop, at.plan.stop_takes)
        };
        if work.told >= told {
            return;
        }
        work.tell(now, told, takes.nanos(), at.deaf);
        let token = work.token;
        self.record(node, What::WorkTold { token });
        self.set_work(node);
    }

    pub(super) fn work_goes_on(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        let now = at.clocks.timers(self.now);
        let Some(process) = &mut at.process else {
            return;
        };
        let Some(work) = &mut process.work else {
            return;
        };
        if work.ends.is_some_and(|ends| ends <= now) {
            let ran = now.saturating_sub(work.began);
            let told = work.told != Told::Nothing;
            return self.work_returns(node, ran, told);
        }
        if work.touches <= now {
            let token = work.token;
            work.touched(now, &mut at.works);
            let accepted = token >= self.resource;
            self.resource = self.resource.max(token);
            self.record(node, What::Touched { accepted, token });
        }
        self.set_work(node);
    }

    pub(super) fn work_returns(&mut self, node: usize, ran: u64, told: bool) {
        self.end_work(node, trace::WorkEnd::Returned);
        self.drive(node, Input::WorkEnded(WorkEnd::Returned));
        if !told {
            self.give_way(node, ran);
        }
    }

    pub(super) fn give_way(&mut self, node: usize, ran: u64) {
        if let Some(process) = &mut self.nodes[node].process {
            let wait = std::time::Duration::from_nanos(process.backs_off(ran));
            self.drive(node, Input::GiveWay(wait));
        }
    }

    pub(super) fn work_panics(&mut self, node: usize, life: Life, event: Event) {
        if !self.has_time(node, life, event) {
            return;
        }
        let at = &self.nodes[node];
        let now = at.clocks.timers(self.now);
        let work = at
            .process
            .as_ref()
            .and_then(|process| process.work.as_ref());
        let Some(ran) = work.map(|work| now.saturating_sub(work.began)) else {
            return;
        };
        self.end_work(node, trace::WorkEnd::Panicked);
        self.drive(node, Input::WorkEnded(WorkEnd::Panicked));
        self.give_way(node, ran);
    }

    /// Nothing of the work runs any more.
    pub(super) fn end_work(&mut self, node: usize, how: trace::WorkEnd) {
        let process = self.nodes[node].process.as_mut().expect(UP);
        if let Some(work) = process.work.take() {
            let token = work.token;
            self.record(node, What::WorkEnded { how, token });
            self.timers.set(node, Timer::Work, TrueTime::END);
            self.forget_validity(node);
        }
    }
}
