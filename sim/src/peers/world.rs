use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure_core::{Nanos, Nonce, Version, WallTime};

use super::Peer;
use super::model::{Answer, Ask, Call, Input, Lease, Model, Now, Output};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Direction, Fault, Foreign, Plan, Refusal, Span, Who};
use crate::random::{Purpose, Stream};
use crate::trace::{Down, Frozen, Life, Operation, Record, RequestId, What, WorkEnd};

const HALF_TRIP: u64 = 2_500_000;

#[derive(Clone, Debug)]
enum Event {
    Begin(usize),
    Land(usize, Call, Ask),
    Reply(usize, Call, Answer),
    Restore(usize),
    Start(usize),
    Wake(usize, u64),
}

#[derive(Debug)]
struct Node {
    model: Option<Box<dyn Model>>,
    name: Arc<str>,
    life: u32,
    paused: bool,
    held: VecDeque<Event>,
    ready: bool,
    works: Option<u64>,
    wake: u64,
    jitter: Stream,
    cut: [bool; 2],
    clogged: bool,
    kept: Vec<Event>,
    delay: [u64; 2],
}

pub(super) struct World<'a> {
    plan: &'a Plan,
    peer: Peer,
    at: u64,
    agenda: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    lives: u32,
    nodes: Vec<Node>,
    struck: Vec<Option<usize>>,
    record: Option<(Lease, Version)>,
    revision: u64,
    refusing: Option<Refusal>,
    pub(super) records: Vec<Record>,
    requests: u32,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a Plan, peer: Peer) -> Self {
        let nodes = plan.nodes.iter().enumerate().map(|(index, node)| Node {
            model: None,
            name: Arc::from(node.name.clone().unwrap_or_else(|| format!("n{index}"))),
            life: 0,
            paused: false,
            held: VecDeque::new(),
            ready: false,
            works: None,
            wake: 0,
            jitter: Stream::new(plan.seed, index as u64, Purpose::Elector),
            cut: [false; 2],
            clogged: false,
            kept: Vec::new(),
            delay: [0; 2],
        });
        Self {
            plan,
            peer,
            at: 0,
            agenda: BTreeMap::new(),
            sequence: 0,
            lives: 0,
            nodes: nodes.collect(),
            struck: vec![None; plan.faults.len()],
            record: None,
            revision: 0,
            refusing: None,
            records: Vec::new(),
            requests: 0,
        }
    }

    pub(super) fn run(mut self) -> Self {
        for (index, node) in self.plan.nodes.iter().enumerate() {
            let at = node.starts_at.map_or_else(
                || self.nodes[index].jitter.below(3_000_000_000),
                Span::nanos,
            );
            self.schedule(at, Event::Start(index));
        }
        for index in 0..self.plan.faults.len() {
            self.schedule(self.plan.faults[index].at.nanos(), Event::Begin(index));
        }
        let end = self.plan.end.nanos();
        while let Some(((at, _), event)) = self.agenda.pop_first() {
            if at >= end {
                break;
            }
            self.at = at;
            self.happen(event);
        }
        self.at = end;
        self.tell(None, What::End);
        self
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), event);
    }

    fn tell(&mut self, node: Option<usize>, what: What) {
        let node = node.map(|node| NodeId(u16::try_from(node).expect("few nodes")));
        let at = TrueTime::from_nanos(self.at);
        self.records.push(Record { at, node, what });
    }

    fn now(&mut self, node: usize) -> Now {
        let plan = &self.plan.nodes[node];
        let jitter = u32::try_from(self.nodes[node].jitter.below(1 << 32)).expect("32 bits");
        Now {
            clock: Nanos::new(self.at + plan.uptime.nanos()),
            jitter,
            wall: WallTime::from_unix_micros(plan.wall_s * 1_000_000 + self.at / 1000),
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Begin(fault) => self.begin(fault),
            Event::Restore(fault) => self.restore(fault),
            Event::Start(node) => self.start(node),
            Event::Land(node, call, ask) => {
                let answer = self.serve(ask);
                self.pass(1, node, Event::Reply(node, call, answer));
            }
            Event::Reply(node, ..) | Event::Wake(node, _) if self.nodes[node].paused => {
                self.nodes[node].held.push_back(event);
            }
            Event::Reply(node, call, answer) => self.input(node, Input::Answered(call, answer)),
            Event::Wake(node, wake) => {
                if self.nodes[node].wake == wake {
                    self.input(node, Input::Tick);
                }
            }
        }
    }

    fn start(&mut self, node: usize) {
        self.lives += 1;
        self.nodes[node].life = self.lives;
        self.nodes[node].ready = true;
        let name = Arc::clone(&self.nodes[node].name);
        self.nodes[node].model = Some(self.peer.model(name, self.plan.timing.lease));
        let life = Life(self.lives);
        self.tell(Some(node), What::Up { life });
        self.input(node, Input::Tick);
    }

    fn input(&mut self, node: usize, input: Input) {
        let now = self.now(node);
        let Some(mut model) = self.nodes[node].model.take() else {
            return;
        };
        model.handle(now, input);
        while let Some(output) = model.poll() {
            self.output(node, output);
        }
        if let Some(due) = model.due(now) {
            self.nodes[node].wake += 1;
            let wake = self.nodes[node].wake;
            let wait = due.saturating_sub(now.clock).get();
            self.schedule(self.at + wait, Event::Wake(node, wake));
        }
        self.nodes[node].model = Some(model);
    }

    fn output(&mut self, node: usize, output: Output) {
        match output {
            Output::Abandon(_) | Output::Ended => {}
            Output::Send(call, ask) => {
                self.requests += 1;
                let request = RequestId(self.requests);
                let operation = Operation::Observe;
                let basis = None;
                self.tell(
                    Some(node),
                    What::Sent {
                        request,
                        operation,
                        basis,
                    },
                );
                self.pass(0, node, Event::Land(node, call, ask));
            }
            Output::Start => {
                let token = self.revision;
                self.nodes[node].works = Some(token);
                let sent = TrueTime::from_nanos(self.at);
                let until = TrueTime::END;
                self.tell(Some(node), What::Leads { token, sent, until });
                self.tell(Some(node), What::WorkBegan { token });
            }
            Output::Stop => {
                if let Some(token) = self.nodes[node].works.take() {
                    self.tell(Some(node), What::LeadsNot { token });
                    self.tell(Some(node), What::WorkTold { token });
                    let how = WorkEnd::Returned;
                    self.tell(Some(node), What::WorkEnded { how, token });
                }
            }
        }
    }

    fn pass(&mut self, way: usize, node: usize, event: Event) {
        let link = &mut self.nodes[node];
        if link.cut[way] {
            return;
        }
        if link.clogged {
            link.kept.push(event);
            return;
        }
        let at = self.at + HALF_TRIP + link.delay[way];
        self.schedule(at, event);
    }

    fn serve(&mut self, ask: Ask) -> Answer {
        let write = matches!(ask, Ask::Update(..) | Ask::Create(_));
        match self.refusing {
            Some(Refusal::Forbidden) if !write => {}
            Some(_) => return Answer::Failed,
            None => {}
        }
        match (ask, &self.record) {
            (Ask::Pods, _) => Answer::Pods(
                self.nodes
                    .iter()
                    .filter(|node| node.ready)
                    .map(|node| Arc::clone(&node.name))
                    .collect(),
            ),
            (Ask::Get, None) => Answer::Missing,
            (Ask::Get, Some((lease, version))) => Answer::Read(lease.clone(), *version),
            (Ask::Create(_), Some(_)) => Answer::Conflict,
            (Ask::Create(lease), None) => self.write(lease),
            (Ask::Update(..), None) => Answer::Missing,
            (Ask::Update(basis, lease), Some((_, version))) if basis == *version => {
                self.write(lease)
            }
            (Ask::Update(..), Some(_)) => Answer::Conflict,
        }
    }

    fn write(&mut self, lease: Lease) -> Answer {
        self.revision += 1;
        let version = Version(self.revision);
        self.record = Some((lease, version));
        Answer::Written(version)
    }

    fn who(&self, who: Who) -> Option<usize> {
        let leads = |node: &Node| node.works.is_some();
        match who {
            Who::Node(node) => Some(usize::from(node)),
            Who::Leader => self.nodes.iter().position(leads),
            Who::Follower => self.nodes.iter().position(|node| !leads(node)),
        }
    }

    fn begin(&mut self, fault: usize) {
        let planned = &self.plan.faults[fault];
        let number = u32::try_from(fault).expect("few faults");
        self.tell(None, What::FaultBegan { fault: number });
        let node = planned.what.who().and_then(|who| self.who(who));
        if planned.what.who().is_some() && node.is_none() {
            return;
        }
        self.struck[fault] = node;
        if let Some(lasts) = planned.lasts {
            self.schedule(self.at + lasts.nanos(), Event::Restore(fault));
        }
        self.strike(&planned.what, node.unwrap_or(0), true);
    }

    fn restore(&mut self, fault: usize) {
        let number = u32::try_from(fault).expect("few faults");
        self.tell(None, What::FaultEnded { fault: number });
        let node = self.struck[fault].unwrap_or(0);
        let plan = self.plan;
        self.strike(&plan.faults[fault].what, node, false);
    }

    fn strike(&mut self, what: &Fault, node: usize, begins: bool) {
        match *what {
            Fault::Cut { direction, .. } => {
                let cut = &mut self.nodes[node].cut;
                cut[0] = begins && direction != Direction::Replies;
                cut[1] = begins && direction != Direction::Requests;
            }
            Fault::Clog { .. } => {
                self.nodes[node].clogged = begins;
                if !begins {
                    for event in std::mem::take(&mut self.nodes[node].kept) {
                        self.schedule(self.at + HALF_TRIP, event);
                    }
                }
            }
            Fault::Delay { by, direction, .. } => {
                let by = if begins { by.nanos() } else { 0 };
                let delay = &mut self.nodes[node].delay;
                delay[0] = if direction == Direction::Replies {
                    0
                } else {
                    by
                };
                delay[1] = if direction == Direction::Requests {
                    0
                } else {
                    by
                };
            }
            Fault::Pause { .. } => {
                self.nodes[node].paused = begins;
                if begins {
                    let by = Frozen::Stopped;
                    self.tell(Some(node), What::Frozen { by });
                } else {
                    self.tell(Some(node), What::Thawed);
                    while let Some(event) = self.nodes[node].held.pop_front() {
                        self.happen(event);
                    }
                    self.input(node, Input::Tick);
                }
            }
            Fault::PowerLoss { .. } | Fault::Crash { .. } if begins => {
                self.nodes[node].model = None;
                self.nodes[node].works = None;
                self.nodes[node].ready = matches!(what, Fault::PowerLoss { .. });
                let how = Down::Crashed;
                self.tell(Some(node), What::Down { how });
            }
            Fault::ShutDown { .. } if begins => self.input(node, Input::ShutDown),
            Fault::PowerLoss { .. } | Fault::Crash { .. } | Fault::ShutDown { .. } => {
                self.start(node);
            }
            Fault::Refuse { with } => self.refusing = begins.then_some(with),
            Fault::Foreign(Foreign::Delete) => self.record = None,
            Fault::Foreign(_) => {
                if let Some((lease, _)) = self.record.clone() {
                    self.write(Lease {
                        holder: Some(Arc::from("stranger")),
                        nonce: Nonce(0),
                        ..lease
                    });
                }
            }
            _ => {}
        }
    }
}
