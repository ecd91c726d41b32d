use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::lock::Wiring;
use super::network::Network;
use super::node::Node;
use super::oracle::{Oracle, Violation};
use super::plan::{Plan, StoreKind};
use super::sabotage::Sabotage;
use super::stats::{Stats, Tally};
use super::store::Store;
use super::timeline::{World, timeline};
use crate::TrueTime;
use crate::executor::{Executor, Limits, NodeId, Order, Step};
use crate::random::{Purpose, Stream};
use crate::trace::TraceHash;

/// For how long at the end of the quiet time one candidate must have led.
const SETTLED_FOR: Duration = Duration::from_secs(15);
/// How slow an oscillator is that no drift allows for.
const WILD_RATE_PPM: i64 = -150_000;

/// A run of the smoke test: a plan, and the seed of all that is drawn while it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// How many lines of what happened are kept for people.
    pub lines: usize,
    /// What goes wrong.
    pub plan: Plan,
    /// What the schedule, the network and the electors draw from.
    pub seed: u64,
    /// A planted mistake.
    pub sabotage: Option<Sabotage>,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The hash over all that happened.
    pub hash: TraceHash,
    /// The last lines of what happened.
    pub lines: Vec<String>,
    /// What was seen.
    pub stats: Stats,
    /// What must not happen and happened, and when; the run ended there.
    pub violation: Option<(TrueTime, Violation)>,
}

impl Run {
    /// The run of `seed` for a store of this kind, as its plan is generated.
    pub fn of(seed: u64, store: StoreKind) -> Self {
        Self {
            lines: 0,
            plan: Plan::generate(seed, store),
            seed,
            sabotage: None,
        }
    }

    /// The same run with a planted mistake.
    #[must_use]
    pub fn with(self, sabotage: Sabotage) -> Self {
        Self {
            sabotage: Some(sabotage),
            ..self
        }
    }

    /// The same run, with this many lines kept.
    #[must_use]
    pub fn keeping(self, lines: usize) -> Self {
        Self { lines, ..self }
    }

    /// Runs it.
    pub fn run(&self) -> Outcome {
        let mut world = self.world();
        let oracle = world.oracle.clone();
        let panic = catch_unwind(AssertUnwindSafe(|| self.drive(&mut world))).err();
        if let Some(payload) = panic {
            let message = payload
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| {
                    payload
                        .downcast_ref::<&str>()
                        .map(|text| (*text).to_owned())
                })
                .unwrap_or_default();
            oracle.accuse(Violation::Panicked { message });
        }
        let mut hash = world.executor.hash();
        let recorder = oracle.recorder();
        hash.write_u64(recorder.hash().value());
        let at = world.executor.now();
        Outcome {
            hash,
            lines: recorder.lines().map(str::to_owned).collect(),
            stats: oracle.tally().stats(),
            violation: oracle.violation().map(|violation| (at, violation)),
        }
    }

    fn world(&self) -> World {
        let plan = &self.plan;
        let executor = Executor::new(self.seed, Order::Seeded, Limits::STANDARD);
        let tally = Tally::default();
        let store = Store::new(plan.store, session_timeout(plan));
        store.serve(executor.handle());
        let wiring = Wiring {
            handle: executor.handle().clone(),
            network: Network::new(self.seed, (0..plan.nodes.len()).map(id)),
            sabotage: self.sabotage,
            store,
            tally: tally.clone(),
        };
        let nodes = plan.nodes.iter().enumerate().map(|(index, node)| {
            let mut node = node.clone();
            if self.sabotage == Some(Sabotage::WildClock) && index % 2 == 0 {
                node.rate_ppm = WILD_RATE_PPM;
            }
            Node::new(self.seed, id(index), &node, &wiring)
        });
        let nodes = nodes.collect();
        World {
            executor,
            nodes,
            oracle: Oracle::new(tally, self.lines),
            quiet_from: plan.quiet_from(),
            wiring,
        }
    }

    fn drive(&self, world: &mut World) {
        let mut arrivals = Stream::new(self.seed, 0, Purpose::Work);
        for node in 0..world.nodes.len() {
            let wait = Duration::from_micros(arrivals.below(3_000_000));
            if !advance(world, world.executor.now().plus(wait)) {
                return;
            }
            world.start(node);
        }
        for deed in timeline(&self.plan) {
            if !advance(world, deed.at) {
                return;
            }
            world.act(&deed);
        }
        if !advance(world, self.plan.quiet_from()) {
            return;
        }
        world.heal();
        if advance(world, self.plan.end()) {
            world.oracle.ends(self.plan.end().before(SETTLED_FOR));
        }
    }
}

/// Runs until `limit`, looking at every step. Says whether nothing was found.
fn advance(world: &mut World, limit: TrueTime) -> bool {
    let limit = limit.max(world.executor.now());
    loop {
        let step = world.executor.step(limit);
        world.oracle.tally().count(|stats| stats.steps += 1);
        world.oracle.look();
        if world.oracle.violation().is_some() {
            return false;
        }
        if step == Step::Reached {
            return true;
        }
    }
}

fn id(index: usize) -> NodeId {
    NodeId(u16::try_from(index).expect("a plan has a handful of nodes"))
}

/// The lease duration as the server's clock counts it, in true time, rounded down.
fn session_timeout(plan: &Plan) -> Duration {
    let lease_ms = plan
        .nodes
        .iter()
        .map(|node| node.lease_ms)
        .max()
        .unwrap_or(0);
    let rate =
        u64::try_from(1_000_000 + plan.server_rate_ppm).expect("a clock does not run backwards");
    Duration::from_micros(lease_ms * 1_000_000_000 / rate)
}
