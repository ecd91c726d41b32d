use super::Scenario;
use super::draft::Draft;
use crate::plan::{Direction, Fault, Foreign, Plan, Refusal, Span, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new(
        "api-restart",
        "The API server restarts and answers nothing for 8 s: the leader stays.",
        api_restart,
    ),
    Scenario::new(
        "api-outage",
        "The API server answers 503 for a minute: nobody leads until it is back.",
        api_outage,
    ),
    Scenario::new(
        "throttled",
        "The API server answers 429 to everybody for 40 s, and the leader is killed meanwhile.",
        throttled,
    ),
    Scenario::new(
        "forbidden",
        "The candidates' right to the lock is taken from them for 40 s (403).",
        forbidden,
    ),
    Scenario::new(
        "applied-then-timeout",
        "Half of all writes are applied and answered with 504.",
        applied_then_timeout,
    ),
    Scenario::new(
        "api-hangs",
        "The API server takes requests in, does nothing for 30 s, and then does all of them.",
        api_hangs,
    ),
    Scenario::new(
        "watch-silent",
        "No watch tells anything any more, and the leader is killed: the others have to find out.",
        watch_silent,
    ),
    Scenario::new(
        "stale-reads",
        "Watches and caches are 10 s behind, and the leader's pod is deleted.",
        stale_reads,
    ),
    Scenario::new(
        "watch-gap",
        "Watches end (410 Gone) while the leader's pod is deleted.",
        watch_gap,
    ),
    Scenario::new(
        "lease-deleted",
        "A cleanup job deletes the Lease under its leader.",
        lease_deleted,
    ),
    Scenario::new(
        "lease-edited",
        "Somebody writes another holder into the Lease with kubectl edit.",
        lease_edited,
    ),
    Scenario::new(
        "lease-emptied",
        "Somebody takes the holder out of the Lease, and with the leader cut off it cannot know.",
        lease_emptied,
    ),
    Scenario::new(
        "lease-labelled",
        "The leader is killed, and somebody sets a label every 4 s: that must not keep a dead leader young.",
        lease_labelled,
    ),
    Scenario::new(
        "lease-recreated",
        "A tool deletes the Lease and creates it anew with the same content.",
        lease_recreated,
    ),
    Scenario::new(
        "lease-corrupted",
        "The Lease's content is made unreadable.",
        lease_corrupted,
    ),
    Scenario::new(
        "quorum-lost",
        "The ZooKeeper ensemble loses its quorum for 40 s: no session expires, and nobody leads for long.",
        quorum_lost,
    ),
    Scenario::new(
        "session-expires",
        "The leader's session expires while it is disconnected, before its client library says so.",
        session_expires,
    ),
    Scenario::new(
        "ensemble-leader-change",
        "The ZooKeeper ensemble elects another leader, and all sessions count from anew.",
        ensemble_leader_change,
    ),
    Scenario::new(
        "session-closed",
        "An administrator closes the leader's session in ZooKeeper.",
        session_closed,
    )
    .fenced("a session is removed by a third party under a running leader"),
    Scenario::new(
        "file-replaced",
        "The lock file is deleted and created anew under its holder.",
        file_replaced,
    ),
    Scenario::new(
        "disk-full",
        "The disk that the lock file lies on has no room for a minute, and the leader is killed meanwhile.",
        disk_full,
    ),
    Scenario::new(
        "power-loss",
        "The leader's machine loses power: what was not on stable storage is lost or torn.",
        power_loss,
    ),
];

fn shut_down() -> Fault {
    Fault::ShutDown { node: Who::Leader }
}

fn crash() -> Fault {
    Fault::Crash { node: Who::Leader }
}

fn api_restart() -> Plan {
    Draft::lease(3).fault(60, 8, Fault::Restart).plan()
}

fn refuse(at_s: u64, lasts_s: u64, with: Refusal) -> Draft {
    Draft::lease(3).fault(at_s, lasts_s, Fault::Refuse { with })
}

fn api_outage() -> Plan {
    refuse(60, 60, Refusal::Unavailable).plan()
}

fn throttled() -> Plan {
    refuse(60, 40, Refusal::Throttled)
        .fault(70, 60, crash())
        .plan()
}

fn forbidden() -> Plan {
    refuse(60, 40, Refusal::Forbidden).plan()
}

fn applied_then_timeout() -> Plan {
    Draft::lease(3)
        .fault(30, 150, Fault::AppliedTimeout { per_mille: 500 })
        .fault(80, 20, crash())
        .plan()
}

fn api_hangs() -> Plan {
    Draft::lease(3).fault(60, 30, Fault::Hang).plan()
}

fn watch_silent() -> Plan {
    Draft::lease(3)
        .fault(30, 170, Fault::NoHints)
        .fault(60, 30, crash())
        .fault(120, 30, shut_down())
        .plan()
}

fn stale_reads() -> Plan {
    let by = Span::from_secs(10);
    Draft::lease(3)
        .fault(30, 170, Fault::Stale { by })
        .fault(60, 30, shut_down())
        .plan()
}

fn watch_gap() -> Plan {
    Draft::lease(3)
        .once(60, Fault::WatchGap)
        .fault(60, 30, shut_down())
        .once(61, Fault::WatchGap)
        .plan()
}

fn foreign(what: Foreign) -> Draft {
    Draft::lease(3)
        .once(60, Fault::Foreign(what))
        .once(120, Fault::Foreign(what))
}

fn lease_deleted() -> Plan {
    foreign(Foreign::Delete).plan()
}

fn lease_edited() -> Plan {
    foreign(Foreign::Overwrite).plan()
}

fn lease_emptied() -> Plan {
    let cut = Fault::Cut {
        direction: Direction::Both,
        node: Who::Leader,
    };
    foreign(Foreign::Empty).fault(58, 40, cut).plan()
}

fn lease_labelled() -> Plan {
    let draft = Draft::lease(3).fault(60, 90, crash());
    (0..20_u64)
        .fold(draft, |draft, n| {
            draft.once(62 + 4 * n, Fault::Foreign(Foreign::EditLabel))
        })
        .plan()
}

fn lease_recreated() -> Plan {
    foreign(Foreign::Recreate).plan()
}

fn lease_corrupted() -> Plan {
    foreign(Foreign::Corrupt).plan()
}

fn quorum_lost() -> Plan {
    Draft::session(3).fault(60, 40, Fault::QuorumLoss).plan()
}

fn session_expires() -> Plan {
    let cut = Fault::Cut {
        direction: Direction::Both,
        node: Who::Leader,
    };
    Draft::session(3).fault(60, 60, cut).plan()
}

fn ensemble_leader_change() -> Plan {
    Draft::session(3)
        .fault(60, 3, Fault::LeaderChange)
        .fault(61, 30, crash())
        .plan()
}

fn session_closed() -> Plan {
    Draft::session(3)
        .once(60, Fault::ExpireSession { node: Who::Leader })
        .plan()
}

fn file_replaced() -> Plan {
    Draft::file(3)
        .once(60, Fault::Foreign(Foreign::Recreate))
        .plan()
}

fn disk_full() -> Plan {
    Draft::file(3)
        .fault(60, 60, Fault::DiskFull)
        .fault(80, 30, crash())
        .plan()
}

fn power_loss() -> Plan {
    Draft::file(3)
        .fault(60, 30, Fault::PowerLoss { node: Who::Leader })
        .plan()
}
