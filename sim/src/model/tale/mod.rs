//! A way through a small world in the records of all tiers.

mod belief;
mod faults;
mod requests;

use super::action::Action;
use super::heard::Heard;
use super::names::TOKEN;
use super::rules::Rules;
use super::step::{self, Step};
use super::store::Newest;
use super::true_times::{TrueTimes, ticks};
use super::world::{Broken, Deed as Wrote, Work, World};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Foreign, PlannedFault};
use crate::planted::Distortion;
use crate::trace::{Ask, Deed, Down, Life, Record, RequestId, What, WorkEnd};
use requests::answer;

/// A way through a small world, told in the records of all tiers: with versions, tokens and lives that are counted from its start, where
/// a world names them anew in each state.
pub(super) struct Tale<'a> {
    rules: &'a Rules,
    times: TrueTimes,
    nodes: Vec<Teller>,
    lives: u32,
    requests: u32,
    /// How often the record has changed, and how many tokens were granted.
    versions: u64,
    tokens: u64,
    /// How many tokens were granted before the step in hand.
    tokens_before: u64,
    /// What has reached the store last.
    landed: Option<(usize, Sent)>,
    now: TrueTime,
    pub(super) records: Vec<Record>,
    pub(super) faults: Vec<PlannedFault>,
}

/// What is known of one candidate.
#[derive(Default)]
struct Teller {
    life: u32,
    /// How often its clock has ticked.
    ticks: u64,
    call: Option<Sent>,
    delayed: Vec<Sent>,
    /// The writes of this life.
    writes: Vec<Sent>,
    /// What it believes: the token, and how often its clock had ticked when that was sent what it counts from.
    belief: Option<(u64, u64)>,
    /// The token of its newest work.
    token: u64,
    /// The fault by which it waits for an answer that is lost.
    lost: Option<usize>,
}

#[derive(Clone, Copy)]
struct Sent {
    id: RequestId,
    at: TrueTime,
    life: u32,
    /// How often the clock had ticked.
    ticks: u64,
    wrote: bool,
}

impl<'a> Tale<'a> {
    pub(super) fn of(rules: &'a Rules, actions: &[Action]) -> Self {
        let candidates = usize::from(rules.configuration.candidates);
        let mut tale = Self {
            rules,
            times: TrueTimes::of(actions, candidates),
            nodes: (0..candidates).map(|_| Teller::default()).collect(),
            lives: 0,
            requests: 0,
            versions: 0,
            // Nobody calls a token 0.
            tokens: u64::from(rules.distorts(Distortion::OneToken)),
            tokens_before: 0,
            landed: None,
            now: TrueTime::START,
            records: Vec::new(),
            faults: Vec::new(),
        };
        let mut world = tale.start();
        for (index, action) in actions.iter().enumerate() {
            tale.now = tale.times.actions[index];
            world = tale.act(&world, *action);
        }
        tale.now = tale.times.end;
        for node in 0..candidates {
            tale.found(node);
        }
        tale.record(None, What::End);
        tale
    }

    /// After its last action.
    pub(super) fn end(&self) -> TrueTime {
        self.times.end
    }

    fn start(&mut self) -> World {
        let (rate_ppm, slew_ppm) = (0, 0);
        for node in 0..self.nodes.len() {
            self.record(Some(node), What::Clock { rate_ppm, slew_ppm });
            self.up(node);
        }
        let before = step::before(self.rules);
        let mut step = Step::new(self.rules, before, Newest::BEFORE).heard();
        step.begin();
        self.finish(step)
    }

    fn act(&mut self, world: &World, action: Action) -> World {
        for (node, teller) in self.nodes.iter_mut().enumerate() {
            teller.ticks += u64::from(ticks(action, node));
        }
        let after = step::after(self.rules, world, action);
        if after.broken == Some(Broken::Panic) {
            self.record(None, What::Panicked);
            return after;
        }
        let fault = self.fault(world, action);
        self.prepare(world, action);
        let mut step = Step::new(self.rules, world.clone(), Newest::BEFORE).heard();
        step.act(action);
        let world = self.finish(step);
        if let Some(fault) = fault {
            self.record(None, What::FaultEnded { fault });
        }
        world
    }

    fn finish(&mut self, mut step: Step<'_>) -> World {
        let heard = step.take_heard();
        let world = step.finish();
        self.tokens_before = self.tokens;
        for heard in heard {
            self.hear(&world, heard);
        }
        for (index, node) in world.nodes.iter().enumerate() {
            self.believe(index, node);
        }
        world
    }

    /// What an action does that no step tells of.
    fn prepare(&mut self, world: &World, action: Action) {
        match action {
            Action::Crash(node) => {
                self.found(node);
                let token = self.nodes[node].token;
                if world.nodes[node].work != Work::None {
                    let how = WorkEnd::Died;
                    self.record(Some(node), What::WorkEnded { how, token });
                }
                let how = Down::Crashed;
                self.record(Some(node), What::Down { how });
                self.up(node);
            }
            Action::Delete => self.wrote(Deed::Foreign(Foreign::Delete), None, true),
            Action::Empty => self.wrote(Deed::Foreign(Foreign::Empty), None, true),
            Action::Resign(node) => self.record(Some(node), What::Asked { ask: Ask::Resign }),
            _ => {}
        }
    }

    fn up(&mut self, node: usize) {
        self.lives += 1;
        let life = self.lives;
        let teller = &mut self.nodes[node];
        teller.life = life;
        teller.belief = None;
        teller.writes.clear();
        self.record(Some(node), What::Up { life: Life(life) });
    }

    fn record(&mut self, node: Option<usize>, what: What) {
        let node = node.map(|node| NodeId(u16::try_from(node).expect("few candidates")));
        self.records.push(Record {
            at: self.now,
            node,
            what,
        });
    }

    fn hear(&mut self, world: &World, heard: Heard) {
        match heard {
            Heard::Abandoned(node) => {
                if let Some(Sent { id: request, .. }) = self.nodes[node].call {
                    self.record(Some(node), What::Abandoned { request });
                }
                self.found(node);
            }
            Heard::Answered(node, outcome) => {
                if let Some(Sent { id: request, .. }) = self.nodes[node].call.take() {
                    let answer = answer(&outcome);
                    self.record(Some(node), What::Answered { request, answer });
                }
                self.found(node);
            }
            Heard::DelayedLanded(node, place) => {
                let sent = self.nodes[node].delayed.remove(place);
                self.landed(node, sent, true);
            }
            Heard::Kept(node, kept) => {
                let mut kept = kept.into_iter();
                let delayed = &mut self.nodes[node].delayed;
                delayed.retain(|_| kept.next().unwrap_or_default());
            }
            Heard::Landed(node) => {
                if let Some(sent) = self.nodes[node].call {
                    self.landed(node, sent, false);
                }
            }
            Heard::Left {
                node,
                is_write,
                excess,
            } => {
                let teller = &mut self.nodes[node];
                let call = teller.call.take().filter(|_| is_write);
                teller.delayed.extend(call);
                teller.delayed.drain(..excess);
            }
            Heard::Sent(node, call) => self.sent(node, call),
            Heard::WorkBegan(node, token) => {
                let token = (self.tokens_before + token).saturating_sub(TOKEN);
                self.work_began(node, token, &world.nodes[node]);
            }
            Heard::WorkEnded(node, work) => {
                let how = match work {
                    Work::Aborted => WorkEnd::Aborted,
                    _ => WorkEnd::Returned,
                };
                let token = self.nodes[node].token;
                self.record(Some(node), What::WorkEnded { how, token });
            }
            Heard::WorkTold(node) => {
                let token = self.nodes[node].token;
                self.record(Some(node), What::WorkTold { token });
            }
            Heard::Wrote { deed, existed } => {
                let holder = self.has_written();
                match deed {
                    Wrote::Acquire(_) => {
                        let grows = !self.rules.distorts(Distortion::OneToken);
                        self.tokens += u64::from(grows);
                        self.wrote(Deed::Acquired, holder, existed);
                    }
                    Wrote::Renew(_) => self.wrote(Deed::Renewed, holder, existed),
                    Wrote::Release => self.wrote(Deed::Released, None, existed),
                }
            }
        }
    }
}
