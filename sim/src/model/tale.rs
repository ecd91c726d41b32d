use tenure_core::backend::{Acquired, Released, Renewed};
use tenure_core::machine::Outcome;

use super::action::{Action, Answer as When};
use super::heard::Heard;
use super::names::TOKEN;
use super::rules::Rules;
use super::step::{self, Step};
use super::store::Newest;
use super::true_times::{SECOND, TrueTimes, ticks};
use super::world::{Basis, Broken, Call, Deed as Wrote, Node, Work, World};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Direction, Fault, Foreign, PlannedFault, Span, Who};
use crate::planted::Distortion;
use crate::trace::{Answer, Ask, Deed, Down, Life, Operation, Record, RequestId, What, WorkEnd};

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

    /// Begins the fault that an action is, if it is one. It ends with the action.
    fn fault(&mut self, world: &World, action: Action) -> Option<u32> {
        let who = |node: usize| Who::Node(u16::try_from(node).expect("few candidates"));
        let what = match action {
            Action::Crash(node) => Fault::Crash { node: who(node) },
            Action::Delete => Fault::Foreign(Foreign::Delete),
            Action::Empty => Fault::Foreign(Foreign::Empty),
            Action::RequestLands(node, When::Lost) => {
                self.lose(node, who(node));
                return None;
            }
            Action::Resign(node) => Fault::Resign { node: who(node) },
            Action::TickUnnoticed(node) => Fault::Starve {
                node: who(node),
                most: Span::from_nanos(SECOND * (1 + u64::from(world.nodes[node].unnoticed))),
            },
            _ => return None,
        };
        Some(self.begin_fault(what))
    }

    fn begin_fault(&mut self, what: Fault) -> u32 {
        let fault = u32::try_from(self.faults.len()).expect("a way is short");
        self.faults.push(PlannedFault {
            at: Span::from_nanos(self.now.nanos()),
            lasts: Some(Span::ZERO),
            what,
        });
        self.record(None, What::FaultBegan { fault });
        fault
    }

    /// No reply reaches this candidate from now on, until it gives up.
    fn lose(&mut self, node: usize, who: Who) {
        let direction = Direction::Replies;
        let fault = Fault::Cut {
            direction,
            node: who,
        };
        self.begin_fault(fault);
        self.nodes[node].lost = Some(self.faults.len() - 1);
    }

    fn found(&mut self, node: usize) {
        if let Some(index) = self.nodes[node].lost.take() {
            let fault = &mut self.faults[index];
            let lasts = self.now.nanos() - fault.at.nanos();
            fault.lasts = Some(Span::from_nanos(lasts));
            let fault = u32::try_from(index).expect("a way is short");
            self.record(None, What::FaultEnded { fault });
        }
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

    fn work_began(&mut self, index: usize, token: u64, node: &Node) {
        self.nodes[index].token = token;
        // Work begins with a leadership: what was believed before has ended in this very step.
        if let Some((token, _)) = self.nodes[index].belief.take() {
            self.record(Some(index), What::LeadsNot { token });
        }
        self.believe(index, node);
        self.record(Some(index), What::WorkBegan { token });
    }

    fn sent(&mut self, node: usize, call: Option<Call>) {
        self.requests += 1;
        let id = RequestId(self.requests);
        let (operation, basis) = match call {
            Some(Call::Write(write)) => {
                let operation = match write.deed {
                    Wrote::Acquire(_) => Operation::Acquire,
                    Wrote::Renew(_) => Operation::Renew,
                    Wrote::Release => Operation::Release,
                };
                let basis = match write.basis {
                    Basis::Missing => None,
                    Basis::Newest => Some(self.versions),
                    // Which one it is, nobody knows any more; no later write makes it the newest again.
                    Basis::Outdated => Some(self.versions.saturating_sub(1)),
                };
                (operation, basis)
            }
            _ => (Operation::Observe, None),
        };
        let teller = &mut self.nodes[node];
        let sent = Sent {
            id,
            at: self.now,
            life: teller.life,
            ticks: teller.ticks,
            wrote: false,
        };
        teller.call = Some(sent);
        if operation != Operation::Observe {
            teller.writes.push(sent);
        }
        let request = id;
        let what = What::Sent {
            request,
            operation,
            basis,
        };
        self.record(Some(node), what);
    }

    fn landed(&mut self, node: usize, sent: Sent, zombie: bool) {
        self.landed = Some((node, sent));
        let request = sent.id;
        self.record(Some(node), What::Landed { request, zombie });
    }

    /// What has reached the store last changes its record. Says whose it is.
    fn has_written(&mut self) -> Option<Life> {
        let (node, Sent { id, life, .. }) = self.landed?;
        let writes = self.nodes[node].writes.iter_mut();
        for write in writes.filter(|write| write.id == id) {
            write.wrote = true;
        }
        Some(Life(life))
    }

    fn wrote(&mut self, deed: Deed, holder: Option<Life>, existed: bool) {
        let basis = existed.then_some(self.versions);
        self.versions += 1;
        let exists = deed != Deed::Foreign(Foreign::Delete);
        let what = What::Wrote {
            deed,
            basis,
            version: exists.then_some(self.versions),
            holder,
            token: exists.then_some(self.tokens),
        };
        self.record(None, what);
    }

    /// Tells what a candidate believes, where that is something else than before.
    fn believe(&mut self, index: usize, node: &Node) {
        let teller = &self.nodes[index];
        let deadline = node.machine.deadline();
        let leads = deadline.filter(|_| node.machine.leads(node.now));
        let belief = leads.map(|deadline| {
            let ago = node.now.longest_since(deadline.since).get() / SECOND;
            (deadline, teller.ticks.saturating_sub(ago))
        });
        let told = belief.map(|(_, since)| (teller.token, since));
        if teller.belief == told {
            return;
        }
        let what = match belief {
            None => teller.belief.map(|(token, _)| What::LeadsNot { token }),
            Some((deadline, since)) => {
                let lasts = deadline.length.get().div_ceil(SECOND);
                Some(What::Leads {
                    token: teller.token,
                    sent: self.sent_at(index, since),
                    until: self.times.ticked(index, since + lasts),
                })
            }
        };
        self.nodes[index].belief = told;
        if let Some(what) = what {
            self.record(Some(index), what);
        }
    }

    /// When that was sent which a leadership counts from, by how often the clock had ticked.
    fn sent_at(&self, node: usize, ticks: u64) -> TrueTime {
        let writes = self.nodes[node].writes.iter().rev();
        let then = writes.filter(|write| write.ticks == ticks);
        let done = then.clone().find(|write| write.wrote);
        let write = done.or_else(|| then.clone().next());
        write.map_or_else(|| self.times.ticked(node, ticks), |write| write.at)
    }
}

fn answer(outcome: &Outcome) -> Answer {
    match outcome {
        Outcome::Acquired(Acquired::Busy(_))
        | Outcome::Renewed(Renewed::Conflict(_))
        | Outcome::Released(Released::Conflict(_)) => Answer::Conflict,
        Outcome::Failed(_) => Answer::Failed,
        _ => Answer::Done,
    }
}
