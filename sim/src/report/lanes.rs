//! What a page draws, as data: intervals for each node, the lock and the faults; requests; transitions. Times are microseconds.

use serde::Serialize;

use super::step::{Step, StepKind};
use super::words;
use super::{Report, story};
use crate::TrueTime;
use crate::plan::{Foreign, Who};
use crate::trace::{Answer, Deed, Life, Record, RequestId, What};

/// More requests than this are counted by time and listed only where they are special.
const REQUESTS_MOST: usize = 6_000;
/// More transitions than this make a page heavy; the least telling are left out first.
const STEPS_MOST: usize = 6_000;
/// Into how many parts a run is cut to count requests.
const PARTS: u64 = 2_000;

#[derive(Serialize, Debug)]
pub(super) struct Lanes {
    end: u64,
    quiet: u64,
    nodes: Vec<NodeLane>,
    lock: Vec<Hold>,
    faults: Vec<FaultBand>,
    requests: Vec<Request>,
    /// How many requests were sent in each of equal parts of the run, when they are too many to be listed.
    counts: Option<Vec<u32>>,
    steps: Vec<Shown>,
    /// How many transitions were left out.
    left_out: usize,
}

#[derive(Serialize, Debug)]
struct NodeLane {
    name: String,
    up: Vec<Span3>,
    frozen: Vec<Span3>,
    belief: Vec<Span3>,
    work: Vec<Span3>,
    /// When the clock's rate changes, and by how many millionths it is off since.
    clock: Vec<(u64, i64)>,
}

/// From, to, and a number or words for it.
#[derive(Serialize, Debug)]
struct Span3(u64, u64, String);

/// Who holds the lock, from when to when.
#[derive(Serialize, PartialEq, Eq, Debug)]
struct Hold {
    from: u64,
    to: u64,
    holder: Option<u16>,
    what: String,
}

#[derive(Serialize, Debug)]
struct FaultBand {
    from: u64,
    to: u64,
    node: Option<u16>,
    name: String,
}

#[derive(Serialize, Debug)]
struct Request {
    node: u16,
    sent: u64,
    landed: Option<u64>,
    ended: Option<u64>,
    name: &'static str,
    answer: &'static str,
    zombie: bool,
}

#[derive(Serialize, Debug)]
struct Shown {
    at: u64,
    node: Option<u16>,
    kind: StepKind,
    text: String,
    lanes: String,
}

fn micros(at: TrueTime) -> u64 {
    at.nanos() / 1_000
}

impl Lanes {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let mut drawing = Drawing::new(report);
        for record in report.records {
            drawing.see(record);
        }
        let steps = story::steps(report.plan, report.records, report.breaches);
        drawing.finish(steps)
    }
}

/// What is open until something ends it.
#[derive(Default)]
struct Open {
    up: Option<(u64, String)>,
    frozen: Option<(u64, String)>,
    belief: Option<Belief>,
    work: Option<(u64, String)>,
}

struct Belief {
    from: u64,
    until: u64,
    token: u64,
}

struct Drawing<'a> {
    report: &'a Report<'a>,
    end: u64,
    lanes: Vec<NodeLane>,
    open: Vec<Open>,
    lives: Vec<(Life, u16)>,
    lock: Vec<Hold>,
    faults: Vec<Option<FaultBand>>,
    requests: Vec<(RequestId, Request)>,
    last_leader: Option<u16>,
}

impl<'a> Drawing<'a> {
    fn new(report: &'a Report<'a>) -> Self {
        let last = report
            .records
            .last()
            .map_or(TrueTime::START, |last| last.at);
        let nodes = report.plan.nodes.iter().enumerate();
        let lane = |(index, node): (usize, &crate::plan::NodePlan)| NodeLane {
            name: match &node.name {
                Some(name) => format!("n{index} {name}"),
                None => format!("n{index}"),
            },
            up: Vec::new(),
            frozen: Vec::new(),
            belief: Vec::new(),
            work: Vec::new(),
            clock: vec![(0, node.rate_ppm)],
        };
        Self {
            report,
            end: micros(report.plan.end.from_start().max(last)),
            lanes: nodes.map(lane).collect(),
            open: report.plan.nodes.iter().map(|_| Open::default()).collect(),
            lives: Vec::new(),
            lock: Vec::new(),
            faults: report.plan.faults.iter().map(|_| None).collect(),
            requests: Vec::new(),
            last_leader: None,
        }
    }

    fn see(&mut self, record: &Record) {
        let at = micros(record.at);
        let index = record.node.map(|node| usize::from(node.0));
        if let Some(index) = index.filter(|index| *index < self.lanes.len()) {
            self.of_node(at, index, &record.what);
            self.of_request(at, index, &record.what);
        }
        match record.what {
            What::FaultBegan { fault } => self.fault_began(at, fault, record.node.map(|n| n.0)),
            What::FaultEnded { fault } => {
                if let Some(Some(band)) = self.faults.get_mut(fault as usize) {
                    band.to = at;
                }
            }
            What::Quiet => {
                for band in self.faults.iter_mut().flatten() {
                    band.to = band.to.min(at.max(band.from));
                }
            }
            What::Landed { request, zombie } => {
                if let Some(one) = self.request(request) {
                    one.landed.get_or_insert(at);
                    one.zombie |= zombie;
                }
            }
            What::Wrote { deed, holder, .. } if deed != Deed::Renewed => {
                self.wrote(at, deed, holder);
            }
            _ => {}
        }
    }

    fn of_node(&mut self, at: u64, index: usize, what: &What) {
        let (lane, open) = (&mut self.lanes[index], &mut self.open[index]);
        let node = u16::try_from(index).unwrap_or(u16::MAX);
        match *what {
            What::Up { life } => {
                self.lives.push((life, node));
                open.up = Some((at, format!("life {}", life.0)));
            }
            What::Down { .. } => close(lane, open, at),
            What::Frozen { by } => open.frozen = Some((at, words::frozen(by).to_owned())),
            What::Thawed => shut(&mut lane.frozen, &mut open.frozen, at),
            What::Clock { rate_ppm, slew_ppm } => {
                lane.clock.push((at, rate_ppm.saturating_add(slew_ppm)));
            }
            What::Leads { token, until, .. } => {
                self.last_leader = Some(node);
                let until = micros(until);
                match &mut open.belief {
                    Some(belief) if belief.token == token && at <= belief.until => {
                        belief.until = until;
                    }
                    belief => {
                        end_belief(&mut lane.belief, belief, at);
                        *belief = Some(Belief {
                            from: at,
                            until,
                            token,
                        });
                    }
                }
            }
            What::LeadsNot { .. } => end_belief(&mut lane.belief, &mut open.belief, at),
            What::WorkBegan { token } => {
                shut(&mut lane.work, &mut open.work, at);
                open.work = Some((at, format!("token {token}")));
            }
            What::WorkEnded { .. } => shut(&mut lane.work, &mut open.work, at),
            _ => {}
        }
    }

    fn of_request(&mut self, at: u64, index: usize, what: &What) {
        let node = u16::try_from(index).unwrap_or(u16::MAX);
        match *what {
            What::Sent {
                request, operation, ..
            } => self.requests.push((
                request,
                Request {
                    node,
                    sent: at,
                    landed: None,
                    ended: None,
                    name: words::operation(operation),
                    answer: "no answer",
                    zombie: false,
                },
            )),
            What::Answered { request, answer } => {
                if let Some(one) = self.request(request) {
                    one.ended = Some(at);
                    one.answer = words::answer(answer);
                }
            }
            What::Abandoned { request } => {
                if let Some(one) = self.request(request) {
                    one.ended = Some(at);
                    one.answer = "given up, outcome unknown";
                }
            }
            _ => {}
        }
    }

    /// Requests are numbered in the order in which they are sent.
    fn request(&mut self, id: RequestId) -> Option<&mut Request> {
        let place = self.requests.binary_search_by_key(&id, |one| one.0).ok()?;
        self.requests.get_mut(place).map(|one| &mut one.1)
    }

    fn fault_began(&mut self, at: u64, index: u32, node: Option<u16>) {
        let index = index as usize;
        let (Some(planned), Some(band)) = (
            self.report.plan.faults.get(index),
            self.faults.get_mut(index),
        ) else {
            return;
        };
        let struck = match planned.what.who() {
            Some(Who::Node(node)) => Some(node),
            Some(Who::Leader) => node.or(self.last_leader),
            Some(Who::Follower) | None => node,
        };
        let lasts = planned.lasts.map_or(0, |lasts| lasts.nanos() / 1_000);
        *band = Some(FaultBand {
            from: at,
            to: at.saturating_add(lasts).min(self.end),
            node: struck,
            name: planned.what.to_string(),
        });
    }

    fn wrote(&mut self, at: u64, deed: Deed, holder: Option<Life>) {
        let found = self
            .lives
            .iter()
            .rev()
            .find(|(life, _)| Some(*life) == holder);
        let node = found.map(|(_, node)| *node);
        let what = match (node, deed) {
            (_, Deed::Foreign(Foreign::Delete)) => "missing".to_owned(),
            (_, Deed::Foreign(Foreign::Corrupt)) => "unreadable".to_owned(),
            (Some(node), _) => format!("n{node}"),
            (None, Deed::Foreign(Foreign::Overwrite)) => "a stranger".to_owned(),
            (None, _) => "free".to_owned(),
        };
        if let Some(last) = self.lock.last_mut() {
            if last.holder == node && last.what == what && deed != Deed::Acquired {
                return;
            }
            last.to = at;
        }
        self.lock.push(Hold {
            from: at,
            to: self.end,
            holder: node,
            what,
        });
    }

    fn finish(mut self, steps: Vec<Step>) -> Lanes {
        let end = self.end;
        for (lane, open) in self.lanes.iter_mut().zip(&mut self.open) {
            close(lane, open, end);
        }
        let (steps, left_out) = thin(steps);
        let requests: Vec<Request> = self.requests.into_iter().map(|one| one.1).collect();
        let (requests, counts) = few(requests, end);
        Lanes {
            end,
            quiet: self.report.plan.quiet_from.nanos() / 1_000,
            nodes: self.lanes,
            lock: self.lock,
            faults: self.faults.into_iter().flatten().collect(),
            requests,
            counts,
            steps,
            left_out,
        }
    }
}

fn shut(spans: &mut Vec<Span3>, open: &mut Option<(u64, String)>, at: u64) {
    if let Some((from, what)) = open.take() {
        spans.push(Span3(from, at, what));
    }
}

fn end_belief(spans: &mut Vec<Span3>, open: &mut Option<Belief>, at: u64) {
    if let Some(Belief { from, until, token }) = open.take() {
        spans.push(Span3(from, at.min(until), format!("token {token}")));
    }
}

/// Ends all that is open.
fn close(lane: &mut NodeLane, open: &mut Open, at: u64) {
    shut(&mut lane.up, &mut open.up, at);
    shut(&mut lane.frozen, &mut open.frozen, at);
    shut(&mut lane.work, &mut open.work, at);
    end_belief(&mut lane.belief, &mut open.belief, at);
}

/// As many transitions as a page can take, and how many were left out: the least telling kinds first.
fn thin(mut steps: Vec<Step>) -> (Vec<Shown>, usize) {
    let all = steps.len();
    for kind in [
        StepKind::Told,
        StepKind::Node,
        StepKind::Lock,
        StepKind::Work,
        StepKind::Fault,
    ] {
        if steps.len() > STEPS_MOST {
            steps.retain(|step| step.kind != kind);
        }
    }
    steps.truncate(STEPS_MOST);
    let left_out = all - steps.len();
    let shown = steps.into_iter().map(|step| Shown {
        at: micros(step.at),
        node: step.node,
        kind: step.kind,
        text: step.text,
        lanes: step.lanes,
    });
    (shown.collect(), left_out)
}

/// All requests, or those that are special and how many there were at which time.
fn few(mut requests: Vec<Request>, end: u64) -> (Vec<Request>, Option<Vec<u32>>) {
    if requests.len() <= REQUESTS_MOST {
        return (requests, None);
    }
    let part = end.div_ceil(PARTS).max(1);
    let mut counts = vec![0_u32; usize::try_from(PARTS).unwrap_or_default() + 1];
    for request in &requests {
        let place = usize::try_from(request.sent / part).unwrap_or(usize::MAX);
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let plain = words::answer(Answer::Done);
    requests.retain(|one| {
        one.zombie || one.answer != plain || one.name == "acquire" || one.name == "release"
    });
    requests.truncate(REQUESTS_MOST);
    (requests, Some(counts))
}
