//! What goes wrong where the lock is a queue of nodes of a ZooKeeper ensemble: three servers with a tick of 2 s and a `syncLimit` of 5, and
//! sessions of 4 s, as the measurements had them.

use super::scenarios::{Maker, Pattern};
use crate::plan::{Backend, Fault, OnMissingPlan, Plan, ServerPlan, Span, Who};

/// What Curator asks for in the measurements, and the least that these servers grant.
const SESSION: Span = Span::from_secs(4);
const TICK: Span = Span::from_secs(2);
const SYNC_LIMIT: u32 = 5;

/// The first candidate is there well before the others, so that it leads, and its client is on this server. The others' are on the next.
/// Of servers that start at once the last one leads: both are followers.
const LEADERS_SERVER: u8 = 0;
const OTHERS_SERVER: u8 = 1;
const FIRST_STARTS: Span = Span::from_secs(3);
const OTHERS_START: Span = Span::from_secs(6);

impl Pattern {
    /// Those over a queue of nodes, in the order of the table.
    pub const OF_QUEUES: [Self; 5] = [
        Self::on_ensemble(
            "zk-cut/3",
            "the server that the leader's client is on is cut off from the other two",
            cut,
        ),
        Self::on_ensemble(
            "zk-paused/3",
            "the leader's process is paused for 10 to 12 s",
            paused,
        ),
        Self::on_ensemble(
            "zk-server/3",
            "the server that the leader's client is on is killed",
            killed,
        ),
        Self::on_ensemble("zk-resign/3", "the leader gives the lock back", resign),
        Self::on_ensemble("zk-crash/3", "the leader's process is killed", crash),
    ];

    const fn on_ensemble(name: &'static str, sentence: &'static str, make: fn(&mut Maker)) -> Self {
        Self {
            backend: Backend::Zookeeper,
            ..Self::new(name, 3, sentence, make)
        }
    }
}

/// Makes a plan one over an ensemble.
pub(super) fn on_ensemble(plan: &mut Plan) {
    plan.timing.lease = SESSION;
    plan.on_missing = OnMissingPlan::AcquireAtOnce;
    plan.quiet_from = Span::from_secs(50);
    plan.end = Span::from_secs(65);
    plan.server = ServerPlan {
        late_proof: true,
        sync_limit: Some(SYNC_LIMIT),
        tick: TICK,
        ..ServerPlan::default()
    };
    for (index, node) in plan.nodes.iter_mut().enumerate() {
        let first = index == 0;
        node.server = Some(if first { LEADERS_SERVER } else { OTHERS_SERVER });
        node.starts_at = Some(if first { FIRST_STARTS } else { OTHERS_START });
    }
}

/// When things go wrong: once the first has led for a while, at any moment between two ticks.
///
/// Before it starts the servers elect once more. It is the same one that leads, and its signs of life are at any moment between two ticks
/// by then, as they are where servers start when they do, and so are those of the first candidate's client: all ends of leaderships depend
/// on these.
fn onset(maker: &mut Maker) -> Span {
    maker.even();
    let starts_at = FIRST_STARTS.plus(maker.between(0, 1_500));
    maker.plan.nodes[0].starts_at = Some(starts_at);
    let at = maker.between(100, 2_100);
    maker.fault(at, None, Fault::LeaderChange);
    maker.between(20_000, 24_000)
}

fn cut(maker: &mut Maker) {
    let at = onset(maker);
    let server = LEADERS_SERVER;
    maker.fault(at, None, Fault::ServerCut { server });
}

fn paused(maker: &mut Maker) {
    let at = onset(maker);
    let lasts = maker.between(10_000, 12_000);
    let node = Who::Leader;
    maker.fault(at, Some(lasts), Fault::Pause { node });
}

fn killed(maker: &mut Maker) {
    let at = onset(maker);
    let server = LEADERS_SERVER;
    maker.fault(at, None, Fault::ServerAway { server });
}

fn resign(maker: &mut Maker) {
    let at = onset(maker);
    let node = Who::Leader;
    maker.fault(at, None, Fault::Resign { node });
}

fn crash(maker: &mut Maker) {
    let at = onset(maker);
    let node = Who::Leader;
    maker.fault(at, None, Fault::Crash { node });
}
