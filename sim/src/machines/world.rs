use tenure_core::backend::{LockKind, Proof};
use tenure_core::event::Event as Happening;
use tenure_core::machine::{
    Eligibility, Input, Machine, Membership, Moment, OnMissing, Output, Settings, WorkEnd,
};
use tenure_core::{CandidateId, CandidateName, Incarnation, Nanos};

use super::candidate::{Belief, Candidate, Running};
use super::delivery::Call;
use super::event::{Asked, Event};
use super::faults::{Active, Conditions, Deed};
use super::node::{Node, Process, Validity};
use super::timers::{Timer, Timers};
use super::work::{Told, Work};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Backend, OnMissingPlan, Plan};
use crate::planted::{Bug, Distortion};
use crate::random::{Purpose, Stream};
use crate::run::Options;
use crate::trace::{self, Ask, Chronicle, Down, Life, What};
use crate::world::{Queue, Server, Slab};

/// How soon a supervisor starts a process again that nobody asked to end.
const RESTARTED_AFTER: u64 = 1_000_000_000;
/// Below this a watchdog's wake-up is not set early any more.
const EARLY_MIN: u64 = 1_000_000;
/// How late a watchdog's thread is run at the most.
const GUARD_LATE_MOST: u64 = 2_000_000;

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
    pub(super) nodes: Vec<Node>,
    pub(super) now: TrueTime,
    options: Options,
    pub(super) plan: &'a Plan,
    pub(super) queue: Queue<Event>,
    pub(super) requests: u32,
    /// The largest token that the resource has been shown.
    resource: u64,
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
            chronicle: Chronicle::new(plan.facts(), options.keep),
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

    fn step(&mut self) {
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

    fn happen(&mut self, event: Event) {
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

    fn moment(&mut self, node: usize) -> Moment {
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
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let moment = self.moment(node);
            let process = self.nodes[node].process.as_mut().expect(UP);
            process.candidate.handle(moment, input);
            self.believe(node);
            loop {
                // What one output does may end the process.
                let Some(process) = &mut self.nodes[node].process else {
                    return;
                };
                let Some(output) = process.candidate.poll() else {
                    break;
                };
                next = self.act(node, moment, output).or(next);
            }
        }
        self.set_alarm(node);
    }

    /// Has the candidate woken when it wants to be.
    pub(super) fn set_alarm(&mut self, node: usize) {
        let now = self.now;
        let at = &self.nodes[node];
        let mut rings = TrueTime::END;
        if at.runs()
            && let Some(process) = &at.process
        {
            let reading = at.clocks.reading(now);
            if let Some(wait) = process.candidate.wake_after(reading) {
                let target = at.clocks.timers(now).saturating_add(wait.get());
                rings = at.clocks.when_timers(target).unwrap_or(TrueTime::END);
            }
        }
        self.timers.set(node, Timer::Wake, rings.max(now));
    }

    fn act(&mut self, node: usize, moment: Moment, output: Output) -> Option<Input> {
        match output {
            Output::Abandon(id) => self.abandon(node, Some(id)),
            Output::AbortWork => {
                self.end_work(node, trace::WorkEnd::Aborted);
                return Some(Input::WorkEnded(WorkEnd::Returned));
            }
            Output::Ended => self.ended(node),
            Output::Event(event) => self.tell(node, &event),
            Output::NoteWritten(_) => {}
            Output::Send(id, operation) => self.send(node, moment, id, operation),
            Output::StartWork { token, .. } => self.start_work(node, token.value()),
            Output::StopWork(_) => self.tell_work(node),
        }
        None
    }

    fn tell(&mut self, node: usize, event: &Happening) {
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

    /// Tells what the candidate believes now, where that is something else than before.
    fn believe(&mut self, node: usize) {
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

    fn begin_validity(&mut self, node: usize, belief: Belief) {
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
    fn end_validity(&mut self, node: usize) {
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
    fn forget_validity(&mut self, node: usize) {
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
    fn guard(&mut self, node: usize) {
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

    fn start_work(&mut self, node: usize, token: u64) {
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
    fn tell_work(&mut self, node: usize) {
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

    fn work_goes_on(&mut self, node: usize) {
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

    fn work_returns(&mut self, node: usize, ran: u64, told: bool) {
        self.end_work(node, trace::WorkEnd::Returned);
        self.drive(node, Input::WorkEnded(WorkEnd::Returned));
        if !told {
            self.give_way(node, ran);
        }
    }

    fn give_way(&mut self, node: usize, ran: u64) {
        if let Some(process) = &mut self.nodes[node].process {
            let wait = std::time::Duration::from_nanos(process.backs_off(ran));
            self.drive(node, Input::GiveWay(wait));
        }
    }

    fn work_panics(&mut self, node: usize, life: Life, event: Event) {
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
    fn end_work(&mut self, node: usize, how: trace::WorkEnd) {
        let process = self.nodes[node].process.as_mut().expect(UP);
        if let Some(work) = process.work.take() {
            let token = work.token;
            self.record(node, What::WorkEnded { how, token });
            self.timers.set(node, Timer::Work, TrueTime::END);
            self.forget_validity(node);
        }
    }

    fn asked(&mut self, node: usize, life: Life, ask: Asked, event: Event) {
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
    fn is_held(&mut self, node: usize) -> bool {
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

    fn candidate(&mut self, node: usize, life: Life) -> (CandidateId, Running) {
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

    fn settings(&mut self, node: usize, life: Life) -> Settings {
        let at = &mut self.nodes[node];
        let own = NodeId(index(node)).to_string();
        let name = at.plan.name.as_deref().unwrap_or(&own);
        let name = CandidateName::new(name)
            .or_else(|_| CandidateName::new(&own))
            .expect("a node's id is a name");
        let bits = u128::from(at.jitter.next_u64()) << 32 | u128::from(life.0);
        let timing = at.timing;
        let leased = self.plan.backend == Backend::Lease;
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
    fn ended(&mut self, node: usize) {
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

    fn down(&mut self, node: usize, how: Down) {
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

/// Early, as who must not be late is woken; nobody is woken by the clock that nobody slews.
fn early(left: Nanos) -> u64 {
    let left = left.get();
    if left <= EARLY_MIN {
        left
    } else {
        left - left / 10
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
