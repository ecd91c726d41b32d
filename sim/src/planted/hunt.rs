use std::fmt;

use serde::Serialize;

use super::Bug;
use crate::invariants::{Breach, Invariant};
use crate::plan::{Backend, Plan};
use crate::shrink::shrink;
use crate::{Options, Tier};

/// After how many seeds a hunt is given up, unless it is told otherwise.
pub const SEEDS_MOST: u64 = 10_000;

/// A bug that was caught.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catch {
    /// Which.
    pub bug: Bug,
    /// What the invariant saw, in the run of the small plan.
    pub breach: Breach,
    /// On which tier.
    pub tier: Tier,
    /// With which kind of lock.
    pub backend: Backend,
    /// After how many seeds: the catching one is the last of them.
    pub seeds: u64,
    /// The smallest plan found.
    pub plan: Plan,
}

impl Catch {
    /// The invariant that caught it.
    pub fn caught_by(&self) -> Invariant {
        self.breach.invariant
    }

    /// How many faults the smallest plan needs.
    pub fn faults(&self) -> usize {
        self.plan.faults.len()
    }

    /// What is told about it in one line of JSON.
    pub fn line(&self) -> Line {
        Line {
            bug: self.bug.name(),
            caught_by: Some(self.caught_by()),
            seeds: self.seeds,
            faults: Some(self.faults()),
        }
    }
}

/// What is told about one bug in one line of JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub bug: &'static str,
    /// The invariant that caught it; nothing when it got away.
    pub caught_by: Option<Invariant>,
    /// After how many seeds.
    pub seeds: u64,
    /// How many faults the smallest plan needs; nothing when it got away.
    pub faults: Option<usize>,
}

/// Why a hunt has caught nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missed {
    /// No expected invariant was breached.
    Uncaught {
        /// The bug.
        bug: Bug,
        /// So many seeds were tried, on each tier and kind of lock.
        seeds: u64,
    },
    /// A run without the bug breaches something as well, so that nothing is proven.
    ControlBreaches {
        /// The bug.
        bug: Bug,
        /// On which tier.
        tier: Tier,
        /// With which kind of lock.
        backend: Backend,
        /// Under which seed.
        seed: u64,
        /// What was breached.
        breach: Breach,
    },
}

impl Missed {
    /// What is told about it in one line of JSON.
    pub fn line(&self) -> Line {
        let (bug, seeds) = match self {
            Self::Uncaught { bug, seeds } => (bug, *seeds),
            Self::ControlBreaches { bug, seed, .. } => (bug, seed + 1),
        };
        Line {
            bug: bug.name(),
            caught_by: None,
            seeds,
            faults: None,
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncaught { bug, seeds } => {
                write!(f, "{bug} was not caught within {seeds} seeds")
            }
            Self::ControlBreaches {
                bug,
                tier,
                backend,
                seed,
                breach,
            } => write!(
                f,
                "without {bug}, seed {seed} on {tier:?} with a {} lock breaches too: {breach}",
                backend.name()
            ),
        }
    }
}

impl std::error::Error for Missed {}

/// How far a hunt has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It looks for a seed.
    Seeking {
        /// On which tier.
        tier: Tier,
        /// How many seeds it has tried there.
        seeds: u64,
    },
    /// It has caught the bug, and shrinks the plan.
    Shrinking(crate::shrink::Progress),
}

/// Makes runs with the bug, seed by seed, until an invariant that is expected to catch it does, and shrinks the plan of that run. The
/// same seeds without the bug have to be silent, and so has the small plan.
///
/// # Errors
/// When it was not caught within `limit` seeds, and when a run without the bug is not silent.
pub fn hunt(bug: Bug, limit: u64, progress: impl FnMut(Progress)) -> Result<Catch, Missed> {
    hunt_by(bug, limit, &run, progress)
}

fn run(plan: &Plan, tier: Tier, bug: Option<Bug>) -> Vec<Breach> {
    let options = Options {
        bug,
        ..Options::PLAIN
    };
    crate::run(plan, tier, &options).jury.breaches().to_vec()
}

/// What a run of this plan breaches, with a bug or without.
pub type Run<'a> = &'a dyn Fn(&Plan, Tier, Option<Bug>) -> Vec<Breach>;

/// [`hunt`], with runs made by somebody else.
///
/// # Errors
/// As [`hunt`].
pub fn hunt_by(
    bug: Bug,
    limit: u64,
    run: Run<'_>,
    mut progress: impl FnMut(Progress),
) -> Result<Catch, Missed> {
    for tier in bug.tiers().iter().copied() {
        for seed in 0..limit {
            progress(Progress::Seeking { tier, seeds: seed });
            for backend in bug.backends().iter().copied() {
                let plan = bug.plan(seed, backend);
                let scene = Scene { bug, tier, run };
                if let Some(breach) = run(&plan, tier, None).into_iter().next() {
                    return Err(Missed::ControlBreaches {
                        bug,
                        tier,
                        backend,
                        seed,
                        breach,
                    });
                }
                if let Some(breach) = scene.caught(&plan) {
                    return Ok(scene.catch(seed, &plan, breach.invariant, &mut progress));
                }
            }
        }
    }
    Err(Missed::Uncaught { bug, seeds: limit })
}

struct Scene<'a> {
    bug: Bug,
    tier: Tier,
    run: Run<'a>,
}

impl Scene<'_> {
    /// What an expected invariant sees in a run of this plan with the bug.
    fn caught(&self, plan: &Plan) -> Option<Breach> {
        let breaches = (self.run)(plan, self.tier, Some(self.bug));
        let expected = |breach: &Breach| self.bug.expected().contains(&breach.invariant);
        let breach = breaches.into_iter().find(expected)?;
        self.is_to_blame(plan).then_some(breach)
    }

    /// The same breach, of a plan that without the bug breaches nothing.
    fn caught_alone(&self, plan: &Plan, by: Invariant) -> Option<Breach> {
        let breaches = (self.run)(plan, self.tier, Some(self.bug));
        let breach = breaches.into_iter().find(|breach| breach.invariant == by)?;
        let silent = (self.run)(plan, self.tier, None).is_empty();
        (silent && self.is_to_blame(plan)).then_some(breach)
    }

    /// Whether it is the bug that shows, and not the watchdog that is missing with it.
    fn is_to_blame(&self, plan: &Plan) -> bool {
        let unwatched = Bug::UNWATCHED;
        self.bug.is_guarded()
            || self.bug == unwatched
            || (self.run)(plan, self.tier, Some(unwatched)).is_empty()
    }

    fn catch(
        &self,
        seed: u64,
        plan: &Plan,
        by: Invariant,
        progress: &mut impl FnMut(Progress),
    ) -> Catch {
        let plan = shrink(
            plan,
            |plan| self.caught_alone(plan, by),
            |shrinking| progress(Progress::Shrinking(shrinking)),
        );
        let breach = self.caught_alone(&plan, by);
        Catch {
            bug: self.bug,
            breach: breach.expect("a plan is shrunk to one that is caught"),
            tier: self.tier,
            backend: plan.backend,
            seeds: seed + 1,
            plan,
        }
    }
}
