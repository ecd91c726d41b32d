//! Makes a plan that ends in a breach as small and as round as it can be while it still ends in a breach of the same invariant.
//!
//! Faults are left out first, in halves, quarters and so on (delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating
//! Failure-Inducing Input", 2002), then nodes; then what is left is made plain: defaults for extras, round times, short durations.
//! All of it is decided by the plan alone, and bounded.

mod simpler;

use crate::invariants::{Breach, Invariant};
use crate::plan::{Plan, Who};

/// The most runs that shrinking one plan takes.
pub const RUNS_MOST: u32 = 3_000;
/// The most times that everything is tried again because something else has become simpler.
const ROUNDS_MOST: u32 = 12;

/// How far shrinking has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// How many faults the smallest plan has.
    pub faults: usize,
    /// How many nodes it has.
    pub nodes: usize,
    /// How many runs were made so far, of [`RUNS_MOST`].
    pub runs: u32,
}

/// The smallest plan found that breaches the same invariant as `plan`; `plan` itself when it breaches none.
///
/// `breaches` runs a plan and says what was found. It is asked about plans that can be run only, as [`Plan::check`] has it.
pub fn shrink(
    plan: &Plan,
    mut breaches: impl FnMut(&Plan) -> Option<Breach>,
    mut progress: impl FnMut(Progress),
) -> Plan {
    let Some(breach) = breaches(plan) else {
        return plan.clone();
    };
    let mut shrinker = Shrinker {
        breach: breach.clone(),
        breaches: &mut breaches,
        invariant: breach.invariant,
        plan: plan.clone(),
        progress: &mut progress,
        runs: 1,
    };
    for _ in 0..ROUNDS_MOST {
        let before = shrinker.plan.clone();
        shrinker.drop_faults();
        shrinker.drop_nodes();
        shrinker.simplify();
        if shrinker.plan == before {
            break;
        }
    }
    shrinker.plan
}

struct Shrinker<'a> {
    /// What the smallest plan ends in.
    breach: Breach,
    breaches: &'a mut dyn FnMut(&Plan) -> Option<Breach>,
    invariant: Invariant,
    plan: Plan,
    progress: &'a mut dyn FnMut(Progress),
    runs: u32,
}

impl Shrinker<'_> {
    /// Takes this plan for the smallest, if it ends in the same breach.
    fn attempt(&mut self, candidate: Plan) -> bool {
        if candidate == self.plan || self.runs >= RUNS_MOST || candidate.check().is_err() {
            return false;
        }
        self.runs += 1;
        let found = (self.breaches)(&candidate);
        let breach = found.filter(|breach| breach.invariant == self.invariant);
        let smaller = breach.is_some();
        if let Some(breach) = breach {
            self.breach = breach;
            self.plan = candidate;
        }
        (self.progress)(Progress {
            faults: self.plan.faults.len(),
            nodes: self.plan.nodes.len(),
            runs: self.runs,
        });
        smaller
    }

    /// Leaves out faults: all, then halves, and so on down to single ones.
    fn drop_faults(&mut self) {
        let mut chunk = self.plan.faults.len();
        while chunk > 0 {
            let mut start = 0;
            while start < self.plan.faults.len() {
                let mut candidate = self.plan.clone();
                let end = candidate.faults.len().min(start + chunk);
                candidate.faults.drain(start..end);
                if !self.attempt(candidate) {
                    start += chunk;
                }
            }
            chunk /= 2;
        }
    }

    /// Leaves out nodes that no fault names, the last one first.
    fn drop_nodes(&mut self) {
        for node in (0..self.plan.nodes.len()).rev() {
            if let Some(candidate) = without_node(&self.plan, node) {
                self.attempt(candidate);
            }
        }
    }

    /// Makes what is left plain, one thing at a time, the boldest way first.
    fn simplify(&mut self) {
        for way in simpler::WAYS {
            let mut place = 0;
            // A way that has been taken is offered again, since it may go further.
            while let Some(candidates) = way(&self.plan, self.breach.at, place) {
                let taken = candidates
                    .into_iter()
                    .any(|candidate| self.attempt(candidate));
                if !taken {
                    place += 1;
                }
            }
        }
    }
}

fn without_node(plan: &Plan, node: usize) -> Option<Plan> {
    if plan.nodes.len() == 1 {
        return None;
    }
    let gone = u16::try_from(node).ok()?;
    let mut smaller = plan.clone();
    smaller.nodes.remove(node);
    for fault in &mut smaller.faults {
        match fault.what.who_mut() {
            Some(Who::Node(index)) if *index == gone => return None,
            Some(Who::Node(index)) if *index > gone => *index -= 1,
            _ => {}
        }
    }
    Some(smaller)
}

#[cfg(test)]
mod tests;
