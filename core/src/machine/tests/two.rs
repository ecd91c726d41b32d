//! Three candidates with clocks of their own, one store, and all that can go wrong between them. True time is counted apart.

use proptest::prelude::*;

use super::bench::*;
use super::store::Store;
use crate::backend::{Hint, LockKind};
use crate::machine::{Eligibility, Input, Operation, OperationId, Outcome, Settings};
use crate::{Nanos, Reading};

/// True time between two looks at all candidates. Shorter than the allowance for killing work.
const STEP_MS: u64 = 250;
const CANDIDATES: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Changed(usize),
    Cut(usize),
    Delete,
    Eligible(usize, bool),
    Empty,
    EndWork(usize),
    Freeze(usize, u8),
    Heal(usize),
    /// All requests that were held back land now; their senders have given up long ago, or not.
    Land,
    Label,
    LoseAnswer(usize),
    Pass(u8),
    /// The next requests of this one land only with `Land`.
    HoldBack(usize),
    Recreate,
    Resign(usize),
    Seen(usize),
    SeenBefore(usize),
    Suspend(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..CANDIDATES;
    prop_oneof![
        40 => (1..20_u8).prop_map(Step::Pass),
        4 => who.clone().prop_map(Step::Cut),
        4 => who.clone().prop_map(Step::Heal),
        4 => who.clone().prop_map(Step::LoseAnswer),
        3 => who.clone().prop_map(Step::HoldBack),
        4 => Just(Step::Land),
        2 => Just(Step::Label),
        1 => Just(Step::Delete),
        1 => Just(Step::Empty),
        1 => Just(Step::Recreate),
        3 => who.clone().prop_map(Step::Changed),
        3 => who.clone().prop_map(Step::Seen),
        2 => who.clone().prop_map(Step::SeenBefore),
        2 => who.clone().prop_map(Step::Resign),
        2 => who.clone().prop_map(Step::EndWork),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, may)| Step::Eligible(who, may)),
        2 => (who.clone(), 1..100_u8).prop_map(|(who, steps)| Step::Freeze(who, steps)),
        2 => (who, 1..100_u8).prop_map(|(who, steps)| Step::Suspend(who, steps)),
    ]
}

/// How fast a candidate's clocks run, in parts per million of true time; both lie within the drift.
#[derive(Clone, Copy, Debug)]
struct Rates {
    boottime: u64,
    raw: u64,
}

fn rates() -> impl Strategy<Value = Rates> {
    let rate = || prop_oneof![Just(990_100_u64), Just(1_000_000), Just(1_010_000)];
    (rate(), rate()).prop_map(|(boottime, raw)| Rates { boottime, raw })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Cut,
    LosesAnswers,
    HeldBack,
    Works,
}

#[derive(Debug)]
struct Node {
    bench: Bench,
    frozen: u8,
    link: Link,
    rates: Rates,
    /// The call that the world has dealt with already.
    seen: Option<OperationId>,
    suspended: u8,
}

impl Node {
    /// Lets true time pass on this candidate's clocks, and runs it unless its process is stopped.
    fn pass(&mut self) {
        let step = |rate: u64| Nanos::new(STEP_MS * rate);
        let now = self.bench.now;
        let raw = if self.suspended > 0 {
            Nanos::ZERO
        } else {
            step(self.rates.raw)
        };
        self.bench.now = Reading {
            boottime: now.boottime.saturating_add(step(self.rates.boottime)),
            raw: now.raw.saturating_add(raw),
        };
        if self.stands_still() {
            self.frozen = self.frozen.saturating_sub(1);
            self.suspended = self.suspended.saturating_sub(1);
        }
        if !self.stands_still() {
            self.give(Input::Tick);
        }
    }

    fn stands_still(&self) -> bool {
        self.frozen > 0 || self.suspended > 0
    }

    /// Work never stops by itself before it is aborted.
    fn give(&mut self, input: Input) {
        if self.stands_still() {
            return;
        }
        self.bench.give(input);
        self.bury();
    }

    fn bury(&mut self) {
        if self.bench.aborted && self.bench.work.is_some() {
            self.bench.stopped();
        }
    }
}

#[derive(Debug)]
struct World {
    held_back: Vec<Operation>,
    nodes: Vec<Node>,
    store: Store,
}

impl World {
    fn new(rates: &[Rates]) -> Self {
        let nodes = (1_u128..).zip(rates).map(|(bits, rates)| Node {
            bench: Bench::with(Settings {
                candidate: candidate(bits),
                ..settings(LockKind::Leased)
            }),
            frozen: 0,
            link: Link::Works,
            rates: *rates,
            seen: None,
            suspended: 0,
        });
        Self {
            held_back: Vec::new(),
            nodes: nodes.collect(),
            store: Store::default(),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Changed(who) => self.nodes[who].give(Input::Hinted(Hint::Changed)),
            Step::Cut(who) => self.nodes[who].link = Link::Cut,
            Step::Delete => self.store.delete(),
            Step::Eligible(who, true) => {
                self.nodes[who].give(Input::SetEligibility(Eligibility::Eligible));
            }
            Step::Eligible(who, false) => {
                self.nodes[who].give(Input::SetEligibility(Eligibility::Ineligible));
            }
            Step::Empty => self.store.empty(),
            Step::EndWork(who) => {
                let node = &mut self.nodes[who];
                if node.bench.work.is_some() && !node.stands_still() {
                    node.bench.stopped();
                }
            }
            Step::Freeze(who, steps) => self.nodes[who].frozen = steps,
            Step::Heal(who) => self.nodes[who].link = Link::Works,
            Step::HoldBack(who) => self.nodes[who].link = Link::HeldBack,
            Step::Label => self.store.label(),
            Step::Land => {
                for operation in std::mem::take(&mut self.held_back) {
                    self.store.apply(&operation);
                }
            }
            Step::LoseAnswer(who) => self.nodes[who].link = Link::LosesAnswers,
            Step::Pass(steps) => (0..steps).for_each(|_| self.pass()),
            Step::Recreate => self.store.recreate(),
            Step::Resign(who) => self.nodes[who].give(Input::Resign),
            Step::Seen(who) => {
                let seen = self.store.observe();
                self.nodes[who].give(Input::Hinted(Hint::Seen(seen)));
            }
            Step::SeenBefore(who) => {
                let seen = self.store.observe_before();
                self.nodes[who].give(Input::Hinted(Hint::Seen(seen)));
            }
            Step::Suspend(who, steps) => self.nodes[who].suspended = steps,
        }
        self.check();
    }

    fn pass(&mut self) {
        for who in 0..self.nodes.len() {
            self.nodes[who].pass();
            self.check();
            self.carry(who);
            self.check();
        }
    }

    /// Carries the requests of one candidate to the store, and the answers back, as its link does.
    fn carry(&mut self, who: usize) {
        for _ in 0..4 {
            let node = &mut self.nodes[who];
            let Some((id, operation)) = node.bench.call.clone() else {
                return;
            };
            if node.seen == Some(id) || node.stands_still() {
                return;
            }
            node.seen = Some(id);
            match node.link {
                Link::Cut => {}
                Link::HeldBack => self.held_back.push(operation),
                Link::LosesAnswers => {
                    self.store.apply(&operation);
                }
                Link::Works => {
                    let outcome: Outcome = self.store.apply(&operation);
                    node.bench.answer(outcome);
                    node.bury();
                }
            }
        }
    }

    /// S1: never two works at one time, and never two that say "I lead".
    fn check(&self) {
        let runs = |node: &&Node| !node.stands_still() && node.bench.work.is_some();
        let working = self.nodes.iter().filter(runs).count();
        let leading = self.nodes.iter().filter(|node| node.bench.leads()).count();
        assert!(working <= 1, "two works at once: {self:#?}");
        assert!(leading <= 1, "two leaders at once: {self:#?}");
    }

    /// Nothing goes wrong any more.
    fn heal(&mut self) {
        for who in 0..self.nodes.len() {
            self.nodes[who].frozen = 0;
            self.nodes[who].suspended = 0;
            self.nodes[who].link = Link::Works;
            self.run(Step::Eligible(who, true));
        }
        self.run(Step::Land);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn never_two_leaders_in_true_time_and_always_one_in_the_end(
        rates in prop::collection::vec(rates(), CANDIDATES),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut world = World::new(&rates);
        for step in steps {
            world.run(step);
        }
        world.heal();
        let mut led = 0;
        for _ in 0..600 {
            world.pass();
            led += usize::from(world.nodes.iter().any(|node| node.bench.leads()));
        }
        prop_assert!(led > 200, "led for {led} of 600 steps: {world:#?}");
    }
}
