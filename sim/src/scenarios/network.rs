use super::Scenario;
use super::draft::Draft;
use crate::plan::{Direction, Fault, Plan, Span, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new(
        "leader-partitioned",
        "The leader is cut off from the API server for a minute, and finds another leader when it is back.",
        leader_partitioned,
    ),
    Scenario::new(
        "answers-lost",
        "The leader's renewals arrive and are applied, but their answers are lost for 40 s.",
        answers_lost,
    ),
    Scenario::new(
        "short-partition",
        "The leader is cut off for 5 s, less than its lease can stand: it must not lose its leadership for long.",
        short_partition,
    ),
    Scenario::new(
        "followers-partitioned",
        "Everybody but one follower is cut off in turns, so that the lead has to go where the store can be reached.",
        followers_partitioned,
    ),
    Scenario::new(
        "clogged",
        "What the leader sends is held up for 30 s and then arrives all at once, when another leads.",
        clogged,
    ),
    Scenario::new(
        "slow-network",
        "Requests of everybody take up to 3 s and overtake each other, and the leader is killed meanwhile.",
        slow_network,
    ),
    Scenario::new(
        "flaky-network",
        "Three in ten requests and answers of everybody are lost for two minutes.",
        flaky_network,
    ),
    Scenario::new(
        "connections-reset",
        "A proxy breaks everybody's connections every 15 s.",
        connections_reset,
    ),
    Scenario::new(
        "duplicated",
        "A proxy sends every other request a second time, later.",
        duplicated,
    ),
];

fn cut(node: Who, direction: Direction) -> Fault {
    Fault::Cut { direction, node }
}

fn leader_partitioned() -> Plan {
    Draft::lease(3)
        .fault(60, 60, cut(Who::Leader, Direction::Both))
        .plan()
}

fn answers_lost() -> Plan {
    Draft::lease(3)
        .fault(60, 40, cut(Who::Leader, Direction::Replies))
        .plan()
}

fn short_partition() -> Plan {
    Draft::lease(3)
        .fault(60, 5, cut(Who::Leader, Direction::Both))
        .fault(120, 5, cut(Who::Leader, Direction::Requests))
        .plan()
}

fn followers_partitioned() -> Plan {
    Draft::lease(3)
        .fault(40, 50, cut(Who::Node(0), Direction::Both))
        .fault(70, 50, cut(Who::Node(1), Direction::Both))
        .fault(110, 50, cut(Who::Node(2), Direction::Both))
        .plan()
}

fn clogged() -> Plan {
    Draft::lease(3)
        .fault(60, 30, Fault::Clog { node: Who::Leader })
        .plan()
}

/// The same for each of three nodes.
fn for_each(draft: Draft, at_s: u64, lasts_s: u64, fault: impl Fn(Who) -> Fault) -> Draft {
    (0..3_u16).fold(draft, |draft, node| {
        draft.fault(at_s, lasts_s, fault(Who::Node(node)))
    })
}

fn slow_network() -> Plan {
    let slow = |node| Fault::Slow {
        direction: Direction::Both,
        most: Span::from_millis(1_500),
        node,
    };
    for_each(Draft::lease(3), 30, 150, slow)
        .fault(80, 30, Fault::Crash { node: Who::Leader })
        .plan()
}

fn flaky_network() -> Plan {
    let lossy = |node| Fault::Lossy {
        direction: Direction::Both,
        node,
        per_mille: 300,
    };
    for_each(Draft::lease(3), 40, 120, lossy).plan()
}

fn connections_reset() -> Plan {
    (2..12_u64)
        .fold(Draft::lease(3), |draft, n| {
            (0..3_u16).fold(draft, |draft, node| {
                let node = Who::Node(node);
                draft.once(15 * n, Fault::Reset { node })
            })
        })
        .plan()
}

fn duplicated() -> Plan {
    let twice = |node| Fault::Duplicate {
        node,
        per_mille: 500,
    };
    for_each(Draft::lease(3), 30, 150, twice)
        .fault(80, 30, Fault::ShutDown { node: Who::Leader })
        .plan()
}
