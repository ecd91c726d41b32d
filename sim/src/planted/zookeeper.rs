use tenure_backends::zookeeper::simulated::Mistake;

use super::bug::{Entry, Kind, Planting};
use super::catalogue;
use crate::Tier;
use crate::invariants::Invariant;
use crate::plan::Backend;

const LEADS_TWICE: &[Invariant] = &[
    Invariant::SingleLeader,
    Invariant::HolderContinuity,
    Invariant::AckedStart,
];

const fn entry(
    name: &'static str,
    mistake: Mistake,
    breaks: &'static str,
    sentence: &'static str,
) -> Entry {
    let planting = Planting::Queue(mistake);
    Entry {
        tiers: &[Tier::Electors],
        backends: &[Backend::Zookeeper],
        expected: LEADS_TWICE,
        ..catalogue::entry(Kind::Safety, name, planting, breaks, sentence)
    }
}

const fn by(entry: Entry, expected: &'static [Invariant]) -> Entry {
    Entry { expected, ..entry }
}

/// Those of the backend of ZooKeeper, in the order of their names, which are after all others.
pub(super) const CATALOGUE: &[Entry] = &[
    Entry {
        kind: Kind::Liveness,
        expected: &[Invariant::Converge, Invariant::Handover, Invariant::NoGap],
        ..entry(
            "zookeeper-creates-again",
            Mistake::CreatesAgain,
            "rule 5, pitfall 1",
            "A create whose answer was lost is sent again, without a look for the first one's node.",
        )
    },
    entry(
        "zookeeper-from-last-acknowledged",
        Mistake::FromLastAcknowledged,
        "pitfall 28",
        "The deadline counts from the newest heartbeat that was acknowledged.",
    ),
    Entry {
        scenario: Some("cut-after-late-heartbeat"),
        ..entry(
            "zookeeper-from-last-but-one",
            Mistake::FromLastButOne,
            "pitfall 28",
            "The deadline counts from the last acknowledged heartbeat but one, and none waits until it proves another.",
        )
    },
    entry(
        "zookeeper-owner-ignored",
        Mistake::OwnerIgnored,
        "rule 10",
        "A node of an earlier session counts as a candidate's own.",
    ),
    entry(
        "zookeeper-ping-is-heartbeat",
        Mistake::PingIsHeartbeat,
        "pitfall 28",
        "What a server answers from its own replica counts as a heartbeat.",
    ),
    by(
        entry(
            "zookeeper-release-by-name",
            Mistake::ReleaseByName,
            "rule 4, pitfall 19",
            "A release deletes whatever node has the candidate's name.",
        ),
        &[
            Invariant::SingleLeader,
            Invariant::HolderContinuity,
            Invariant::ReleaseOwn,
        ],
    ),
    by(
        entry(
            "zookeeper-token-from-sequence",
            Mistake::TokenFromSequence,
            "rule 11, pitfall 21",
            "The fencing token is the node's sequence number.",
        ),
        &[Invariant::TokenMonotonic, Invariant::AckedStart],
    ),
    entry(
        "zookeeper-trusts-one-server",
        Mistake::TrustsOneServer,
        "rule 9",
        "A candidate takes itself for the first because the server that it is connected to shows nobody before it.",
    ),
    entry(
        "zookeeper-waits-for-expired",
        Mistake::WaitsForExpired,
        "rule 1, pitfall 29",
        "The leadership is given up only when the client says that its session has expired.",
    ),
    entry(
        "zookeeper-watches-parent",
        Mistake::WatchesParent,
        "rule 6",
        "The parent is watched, and an event is taken for a place at the head of the queue.",
    ),
];
