//! Failovers that people know, by name: each is a plan made in code, to run as it is or with other candidates, timing or lock.

mod clocks;
mod cron;
mod draft;
mod ensemble;
mod network;
mod pods;
mod store;
mod work;

#[cfg(test)]
mod tests;

use crate::plan::Plan;

/// A failover scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name, as the command line has it.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub sentence: &'static str,
    /// What is claimed of it.
    pub claim: Claim,
    /// Its plan.
    pub plan: fn() -> Plan,
}

/// What an election claims of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// At most one leader at every moment.
    SingleLeader,
    /// Only that a resource that checks tokens takes no stale write, because of what is said here.
    Fencing(&'static str),
}

impl Scenario {
    const fn new(name: &'static str, sentence: &'static str, plan: fn() -> Plan) -> Self {
        Self {
            name,
            sentence,
            claim: Claim::SingleLeader,
            plan,
        }
    }

    const fn fenced(self, why: &'static str) -> Self {
        Self {
            claim: Claim::Fencing(why),
            ..self
        }
    }

    /// Its plan, with its name in it.
    pub fn plan(&self) -> Plan {
        Plan {
            name: self.name.to_owned(),
            ..(self.plan)()
        }
    }
}

/// All scenarios, by theme.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        pods::ALL,
        network::ALL,
        store::ALL,
        ensemble::ALL,
        clocks::ALL,
        work::ALL,
        cron::ALL,
    ]
    .into_iter()
    .flatten()
}

/// The scenario of this name, if there is one.
pub fn find(name: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.name == name)
}

/// The scenario whose name is most like `name`, if one is like it at all.
pub fn nearest(name: &str) -> Option<&'static Scenario> {
    all()
        .map(|scenario| (distance(name, scenario.name), scenario))
        .filter(|(distance, scenario)| *distance <= scenario.name.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, scenario)| scenario)
}

/// How many letters to change, add or leave out to get from one to the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
