use std::panic::{AssertUnwindSafe, catch_unwind};

use tenure_core::machine::{Input, Outcome, Output, State, WorkEnd};
use tenure_core::{FencingToken, Nanos};

use super::action::{Action, Answer};
use super::configuration::{Before, TICK};
use super::heard::Heard;
use super::names::{NOW, normalise};
use super::rules::{Rules, moment};
use super::store::{self, Newest};
use super::world::{Broken, Call, Life, Lock, Node, Record, Work, World, Write};
use crate::planted::Distortion;

/// One action, and what comes of it.
pub(super) struct Step<'a> {
    rules: &'a Rules,
    pub(super) world: World,
    pub(super) newest: Newest,
    reborn: Option<u8>,
    /// What happens in it, where somebody wants to tell of it.
    heard: Option<Vec<Heard>>,
}

/// The world when the candidates have started.
pub(super) fn start(rules: &Rules) -> World {
    let mut step = Step::new(rules, before(rules), Newest::BEFORE);
    step.begin();
    step.finish()
}

/// The world before anything has happened.
pub(super) fn before(rules: &Rules) -> World {
    let nodes = (0..usize::from(rules.configuration.candidates)).map(|node| Node {
        machine: rules.machine(node),
        call: None,
        delayed: Vec::new(),
        work: Work::None,
        now: NOW,
        ahead: 0,
        unnoticed: 0,
    });
    let record = match rules.configuration.before {
        Before::Missing => None,
        Before::Released => Some(Record {
            identity: 0,
            lock: Lock::Released,
        }),
    };
    World {
        nodes: nodes.collect(),
        record,
        newest_led: false,
        broken: None,
    }
}

/// The world after this action, which must be possible in it.
pub(super) fn after(rules: &Rules, world: &World, action: Action) -> World {
    let mut step = Step::new(rules, world.clone(), Newest::BEFORE);
    // A machine whose assertions fail is a finding like any other.
    let done = catch_unwind(AssertUnwindSafe(|| {
        step.act(action);
        step.finish()
    }));
    done.unwrap_or_else(|_| World {
        broken: Some(Broken::Panic),
        ..world.clone()
    })
}

impl<'a> Step<'a> {
    pub(super) fn new(rules: &'a Rules, world: World, newest: Newest) -> Self {
        Self {
            rules,
            world,
            newest,
            reborn: None,
            heard: None,
        }
    }

    /// The same, and what happens in it is kept.
    pub(super) fn heard(self) -> Self {
        Self {
            heard: Some(Vec::new()),
            ..self
        }
    }

    /// What has happened in it so far, where that is kept.
    pub(super) fn take_heard(&mut self) -> Vec<Heard> {
        self.heard.take().unwrap_or_default()
    }

    fn hear(&mut self, heard: impl FnOnce() -> Heard) {
        if let Some(all) = &mut self.heard {
            all.push(heard());
        }
    }

    /// The candidates start.
    pub(super) fn begin(&mut self) {
        for node in 0..self.world.nodes.len() {
            self.give(node, Input::Tick);
        }
    }

    pub(super) fn finish(self) -> World {
        let mut world = self.world;
        normalise(self.rules, &mut world, self.newest, self.reborn);
        world
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::AnswerArrives(node) => {
                if let Some(Call::Answered(outcome)) = self.node(node).call.take() {
                    self.complete(node, outcome);
                }
            }
            Action::Crash(node) => self.crash(node),
            Action::Delete => store::delete(&mut self.world, &mut self.newest),
            Action::Empty => store::empty(&mut self.world, &mut self.newest),
            Action::DelayedWriteLands(node, index) => {
                let write = self.node(node).delayed.remove(index);
                self.hear(|| Heard::DelayedLanded(node, index));
                self.apply(&write);
            }
            Action::RequestLands(node, answer) => self.land(node, answer),
            Action::Resign(node) => self.give(node, Input::Resign),
            Action::Tick(node) => self.tick(node),
            Action::TickAll => (0..self.world.nodes.len()).for_each(|node| self.tick(node)),
            Action::TickUnnoticed(node) => self.pass(node),
            Action::WorkEnds(node) => self.end_work(node),
        }
        if self.heard.is_some() {
            self.tell_of_hopeless();
        }
        store::forget_hopeless(self.rules, &mut self.world);
    }

    fn tell_of_hopeless(&mut self) {
        for node in 0..self.world.nodes.len() {
            let delayed = self.world.nodes[node].delayed.iter();
            let kept = delayed.map(|write| store::may_fit(self.rules, &self.world, write));
            let kept = kept.collect();
            self.hear(|| Heard::Kept(node, kept));
        }
    }

    fn apply(&mut self, write: &Write) -> Outcome {
        let (existed, before) = (self.world.record.is_some(), self.newest.version);
        let outcome = store::apply(self.rules, &mut self.world, &mut self.newest, write);
        if self.newest.version != before {
            let deed = write.deed;
            self.hear(|| Heard::Wrote { deed, existed });
        }
        outcome
    }

    fn node(&mut self, node: usize) -> &mut Node {
        &mut self.world.nodes[node]
    }

    /// Lets a tick pass on one candidate's clocks.
    fn clock(&mut self, node: usize) {
        let tick = Nanos::from(TICK);
        let node = self.node(node);
        node.now = node.now.plus(tick);
        node.ahead += 1;
        let behind = self.world.nodes.iter().map(|node| node.ahead).min();
        let behind = behind.unwrap_or_default();
        for node in &mut self.world.nodes {
            node.ahead -= behind;
        }
    }

    fn tick(&mut self, node: usize) {
        self.clock(node);
        self.node(node).unnoticed = 0;
        self.give(node, Input::Tick);
    }

    /// A tick that the machine does not notice; the watchdog does.
    fn pass(&mut self, index: usize) {
        self.clock(index);
        let sleeps = self.rules.distorts(Distortion::WatchdogSleeps);
        let node = self.node(index);
        node.unnoticed += 1;
        let over = node.work != Work::None && !node.machine.leads(node.now);
        if over && !sleeps {
            node.work = Work::Aborted;
            self.hear(|| Heard::WorkTold(index));
        }
    }

    fn land(&mut self, node: usize, answer: Answer) {
        self.hear(|| Heard::Landed(node));
        let outcome = match self.node(node).call.take() {
            Some(Call::Read) => {
                Outcome::Observed(store::observe(self.rules, &self.world, self.newest))
            }
            Some(Call::Write(write)) => {
                let write = store::distort(self.rules, &self.world, write);
                let outcome = self.apply(&write);
                store::falsify(self.rules, self.newest, answer, outcome)
            }
            other => {
                self.node(node).call = other;
                return;
            }
        };
        match answer {
            Answer::AtOnce => self.complete(node, outcome),
            Answer::Later => self.node(node).call = Some(Call::Answered(outcome)),
            Answer::Lost if self.rules.distorts(Distortion::ClaimIsAssumed) => {
                self.complete(node, outcome);
            }
            Answer::Lost => self.node(node).call = Some(Call::AnswerLost),
        }
    }

    fn complete(&mut self, node: usize, outcome: Outcome) {
        self.hear(|| Heard::Answered(node, outcome.clone()));
        if let Some(operation) = self.node(node).machine.call() {
            self.give(node, Input::Completed { operation, outcome });
        }
    }

    fn crash(&mut self, index: usize) {
        self.keep_delayed(index);
        let machine = self.rules.machine(index);
        let node = self.node(index);
        node.machine = machine;
        node.work = Work::None;
        node.now = NOW;
        node.unnoticed = 0;
        self.reborn = u8::try_from(index).ok();
        self.give(index, Input::Tick);
    }

    /// Nobody waits any longer for the call that is under way; if it is a write, it may still land.
    fn keep_delayed(&mut self, node: usize) {
        let limit = usize::from(self.rules.configuration.delayed_writes);
        let at = self.node(node);
        let call = at.call.take();
        let is_write = matches!(call, Some(Call::Write(_)));
        if let Some(Call::Write(write)) = call {
            at.delayed.push(write);
        }
        let excess = at.delayed.len().saturating_sub(limit);
        at.delayed.drain(..excess);
        self.hear(|| Heard::Left {
            node,
            is_write,
            excess,
        });
    }

    fn end_work(&mut self, node: usize) {
        let before = std::mem::replace(&mut self.node(node).work, Work::None);
        self.hear(|| Heard::WorkEnded(node, before));
        self.give(node, Input::WorkEnded(WorkEnd::Returned));
    }

    /// Hands an input to one machine, and does what it says.
    fn give(&mut self, index: usize, input: Input) {
        let node = self.node(index);
        let now = node.now;
        node.machine.handle(moment(now), input);
        while let Some(output) = self.node(index).machine.poll() {
            match output {
                Output::Send(id, operation) => {
                    let life = Life(u8::try_from(index).expect("few candidates"));
                    self.node(index).call = store::call(&self.world, self.newest, life, &operation);
                    if self.node(index).call.is_none() {
                        // Membership is a courtesy: it always succeeds.
                        let done = Outcome::Done;
                        return self.courteous(index, id, done);
                    }
                    if self.heard.is_some() {
                        let call = self.node(index).call.clone();
                        self.hear(|| Heard::Sent(index, call));
                    }
                }
                Output::Abandon(_) => self.abandon(index),
                Output::AbortWork => self.abort_work(index),
                Output::StartWork { token, .. } => self.start_work(index, token),
                Output::StopWork(_) => self.stop_work(index),
                Output::Ended | Output::Event(_) | Output::NoteWritten(_) => {}
            }
        }
        let is_told = matches!(self.node(index).work, Work::Aborted | Work::Told);
        if is_told && self.rules.configuration.stop_timeout == 0 {
            self.end_work(index);
        }
    }

    fn courteous(
        &mut self,
        node: usize,
        operation: tenure_core::machine::OperationId,
        outcome: Outcome,
    ) {
        while self.node(node).machine.poll().is_some() {}
        self.give(node, Input::Completed { operation, outcome });
    }

    fn abandon(&mut self, index: usize) {
        self.hear(|| Heard::Abandoned(index));
        self.keep_delayed(index);
    }

    fn start_work(&mut self, index: usize, token: FencingToken) {
        let newest = token.value() == self.newest.token;
        if self.world.newest_led {
            self.world.broken = Some(Broken::Token);
        }
        self.world.newest_led |= newest;
        self.node(index).work = Work::Running;
        self.hear(|| Heard::WorkBegan(index, token.value()));
    }

    fn stop_work(&mut self, index: usize) {
        let node = self.node(index);
        if node.work == Work::None {
            return;
        }
        match (node.machine.state(), node.work) {
            (_, Work::Aborted) => {}
            (State::Draining, _) => node.work = Work::Draining,
            _ => node.work = Work::Told,
        }
        self.hear(|| Heard::WorkTold(index));
    }

    fn abort_work(&mut self, index: usize) {
        let node = self.node(index);
        if node.work != Work::None {
            node.work = Work::Aborted;
        }
    }
}
