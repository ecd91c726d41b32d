//! What of all records is a transition, in words.

use super::step::{Step, StepKind};
use super::words;
use crate::TrueTime;
use crate::invariants::Breach;
use crate::plan::{Foreign, Plan};
use crate::trace::{Deed, Life, Record, What};

/// The transitions of a run, in their order.
pub(super) fn steps(plan: &Plan, records: &[Record], breaches: &[Breach]) -> Vec<Step> {
    let mut story = Story::new(plan);
    let mut breaches = breaches.iter().peekable();
    for record in records {
        while let Some(breach) = breaches.next_if(|breach| breach.at < record.at) {
            story.breach(breach);
        }
        story.see(record);
    }
    for breach in breaches {
        story.breach(breach);
    }
    story.steps
}

struct Story<'a> {
    plan: &'a Plan,
    lives: Vec<(Life, u16)>,
    nodes: Vec<Node>,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Default)]
struct Node {
    /// The leadership that it believes in, and until when.
    belief: Option<(u64, TrueTime)>,
    clock: Option<(i64, i64)>,
    frozen: bool,
    up: bool,
    works: bool,
}

impl Node {
    fn letter(self) -> char {
        match (self.up, self.frozen, self.belief.is_some(), self.works) {
            (false, ..) => ' ',
            (_, true, _, true) => 'Z',
            (_, true, ..) => 'z',
            (.., true, true) => 'W',
            (.., true, false) => 'L',
            (.., false, true) => 'w',
            _ => '.',
        }
    }
}

impl Node {
    /// Starts, ends, freezes and clocks.
    fn process(&mut self, what: &What) -> Option<Option<(StepKind, String)>> {
        let text = match *what {
            What::Up { life } => {
                self.up = true;
                format!("starts (its life {})", life.0)
            }
            What::Down { how } => {
                let clock = self.clock;
                *self = Self {
                    clock,
                    ..Self::default()
                };
                words::down(how).to_owned()
            }
            What::Frozen { by } => {
                self.frozen = true;
                words::frozen(by).to_owned()
            }
            What::Thawed => {
                self.frozen = false;
                "runs again".to_owned()
            }
            What::Clock { rate_ppm, slew_ppm } => {
                let before = self.clock.replace((rate_ppm, slew_ppm));
                if before.unwrap_or_default() == (rate_ppm, slew_ppm) {
                    return Some(None);
                }
                let slewed = match slew_ppm {
                    0 => String::new(),
                    _ => format!(", slewed by {}", words::rate(slew_ppm)),
                };
                format!("has a clock of {}{slewed}", words::rate(rate_ppm))
            }
            What::WallStepped { by_s } => format!("has its wall clock set by {by_s:+} s"),
            _ => return None,
        };
        Some(Some((StepKind::Node, text)))
    }

    /// Belief and work.
    fn leadership(&mut self, what: &What) -> Option<Option<(StepKind, String)>> {
        let told = match *what {
            What::Leads { token, until, .. } => {
                let before = self.belief.replace((token, until));
                if before.is_some_and(|before| before.0 == token) {
                    return Some(None);
                }
                (StepKind::Lead, format!("leads, with token {token}"))
            }
            What::LeadsNot { token } => {
                if self.belief.take().is_none() {
                    return Some(None);
                }
                let text = format!("leads no longer, and says so (token {token})");
                (StepKind::Lead, text)
            }
            What::WorkBegan { token } => {
                self.works = true;
                (StepKind::Work, format!("begins to work (token {token})"))
            }
            What::WorkTold { .. } => (StepKind::Work, "tells its work to stop".to_owned()),
            What::WorkEnded { how, token } => {
                self.works = false;
                let how = words::work_end(how);
                let text = format!("works no longer: it {how} (token {token})");
                (StepKind::Work, text)
            }
            What::Touched {
                accepted: false,
                token,
            } => {
                let text = format!("has a write refused by the resource: its token {token} is old");
                (StepKind::Work, text)
            }
            _ => return None,
        };
        Some(Some(told))
    }
}

/// What an election tells and is asked, and its fires.
fn told(what: &What) -> Option<Option<(StepKind, String)>> {
    let text = match *what {
        What::Told { event, .. } => words::told(event).to_owned(),
        What::Asked { ask } => words::ask(ask).to_owned(),
        What::ShutDown => "has shut down".to_owned(),
        What::Fire { deed, due_s, .. } => format!("fire due at {due_s} {}", words::fire(deed)),
        What::LedgerLost { .. } => "reports that the ledger of fires was lost".to_owned(),
        _ => return None,
    };
    Some(Some((StepKind::Told, text)))
}

impl<'a> Story<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            lives: Vec::new(),
            nodes: vec![Node::default(); plan.nodes.len()],
            steps: Vec::new(),
        }
    }

    fn breach(&mut self, breach: &Breach) {
        self.pass(breach.at);
        let invariant = breach.invariant.name();
        let text = format!("VIOLATION of {invariant}: {}", breach.what);
        self.tell(breach.at, None, StepKind::Violation, text);
    }

    fn tell(&mut self, at: TrueTime, node: Option<u16>, kind: StepKind, text: String) {
        let lanes = self.nodes.iter().map(|node| node.letter()).collect();
        self.steps.push(Step {
            at,
            node,
            kind,
            text,
            lanes,
        });
    }

    /// Deadlines that pass before `at` are told of: nobody records them.
    fn pass(&mut self, at: TrueTime) {
        loop {
            let passed = |node: &Node| node.belief.map(|belief| belief.1);
            let first = self
                .nodes
                .iter()
                .enumerate()
                .filter_map(|(index, node)| Some((passed(node)?, index)))
                .filter(|(until, _)| *until < at)
                .min();
            let Some((until, index)) = first else { return };
            let Some((token, _)) = self.nodes[index].belief.take() else {
                return;
            };
            let node = u16::try_from(index).ok();
            let text = format!("leads no longer by its own clock (token {token})");
            self.tell(until, node, StepKind::Lead, text);
        }
    }

    fn see(&mut self, record: &Record) {
        self.pass(record.at);
        let node = record.node.map(|node| node.0);
        let Some((kind, text)) = self.transition(record) else {
            return;
        };
        self.tell(record.at, node, kind, text);
    }

    fn transition(&mut self, record: &Record) -> Option<(StepKind, String)> {
        if let Some(id) = record.node
            && usize::from(id.0) < self.nodes.len()
            && let Some(told) = self.of_node(id.0, record)
        {
            return told;
        }
        let told = match record.what {
            What::FaultBegan { fault } => (StepKind::Fault, self.fault(fault, "begins")),
            What::FaultEnded { fault } => (StepKind::Fault, self.fault(fault, "ends")),
            What::Quiet => (StepKind::Fault, "all is healed from now on".to_owned()),
            What::End => (StepKind::Node, "the end".to_owned()),
            What::Wrote {
                deed: Deed::Renewed,
                ..
            } => return None,
            What::Wrote {
                deed,
                holder,
                token,
                ..
            } => (StepKind::Lock, self.wrote(deed, holder, token)),
            What::SessionEnded { life } => {
                let whose = self.name_of(life);
                (StepKind::Lock, format!("the session of {whose} ends"))
            }
            What::Panicked => (
                StepKind::Violation,
                "something panicked that must not".to_owned(),
            ),
            _ => return None,
        };
        Some(told)
    }

    /// What happens on a node; outer nothing where it is about the world.
    fn of_node(&mut self, index: u16, record: &Record) -> Option<Option<(StepKind, String)>> {
        if let What::Up { life } = record.what {
            self.lives.push((life, index));
        }
        let node = &mut self.nodes[usize::from(index)];
        node.process(&record.what)
            .or_else(|| node.leadership(&record.what))
            .or_else(|| told(&record.what))
    }

    fn fault(&self, index: u32, verb: &str) -> String {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        match self.plan.faults.get(index) {
            Some(fault) => format!("fault {}, {}, {verb}", index + 1, fault.what),
            None => format!("fault {} {verb}", index + 1),
        }
    }

    fn wrote(&self, deed: Deed, holder: Option<Life>, token: Option<u64>) -> String {
        let what = words::deed(deed);
        match (holder, deed) {
            (_, Deed::Foreign(Foreign::Delete | Foreign::Corrupt)) => format!("the lock {what}"),
            (Some(holder), _) => {
                let holder = self.name_of(holder);
                let token = token.map(|token| format!(", token {token}"));
                format!(
                    "the lock {what}: {holder} holds it{}",
                    token.unwrap_or_default()
                )
            }
            (None, Deed::Foreign(Foreign::Overwrite)) => format!("the lock {what}"),
            (None, _) => format!("the lock {what}: nobody holds it"),
        }
    }

    fn name_of(&self, life: Life) -> String {
        match self.lives.iter().rev().find(|(one, _)| *one == life) {
            Some((_, node)) => format!("n{node}"),
            None => format!("life {}", life.0),
        }
    }
}
