use tenure_core::event::Event as Happening;
use tenure_core::machine::{Eligibility, Input, Moment, Outcome, Output, WorkEnd};
use tenure_core::{Nanos, Reading};

use super::candidate::Candidate;
use super::delivery::Call;
use super::event::{Asked, Event};
use super::faults::{Active, Conditions, Deed};
use super::node::Node;
use super::timers::{Timer, Timers};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::Plan;
use crate::planted::{Bug, Distortion};
use crate::random::{Purpose, Stream};
use crate::run::Options;
use crate::trace::{self, Ask, Chronicle, Life, What};
use crate::world::{Queue, Server, Slab};

/// A run.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) active: Vec<Active>,
    pub(super) calls: Slab<Call>,
    pub(super) chronicle: Chronicle,
    pub(super) conditions: Conditions,
    pub(super) deeds: Vec<Deed>,
    pub(super) distortion: Option<Distortion>,
    pub(super) draw: Stream,
    pub(super) ended: bool,
    pub(super) events: u64,
    pub(super) hints: Slab<tenure_core::backend::Observation>,
    /// What the store holds back until it answers again.
    pub(super) hung: Vec<u32>,
    pub(super) lives: u32,
    pub(super) next_deed: usize,
    /// What each call is answered with, once it has landed.
    pub(super) outcomes: Vec<Option<Outcome>>,
    pub(super) nodes: Vec<Node>,
    pub(super) now: TrueTime,
    pub(super) options: Options,
    pub(super) plan: &'a Plan,
    pub(super) queue: Queue<Event>,
    pub(super) requests: u32,
    /// The largest token that the resource has been shown.
    pub(super) resource: u64,
    /// Whether a store of records tells what the record has become, and not only that it has changed.
    pub(super) shows: bool,
    pub(super) server: Server,
    pub(super) timers: Timers,
}

pub(super) const UP: &str = "only a process that runs does this";

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a Plan, options: &Options) -> Self {
        let distortion = options.bug.and_then(Bug::distortion);
        let nodes: Vec<Node> = (0_u16..)
            .take(plan.nodes.len())
            .map(|index| {
                let timing = plan.timing(usize::from(index));
                let timing = timing.unwrap_or_else(|_| tenure_core::Timing::standard());
                Node::new(plan, index, timing, distortion)
            })
            .collect();
        let tie = Stream::new(plan.seed, 0, Purpose::Schedule);
        let mut draw = Stream::new(plan.seed, 1, Purpose::Schedule);
        let shows = draw.happens(500);
        Self {
            active: Vec::new(),
            calls: Slab::new(),
            chronicle: match options.peer {
                Some(_) => Chronicle::new(plan.facts(), options.keep).of_a_peer(),
                None => Chronicle::new(plan.facts(), options.keep),
            },
            conditions: Conditions::default(),
            deeds: Deed::all(plan),
            distortion,
            draw,
            ended: false,
            events: 0,
            hints: Slab::new(),
            hung: Vec::new(),
            lives: 0,
            next_deed: 0,
            outcomes: Vec::new(),
            now: TrueTime::START,
            options: *options,
            plan,
            queue: Queue::new(),
            requests: 0,
            resource: 0,
            shows,
            server: Server::new(plan, longest_lease(&nodes) / 4),
            timers: Timers::new(nodes.len(), tie),
            nodes,
        }
    }

    /// Runs until the plan's end.
    pub(super) fn run(&mut self) {
        self.conditions = self.conditions_now();
        for node in 0..self.nodes.len() {
            let (rate_ppm, slew_ppm) = self.nodes[node].clocks.rates();
            self.record(node, What::Clock { rate_ppm, slew_ppm });
            let at = self.nodes[node].plan.starts_at.map_or_else(
                || TrueTime::from_nanos(self.nodes[node].works.below(3_000_000_000)),
                |starts| starts.from_start(),
            );
            self.at(at, Event::Start { node: index(node) });
        }
        self.schedule_deed();
        if self.server.counts_sessions() {
            self.at(self.now, Event::Reap);
        }
        while !self.ended {
            self.step();
        }
    }

    pub(super) fn step(&mut self) {
        let (timer_key, node, timer) = self.timers.next();
        let queued = self.queue.next();
        self.events += 1;
        if queued.is_some_and(|queued| queued <= timer_key) {
            let (at, _) = queued.expect("just seen");
            self.now = at.max(self.now);
            let event = self.queue.pop().expect("just seen");
            self.happen(event);
            return;
        }
        self.now = timer_key.0.max(self.now);
        self.timers.set(node, timer, TrueTime::END);
        match timer {
            Timer::Guard => self.guard(node),
            Timer::Wake | Timer::Work if self.is_held(node) => {}
            Timer::Wake => self.drive(node, Input::Tick),
            Timer::Work => self.work_goes_on(node),
        }
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Answer { call } => self.answer(call, event),
            Event::Asked { ask, life, node } => self.asked(usize::from(node), life, ask, event),
            Event::Close { session } => self.close(session),
            Event::Deed => self.do_deed(),
            Event::Hint { life, node, told } => self.hint(usize::from(node), life, told, event),
            Event::Land { call } => self.land(call, event),
            Event::Lost { call } => self.lost(call, event),
            Event::Ping { life, node } => self.ping(usize::from(node), life),
            Event::Reap => self.reap(),
            Event::Run { node } => self.given_time(usize::from(node)),
            Event::Start { node } => self.start(usize::from(node)),
            Event::WorkPanics { life, node } => self.work_panics(usize::from(node), life, event),
        }
    }

    pub(super) fn at(&mut self, at: TrueTime, event: Event) {
        let tie = self.timers.tie();
        self.queue.push(at, tie, event);
    }

    pub(super) fn after(&mut self, nanos: u64, event: Event) {
        let at = TrueTime::from_nanos(self.now.nanos().saturating_add(nanos));
        self.at(at, event);
    }

    pub(super) fn record(&mut self, node: usize, what: What) {
        let id = NodeId(index(node));
        self.chronicle.record(self.now, Some(id), what);
    }

    pub(super) fn record_of_world(&mut self, what: What) {
        self.chronicle.record(self.now, None, what);
    }

    pub(super) fn moment(&mut self, node: usize) -> Moment {
        let node = &mut self.nodes[node];
        let reading = node.clocks.reading(self.now);
        let jitter = node.jitter.next_u64() >> 32;
        Moment {
            jitter: u32::try_from(jitter).expect("the high half has 32 bits"),
            reading,
            wall: node.clocks.wall(reading),
        }
    }

    /// Hands an input to a candidate that runs, and does all that it says.
    pub(super) fn drive(&mut self, node: usize, input: Input) {
        let moment = self.moment(node);
        let aborted = self.drive_once(node, moment, input);
        if aborted && self.nodes[node].process.is_some() {
            let moment = self.moment(node);
            self.drive_once(node, moment, Input::WorkEnded(WorkEnd::Returned));
        }
        if self.nodes[node].process.is_some() {
            self.set_alarm_by(node, moment.reading);
        }
    }

    /// Says whether the work was aborted, which the candidate has to be told of.
    fn drive_once(&mut self, node: usize, moment: Moment, input: Input) -> bool {
        let process = self.nodes[node].process.as_mut().expect(UP);
        process.candidate.handle(moment, input);
        self.believe(node);
        let mut aborted = false;
        // What one output does may end the process.
        while let Some(process) = &mut self.nodes[node].process {
            match process.candidate.poll() {
                None => break,
                Some(Output::Send(id, operation)) => self.send(node, moment, id, operation),
                Some(Output::AbortWork) => {
                    self.end_work(node, trace::WorkEnd::Aborted);
                    aborted = true;
                }
                Some(output) => self.act(node, output),
            }
        }
        aborted
    }

    /// Has the candidate woken when it wants to be.
    pub(super) fn set_alarm(&mut self, node: usize) {
        let reading = self.nodes[node].clocks.reading(self.now);
        self.set_alarm_by(node, reading);
    }

    /// The same, with what its clocks show now.
    fn set_alarm_by(&mut self, node: usize, reading: Reading) {
        let now = self.now;
        let at = &self.nodes[node];
        let mut rings = TrueTime::END;
        if at.runs()
            && let Some(process) = &at.process
            && let Some(wait) = process.candidate.wake_after(reading)
        {
            let target = at.clocks.timers(now).saturating_add(wait.get());
            rings = at.clocks.when_timers(target).unwrap_or(TrueTime::END);
        }
        self.timers.set(node, Timer::Wake, rings.max(now));
    }

    pub(super) fn act(&mut self, node: usize, output: Output) {
        match output {
            Output::Abandon(id) => self.abandon(node, Some(id)),
            Output::Ended => self.ended(node),
            Output::Event(event) => self.tell(node, &event),
            // Whoever drives the candidate has taken care of these two.
            Output::AbortWork | Output::Send(..) | Output::NoteWritten(_) => {}
            Output::StartWork { token, .. } => self.start_work(node, token.value()),
            Output::StopWork(_) => self.tell_work(node),
        }
    }

    pub(super) fn tell(&mut self, node: usize, event: &Happening) {
        let (event, token) = match event {
            Happening::Started { token } => (trace::Told::Started, *token),
            Happening::JeopardyBegan { token } => (trace::Told::JeopardyBegan, *token),
            Happening::JeopardyEnded { token } => (trace::Told::JeopardyEnded, *token),
            Happening::Draining { token, .. } => (trace::Told::Draining, *token),
            Happening::Stopping { token, .. } => (trace::Told::Stopping, *token),
            Happening::Stopped { token, .. } => (trace::Told::Stopped, *token),
            Happening::Overrun { token } => (trace::Told::Overrun, *token),
            Happening::ReleaseFailed { token } => (trace::Told::ReleaseFailed, *token),
            Happening::Waiting { .. } => {
                let (event, token) = (trace::Told::Waiting, 0);
                return self.record(node, What::Told { event, token });
            }
            _ => return,
        };
        let token = token.value();
        self.record(node, What::Told { event, token });
    }

    pub(super) fn asked(&mut self, node: usize, life: Life, ask: Asked, event: Event) {
        if !self.has_time(node, life, event) {
            return;
        }
        let process = self.nodes[node].process.as_mut().expect(UP);
        let input = match ask {
            Asked::For(Ask::Eligible) => Input::SetEligibility(Eligibility::Eligible),
            Asked::For(Ask::Ineligible) => Input::SetEligibility(Eligibility::Ineligible),
            Asked::For(Ask::Resign) => Input::Resign,
            Asked::For(Ask::ShutDown) => {
                process.ending = true;
                Input::ShutDown
            }
            Asked::WatchdogFired => Input::WatchdogFired,
        };
        self.drive(node, input);
    }

    /// Whether the process of this life can take something in now. Otherwise it finds it when it can.
    pub(super) fn has_time(&mut self, node: usize, life: Life, event: Event) -> bool {
        if self.nodes[node].life() != Some(life) {
            return false;
        }
        let held = self.is_held(node);
        if held {
            self.nodes[node].inbox.push(event);
        }
        !held
    }

    /// Whether the process does not run now. A starved one that does is made to wait.
    pub(super) fn is_held(&mut self, node: usize) -> bool {
        let at = &mut self.nodes[node];
        let (Some(most), true) = (at.starved, at.runs()) else {
            return !at.runs();
        };
        let wait = at.works.below(most.max(1));
        at.held = true;
        self.after(wait, Event::Run { node: index(node) });
        self.set_alarm(node);
        self.set_work(node);
        true
    }

    /// A starved process is given time: it does all that it has to.
    pub(super) fn given_time(&mut self, node: usize) {
        if !std::mem::take(&mut self.nodes[node].held) {
            return;
        }
        // While it goes through what has come it is not starved again.
        let starved = self.nodes[node].starved.take();
        self.empty_inbox(node);
        if self.nodes[node].runs() {
            self.work_goes_on(node);
        }
        if self.nodes[node].runs() {
            self.drive(node, Input::Tick);
        }
        self.nodes[node].starved = starved;
    }

    /// The process runs again, and finds what has come meanwhile.
    pub(super) fn empty_inbox(&mut self, node: usize) {
        if self.nodes[node].runs() {
            let mut inbox = std::mem::take(&mut self.nodes[node].inbox);
            for event in inbox.drain(..) {
                self.happen(event);
            }
            // Its room is kept for the next time.
            if self.nodes[node].inbox.is_empty() {
                self.nodes[node].inbox = inbox;
            }
        }
        self.set_alarm(node);
        self.set_guard(node);
        self.set_work(node);
    }
}

fn longest_lease(nodes: &[Node]) -> u64 {
    let leases = nodes
        .iter()
        .map(|node| Nanos::from(node.timing.lease_duration()).get());
    leases.max().unwrap_or(0)
}

pub(super) fn index(node: usize) -> u16 {
    u16::try_from(node).expect("a plan has fewer than 2^16 nodes")
}
