use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::belief::Beliefs;
use super::connection::Wiring;
use super::cron::Cron;
use super::exits::Exits;
use super::files::Files;
use super::leases::Leases;
use super::log::Log;
use super::network::Network;
use super::node::{Node, Scene};
use super::queues::Queues;
use super::resource::Resource;
use super::store::Store;
use super::world::{Deed, World};
use crate::TrueTime;
use crate::executor::{Executor, Host, Limits, Order, Step};
use crate::plan::{Backend, Foreign, Plan};
use crate::planted::{Bug, Distortion};
use crate::random::{Purpose, Stream};
use crate::trace::What;
use crate::{Options, Outcome};

/// How long a candidate waits at the most before it starts, where the plan does not say.
const STARTS_WITHIN_MICROS: u64 = 3_000_000;

/// Runs a plan with the real elector, work loop, cron layer and watchdog as tasks on the executor, until its end or the first
/// breach.
///
/// # Panics
/// When the plan's timing is impossible, or a node that a fault strikes is not there: plans that people wrote are checked before.
pub fn run(plan: &Plan, options: &Options) -> Outcome {
    let mut world = world(plan, options);
    let mut events = 0;
    let panic = catch_unwind(AssertUnwindSafe(|| drive(plan, &mut world, &mut events)));
    let log = world.scene.log.clone();
    if panic.is_err() {
        log.tell(None, What::Panicked);
    }
    let chronicle = log.close(plan.facts());
    let mut hash = world.executor.hash();
    hash.mix(chronicle.hash().value());
    Outcome {
        events,
        hash,
        jury: chronicle.jury().clone(),
        records: chronicle.into_records(),
    }
}

fn world<'a>(plan: &'a Plan, options: &Options) -> World<'a> {
    let mut executor = Executor::new(plan.seed, Order::Seeded, Limits::STANDARD);
    let handle = executor.handle().clone();
    let log = Log::new(plan.facts(), options, &handle);
    // One link more, for operators.
    let network = Network::new(plan.seed, plan.nodes.len() + 1);
    let leases = (plan.backend == Backend::Kubernetes).then(|| {
        let host = Host::new();
        executor.set_host(&host);
        Leases::new(plan, &log, &host, &network, &handle, options.bug)
    });
    let queues = (plan.backend == Backend::Zookeeper)
        .then(|| Queues::new(plan, &log, &network, &handle, options.bug));
    let scene = Scene {
        beliefs: Beliefs::new(&handle),
        bug: options.bug,
        cron: plan.cron.as_ref().map(Cron::new),
        exits: Exits::default(),
        files: has_files(plan, options).then(|| Files::new(plan, &log, &handle)),
        leases,
        on_missing: plan.on_missing,
        pace: pace(plan),
        peer: options.peer,
        queues,
        quiet_from: plan.quiet_from.from_start(),
        resource: Resource::default(),
        wiring: Wiring {
            network,
            store: Store::new(plan, &log, &handle),
            handle: handle.clone(),
            swallows_hints: options
                .bug
                .and_then(Bug::distortion)
                .is_some_and(Distortion::swallows_hints),
        },
        log,
    };
    let nodes = (0..plan.nodes.len()).map(|index| {
        let timing = plan.timing(index).expect("a plan's timing was checked");
        Node::new(plan, index, timing, &handle)
    });
    let nodes = nodes.collect();
    if let (Some(every), Backend::Lease) = (plan.server.edited_every, plan.backend.kind()) {
        let (scene, clock) = (scene.clone(), handle.clone());
        handle.spawn_in_world(async move {
            loop {
                clock.sleep(every.into()).await;
                scene.tamper(Foreign::EditLabel);
            }
        });
    }
    let mut world = World::new(plan, executor, nodes, scene);
    let mut arrivals = Stream::new(plan.seed, 0, Purpose::Work);
    for (index, node) in plan.nodes.iter().enumerate() {
        // Drawn for all, so that to say when one starts does not move the others.
        let drawn = Duration::from_micros(arrivals.below(STARTS_WITHIN_MICROS));
        let at = match node.starts_at {
            Some(at) => at.from_start(),
            None => TrueTime::START.plus(drawn),
        };
        world.plan(at, Deed::Start(index));
    }
    world
}

/// A lease of minutes is one of a plan that was made slow, so that years cost less.
pub(super) fn pace(plan: &Plan) -> u32 {
    let lease = Duration::from(plan.timing.lease).as_secs();
    u32::try_from(lease / 60).unwrap_or(u32::MAX).max(1)
}

/// Whether the lock is a real file on a simulated disk. Mistakes of a store are planted into one in memory, which ends a session with
/// its process as a file does.
fn has_files(plan: &Plan, options: &Options) -> bool {
    let distortion = options.bug.and_then(Bug::distortion);
    plan.backend == Backend::File && distortion.is_none_or(|lie| !lie.is_of_the_store())
}

fn drive(plan: &Plan, world: &mut World<'_>, events: &mut u64) {
    let quiet = plan.quiet_from.from_start();
    while let Some((at, _)) = world.next().filter(|(at, _)| *at < quiet) {
        if !advance(world, at, events) {
            return;
        }
        // An aborted process may have put something earlier on the agenda.
        if world
            .next()
            .is_some_and(|(next, _)| next <= world.executor.now())
        {
            world.act();
        }
    }
    if !advance(world, quiet, events) {
        return;
    }
    world.heal();
    let end = plan.end.from_start();
    while let Some((at, _)) = world.next().filter(|(at, _)| *at < end) {
        if !advance(world, at, events) {
            return;
        }
        world.act();
    }
    if advance(world, end, events) {
        world.scene.log.tell(None, What::End);
    }
}

/// Runs until `limit`, looking at every step. Says whether nothing was found.
fn advance(world: &mut World<'_>, limit: TrueTime, events: &mut u64) -> bool {
    let limit = limit.max(world.executor.now());
    loop {
        let step = world.executor.step(limit);
        *events += 1;
        match step {
            Step::Polled => {
                world.scene.beliefs.look();
                world.bury();
            }
            Step::Advanced => {}
            Step::Reached => return true,
        }
        if world.scene.log.is_breached() {
            return false;
        }
    }
}
