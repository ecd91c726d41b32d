use super::Scenario;
use super::draft::Draft;
use crate::plan::{Fault, Plan, Span, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new(
        "pod-deleted",
        "One pod leads, two more join, the leader's pod is deleted, and another takes over.",
        pod_deleted,
    ),
    Scenario::new(
        "pod-killed",
        "The leader's process is killed without a word (OOM, kill -9), and comes back after 20 s.",
        pod_killed,
    ),
    Scenario::new(
        "killed-mid-write",
        "The leader is killed while its requests are on their way, and they arrive after its death.",
        killed_mid_write,
    ),
    Scenario::new(
        "file-leader-killed",
        "The holder of a lock file is killed: the kernel frees the lock at once, without waiting for a lease.",
        file_leader_killed,
    ),
    Scenario::new(
        "rolling-update",
        "Three pods are replaced one by one: each new one is up before an old one goes.",
        rolling_update,
    ),
    Scenario::new(
        "rolling-timing",
        "A rolling update from a lease of 15 s to one of 30 s: for a while both are configured.",
        rolling_timing,
    ),
    Scenario::new(
        "node-drain",
        "The leader's node is drained, and its work takes 20 s to finish before the lock is given back.",
        node_drain,
    ),
    Scenario::new(
        "scale-up-down",
        "A deployment is scaled from one pod to five, and back to one.",
        scale_up_down,
    ),
    Scenario::new(
        "crash-loop",
        "Whoever leads is killed every 30 s, six times.",
        crash_loop,
    ),
    Scenario::new(
        "all-restart",
        "All pods are killed at once and come back after 10 s.",
        all_restart,
    ),
    Scenario::new(
        "same-name",
        "Two pods run under one name, by a mistake in their configuration, and the leader is killed.",
        same_name,
    ),
    Scenario::new(
        "restarted-under-its-name",
        "The leader's container is killed and is back after 1 s, under its old name: a stranger to its former self.",
        restarted_under_its_name,
    ),
    Scenario::new(
        "quiet-day",
        "A whole day with a pod deleted every three hours, and nothing else.",
        quiet_day,
    ),
];

fn pod_deleted() -> Plan {
    Draft::lease(3)
        .starts_at_s(0, 0)
        .starts_at_s(1, 20)
        .starts_at_s(2, 30)
        .fault(60, 30, Fault::ShutDown { node: Who::Leader })
        .plan()
}

fn pod_killed() -> Plan {
    Draft::lease(3)
        .fault(60, 20, Fault::Crash { node: Who::Leader })
        .plan()
}

fn killed_mid_write() -> Plan {
    Draft::lease(3)
        .fault(50, 40, Fault::Clog { node: Who::Leader })
        .fault(62, 60, Fault::Crash { node: Who::Leader })
        .plan()
}

fn file_leader_killed() -> Plan {
    Draft::file(3)
        .fault(60, 20, Fault::Crash { node: Who::Leader })
        .plan()
}

fn rolling_update() -> Plan {
    let draft = Draft::lease(6);
    (0..3_u16)
        .fold(draft, |draft, old| {
            let at_s = 40 + 40 * u64::from(old);
            draft
                .starts_at_s(usize::from(old) + 3, at_s)
                .once(at_s + 10, shut_down(old))
        })
        .plan()
}

fn rolling_timing() -> Plan {
    let longer = |plan: &mut Plan| {
        for node in &mut plan.nodes[3..] {
            node.lease = Some(Span::from_secs(30));
        }
    };
    Draft::lease(6)
        .with(|plan| *plan = rolling_update())
        .with(longer)
        .plan()
}

fn shut_down(node: u16) -> Fault {
    Fault::ShutDown {
        node: Who::Node(node),
    }
}

fn node_drain() -> Plan {
    Draft::lease(3)
        .each_node(|node| node.drain_takes = Span::from_secs(20))
        .fault(60, 60, Fault::ShutDown { node: Who::Leader })
        .plan()
}

fn scale_up_down() -> Plan {
    let draft = Draft::lease(5);
    (1..5_u16)
        .fold(draft, |draft, node| {
            let index = u64::from(node);
            draft
                .starts_at_s(usize::from(node), 20 * index)
                .once(100 + 20 * index, shut_down(node - 1))
        })
        .plan()
}

fn crash_loop() -> Plan {
    (1..=6_u64)
        .fold(Draft::lease(3), |draft, n| {
            draft.fault(30 * n, 10, Fault::Crash { node: Who::Leader })
        })
        .plan()
}

fn all_restart() -> Plan {
    (0..3_u16)
        .fold(Draft::lease(3), |draft, node| {
            let node = Who::Node(node);
            draft.fault(60, 10, Fault::Crash { node })
        })
        .plan()
}

fn same_name() -> Plan {
    Draft::lease(3)
        .with(|plan| {
            for node in &mut plan.nodes[..2] {
                node.name = Some("my-service-0".to_owned());
            }
        })
        .fault(60, 30, Fault::Crash { node: Who::Leader })
        .fault(120, 30, Fault::Crash { node: Who::Leader })
        .plan()
}

fn restarted_under_its_name() -> Plan {
    Draft::lease(1)
        .fault(60, 1, Fault::Crash { node: Who::Leader })
        .fault(120, 1, Fault::Crash { node: Who::Leader })
        .plan()
}

fn quiet_day() -> Plan {
    const HOUR_S: u64 = 3_600;
    (1..8_u64)
        .fold(Draft::lease(3), |draft, n| {
            draft.fault(3 * HOUR_S * n, 30, Fault::ShutDown { node: Who::Leader })
        })
        .quiet_from_s(24 * HOUR_S - 90)
        .plan()
}
