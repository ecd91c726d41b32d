use super::*;
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Backend, Plan};
use crate::trace::{Down, FireDeed, Frozen, Record, RequestId, Told, What, WorkEnd};

fn figures(history: &[(u64, u16, What)]) -> Figures {
    let mut plan = Plan::generate(1, Backend::Lease);
    plan.end = Span::from_secs(100);
    plan.nodes.truncate(2);
    let mut observer = Observer::new(&plan);
    for (at_ms, node, what) in history {
        observer.see(&Record {
            at: TrueTime::from_nanos(at_ms * 1_000_000),
            node: Some(NodeId(*node)),
            what: *what,
        });
    }
    observer.finish()
}

fn began(token: u64) -> What {
    What::WorkBegan { token }
}

fn leads(token: u64) -> What {
    What::Leads {
        token,
        sent: TrueTime::START,
        until: TrueTime::END,
    }
}

const CRASH: What = What::Down { how: Down::Crashed };

#[test]
fn a_crash_counts_from_itself_and_a_planned_stop_from_the_end_of_the_work() {
    let ended = What::WorkEnded {
        how: WorkEnd::Returned,
        token: 2,
    };
    let draining = What::Told {
        event: Told::Draining,
        token: 2,
    };
    let figures = figures(&[
        (500, 0, leads(1)),
        (500, 0, began(1)),
        (600, 0, leads(1)),
        (10_000, 0, CRASH),
        (25_000, 1, leads(2)),
        (25_000, 1, began(2)),
        (40_000, 1, draining),
        (41_000, 1, ended),
        (41_200, 0, leads(3)),
        (41_200, 0, began(3)),
        (90_000, 0, CRASH),
    ]);
    assert_eq!(figures.first.most(), Span::from_millis(500));
    assert_eq!(figures.failovers.count(), 1);
    assert_eq!(figures.failovers.most(), Span::from_secs(15));
    assert_eq!(figures.handovers.count(), 1);
    assert_eq!(figures.handovers.most(), Span::from_millis(200));
    assert_eq!(figures.leaderships, 3);
    // 15 s, 0.2 s, and the last 10 s, in which nobody took over.
    assert_eq!(figures.vacant_ns, 25_200_000_000);
    assert_eq!(figures.overlap_ns, 0);
    assert_eq!(figures.simulated_ns, 100_000_000_000);
}

#[test]
fn frozen_work_does_not_run_and_is_no_failover_when_it_goes_on() {
    let frozen = What::Frozen {
        by: Frozen::Stopped,
    };
    let figures = figures(&[
        (0, 0, began(1)),
        (10_000, 0, frozen),
        (14_000, 1, began(2)),
        (20_000, 0, What::Thawed),
        (21_500, 0, CRASH),
        (30_000, 1, frozen),
        (31_000, 1, What::Thawed),
    ]);
    assert_eq!(figures.failovers.count(), 1);
    assert_eq!(figures.failovers.most(), Span::from_secs(4));
    assert_eq!(figures.vacant_ns, 5_000_000_000);
    assert_eq!(figures.overlap_ns, 1_500_000_000);
}

#[test]
fn requests_and_fires_are_counted_by_kind() {
    let sent = |operation| What::Sent {
        request: RequestId(1),
        operation,
        basis: None,
    };
    let fire = |deed| What::Fire {
        deed,
        due_s: 1,
        token: 1,
    };
    let one = figures(&[
        (1, 0, sent(Operation::Renew)),
        (2, 1, sent(Operation::Observe)),
        (3, 0, sent(Operation::Renew)),
        (4, 0, fire(FireDeed::Began)),
        (5, 0, fire(FireDeed::Ended)),
        (6, 0, fire(FireDeed::Missed)),
    ]);
    let mut both = one.clone();
    both.merge(&one);
    let requests: Vec<_> = both.requests().collect();
    assert_eq!(requests, [(Operation::Observe, 2), (Operation::Renew, 4)]);
    assert_eq!(both.requests_total(), 6);
    assert_eq!((both.runs, both.fires.begun, both.fires.missed), (2, 2, 2));
}

#[test]
fn spans_are_told_with_about_three_digits() {
    for (nanos, text) in [
        (0, "0 s"),
        (900, "1 µs"),
        (112_000_000, "112 ms"),
        (4_800_000_000, "4.80 s"),
        (15_020_000_000, "15.0 s"),
        (125_000_000_000, "2 m 05 s"),
        (7_320_000_000_000, "2 h 02 m"),
        (315_576_000_000_000_000, "10.0 years"),
    ] {
        assert_eq!(human_ns(nanos), text);
    }
}
