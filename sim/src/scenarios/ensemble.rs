use super::Scenario;
use super::draft::Draft;
use crate::plan::{Direction, Fault, Plan, Span, Who};

pub(super) const ALL: &[Scenario] = &[Scenario::new(
    "cut-after-late-heartbeat",
    "A heartbeat to ZooKeeper is late, and a server that has acknowledged the next one is cut off before it passes either on: the session ends early.",
    cut_after_late_heartbeat,
)];

/// The leader's heartbeats are a third of its session of 4 s apart, from 4.86 s on: among them are those of 14.2 s and 15.53 s. A server passes on
/// what it has heard of with the ping of its own leader, every second. The first of the two is late for that ping, so that the last one to pass
/// anything on is of before 14 s, and the session ends with the tick at 18 s: before the 18.2 s that the first heartbeat would be good for. That
/// is so where the leader is with the first server, and that one follows.
fn cut_after_late_heartbeat() -> Plan {
    let late = Fault::Delay {
        by: Span::from_millis(700),
        direction: Direction::Requests,
        node: Who::Leader,
    };
    Draft::zookeeper(2)
        .quiet_from_s(60)
        .with(|plan| {
            plan.timing.lease = Span::from_secs(4);
            // Next to nothing is kept for stopping, so that it shows by how much the session ends early.
            plan.timing.stop_timeout = Some(Span::from_millis(20));
            plan.nodes[0].starts_at = Some(Span::from_millis(4_850));
        })
        .starts_at_s(1, 8)
        // From now on the pings come at odd times, and not with the tick.
        .at(Span::from_millis(1_500), None, Fault::LeaderChange)
        .at(
            Span::from_millis(14_000),
            Some(Span::from_millis(500)),
            late,
        )
        .at(
            Span::from_millis(15_550),
            Some(Span::from_secs(20)),
            Fault::ServerCut { server: 0 },
        )
        .plan()
}
