use super::Scenario;
use super::draft::Draft;
use crate::plan::{CronPlan, DeliveryPlan, Fault, Plan, Span, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new(
        "cron-at-least-once",
        "A job of 2 s is due every 10 s, and leaders are killed in the middle of it: it is run again.",
        at_least_once,
    ),
    Scenario::new(
        "cron-at-most-once",
        "A job of 2 s is due every 10 s, and leaders are killed in the middle of it: what was begun is not run again.",
        at_most_once,
    ),
    Scenario::new(
        "cron-handover",
        "A job is due every 10 s, and the leader's pod is deleted twice.",
        handover,
    ),
];

fn job(delivery: DeliveryPlan) -> Draft {
    let cron = CronPlan {
        every: Span::from_secs(10),
        takes: Span::from_secs(2),
        delivery,
    };
    Draft::lease(3).with(|plan| plan.cron = Some(cron))
}

/// Wall clocks start at a multiple of ten seconds, so that fires begin at 60 s, 100 s and 140 s and take two.
fn crashes(draft: Draft) -> Plan {
    [61, 101, 141]
        .into_iter()
        .fold(draft, |draft, at_s| {
            draft.fault(at_s, 15, Fault::Crash { node: Who::Leader })
        })
        .plan()
}

fn at_least_once() -> Plan {
    crashes(job(DeliveryPlan::AtLeastOnce))
}

fn at_most_once() -> Plan {
    crashes(job(DeliveryPlan::AtMostOnce))
}

fn handover() -> Plan {
    job(DeliveryPlan::AtLeastOnce)
        .fault(65, 20, Fault::ShutDown { node: Who::Leader })
        .fault(115, 20, Fault::ShutDown { node: Who::Leader })
        .plan()
}
