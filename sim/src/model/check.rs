use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Property};

use super::action::{self, Action};
use super::configuration::Configuration;
use super::counterexample::Counterexample;
use super::rules::Rules;
use super::step;
use super::world::{Broken, Work, World};
use crate::invariants::Invariant;
use crate::planted::Bug;

/// How far a search has come.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Progress {
    /// How many different states were found.
    pub states: usize,
    /// How many steps were tried.
    pub steps: usize,
    /// How many actions the longest of the shortest ways has.
    pub depth: usize,
    /// How long it has taken.
    pub time: Duration,
}

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Every reachable state was seen.
    Closed,
    /// Every state was seen that is as near as was to be looked: nothing is known about what lies behind.
    Bounded,
    /// The search was broken off before.
    Cut,
    /// A state was found that must not be.
    Found(Invariant),
}

/// What a search has shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// How it ended.
    pub end: End,
    /// How far it came.
    pub progress: Progress,
    /// The way to what was found, where something was.
    pub counterexample: Option<Counterexample>,
}

const SINGLE_LEADER: &str = "single leader";
const TOKENS_GROW: &str = "tokens grow";
const NO_PANIC: &str = "no panic";

impl Model for Rules {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![step::start(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if !self.over.load(Ordering::Relaxed) {
            action::possible(self, world, actions);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(step::after(self, world, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SINGLE_LEADER, |rules: &Self, world: &World| {
                rules.passes(world.leaders() <= 1)
            }),
            Property::always(TOKENS_GROW, |rules: &Self, world: &World| {
                rules.passes(world.broken != Some(Broken::Token))
            }),
            Property::always(NO_PANIC, |rules: &Self, world: &World| {
                rules.passes(world.broken != Some(Broken::Panic))
            }),
        ]
    }
}

impl Rules {
    /// The first finding is a nearest one, so later ones must not take its place.
    fn passes(&self, holds: bool) -> bool {
        holds || self.over.swap(true, Ordering::Relaxed)
    }
}

impl World {
    /// How many candidates say by their own clock that they lead, or have work running.
    pub(super) fn leaders(&self) -> usize {
        let leads = self
            .nodes
            .iter()
            .filter(|node| node.work != Work::None || node.machine.leads(node.now));
        leads.count()
    }
}

/// Searches a world by breadth: all of it, unless its depth, `limit`, a finding or `progress` ends the search before.
///
/// A way to a finding is a shortest one: with a bug planted one thread searches, and a finding of several threads is searched for
/// again by one.
pub fn check(
    configuration: &Configuration,
    bug: Option<Bug>,
    threads: usize,
    limit: Duration,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Verdict {
    let threads = if bug.is_some() { 1 } else { threads.max(1) };
    let verdict = search(configuration, bug, threads, limit, progress);
    if threads > 1 && matches!(verdict.end, End::Found(_)) {
        return search(configuration, bug, 1, limit, progress);
    }
    verdict
}

fn search(
    configuration: &Configuration,
    bug: Option<Bug>,
    threads: usize,
    limit: Duration,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Verdict {
    let rules = Rules::new(configuration.clone(), bug);
    let over = Arc::clone(&rules.over);
    let mut search = rules
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::AnyFailures);
    if let Some(depth) = configuration.depth {
        search = search.target_max_depth(depth);
    }
    let mut search = search.spawn_bfs();
    let handles = search.handles();
    let started = now();
    let seen = |search: &_| seen(search, started);
    std::thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            for handle in handles {
                handle.join().expect("a step that panics is a finding");
            }
            drop(done);
        });
        while is_done.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
            let seen = seen(&search);
            if progress(seen).is_break() || seen.time >= limit {
                over.store(true, Ordering::Relaxed);
            }
        }
    });
    let last = seen(&search);
    let was_cut = over.swap(false, Ordering::Relaxed);
    let is_deep = configuration.depth.is_some_and(|depth| last.depth >= depth);
    let found = search.discoveries().into_iter().next();
    let found = found.map(|(name, path)| (invariant(name), path));
    let end = match &found {
        Some((invariant, _)) => End::Found(*invariant),
        None if was_cut => End::Cut,
        None if is_deep => End::Bounded,
        None => End::Closed,
    };
    Verdict {
        end,
        progress: last,
        counterexample: found.map(|(invariant, path)| {
            Counterexample::of(search.model(), path.into_actions(), invariant)
        }),
    }
}

/// How often a search tells how far it is.
const PAUSE: Duration = Duration::from_millis(200);

fn seen(search: &impl Checker<Rules>, started: Instant) -> Progress {
    Progress {
        states: search.unique_state_count(),
        steps: search.state_count(),
        depth: search.max_depth(),
        time: started.elapsed(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "people are told how long a search took, and nothing is decided by it but when to give up"
)]
fn now() -> Instant {
    Instant::now()
}

fn invariant(name: &str) -> Invariant {
    match name {
        SINGLE_LEADER => Invariant::SingleLeader,
        TOKENS_GROW => Invariant::TokenMonotonic,
        _ => Invariant::Progress,
    }
}
