use std::fmt;

use tenure_core::machine::State;

use super::action::{Action, Answer};
use super::configuration::TICK;
use super::rules::Rules;
use super::step;
use super::world::{Broken, Call, Deed, Life, Lock, Node, Record, Work, World, Write};

/// One action on the way to a finding, and what is the case after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its place on the way, from 1; 0 is the start.
    pub number: usize,
    /// What happened.
    pub action: String,
    /// What each candidate says of itself.
    pub beliefs: Vec<String>,
    /// What the lock's record says.
    pub record: String,
}

impl Line {
    /// What stands above the lines of so many candidates.
    pub fn header(candidates: u8) -> String {
        let mut header = format!("{:>3}  {:<58}", "", "what happens");
        for node in 0..candidates {
            header.push_str(&format!(" | {:<34}", format!("n{node}")));
        }
        header.push_str(" | the record");
        header
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3}  {:<58}", self.number, self.action)?;
        for belief in &self.beliefs {
            write!(f, " | {belief:<34}")?;
        }
        write!(f, " | {}", self.record)
    }
}

/// What happens on this way.
pub(super) fn tell(rules: &Rules, actions: Vec<Action>) -> Vec<Line> {
    let mut world = step::start(rules);
    let mut lines = vec![line(rules, 0, "the candidates start".to_owned(), &world)];
    for (index, action) in actions.into_iter().enumerate() {
        let text = describe(&world, action);
        world = step::after(rules, &world, action);
        lines.push(line(rules, index + 1, text, &world));
    }
    lines
}

fn line(rules: &Rules, number: usize, action: String, world: &World) -> Line {
    let candidates = rules.configuration.candidates;
    Line {
        number,
        action: match world.broken {
            None => action,
            Some(Broken::Panic) => format!("{action}: the machine's own assertion fails"),
            Some(Broken::Token) => format!("{action}: the token is not a new one"),
        },
        beliefs: world.nodes.iter().map(belief).collect(),
        record: record(candidates, world.record),
    }
}

fn belief(node: &Node) -> String {
    let machine = &node.machine;
    let mut text = match machine.deadline() {
        Some(deadline) => {
            let tick = u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX);
            match deadline.remaining(node.now).get().div_ceil(tick) {
                0 => "deadline passed".to_owned(),
                1 => "leads, 1 tick left".to_owned(),
                left => format!("leads, {left} ticks left"),
            }
        }
        None => match machine.state() {
            State::Following => "follows",
            State::Probation => "waits out others",
            State::Stopping => "stopping",
            State::Releasing => "releasing",
            _ => "ended",
        }
        .to_owned(),
    };
    text.push_str(match node.work {
        Work::None => "",
        Work::Running => ", works",
        Work::Draining => ", drains",
        Work::Told => ", work told to stop",
        Work::Aborted => ", work being aborted",
    });
    text
}

fn record(candidates: u8, record: Option<Record>) -> String {
    match record.map(|record| record.lock) {
        None => "no record".to_owned(),
        Some(Lock::Emptied) => "emptied".to_owned(),
        Some(Lock::Released) => "released".to_owned(),
        Some(Lock::Held { life, .. }) => format!("held by {}", who(candidates, life)),
    }
}

fn who(candidates: u8, life: Life) -> String {
    if life.0 < candidates {
        format!("n{}", life.0)
    } else {
        "a former life".to_owned()
    }
}

fn what(write: &Write) -> &'static str {
    match write.deed {
        Deed::Acquire(_) => "acquire",
        Deed::Renew(_) => "renew",
        Deed::Release => "release",
    }
}

fn request(node: &Node) -> &'static str {
    match &node.call {
        Some(Call::Write(write)) => what(write),
        _ => "observe",
    }
}

fn describe(world: &World, action: Action) -> String {
    match action {
        Action::AnswerArrives(node) => format!("n{node} has its answer, late"),
        Action::Crash(node) => format!("n{node} crashes and starts anew"),
        Action::Empty => "somebody takes the holder out".to_owned(),
        Action::Delete => "somebody deletes the record".to_owned(),
        Action::DelayedWriteLands(node, index) => {
            let write = &world.nodes[node].delayed[index];
            let of = if usize::from(write.life.0) == node {
                "n"
            } else {
                "a former n"
            };
            format!("an abandoned {} of {of}{node} lands", what(write))
        }
        Action::RequestLands(node, answer) => {
            let request = request(&world.nodes[node]);
            let then = match answer {
                Answer::AtOnce => "is answered",
                Answer::Later => "lands, the answer takes time",
                Answer::Lost => "lands, the answer is lost",
            };
            format!("n{node}'s {request} {then}")
        }
        Action::Resign(node) => format!("n{node} is asked to resign"),
        Action::Tick(node) => format!("a tick on n{node}'s clock"),
        Action::TickAll => "a tick on all clocks".to_owned(),
        Action::TickUnnoticed(node) => format!("a tick on n{node}'s clock, unnoticed"),
        Action::WorkEnds(node) => format!("n{node}'s work ends"),
    }
}
