use super::Scenario;
use super::draft::Draft;
use crate::plan::{Direction, Fault, Plan, Span, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new(
        "work-will-not-stop",
        "The leader is cut off, and its work ignores that it is told to stop: it is aborted in time.",
        work_will_not_stop,
    ),
    Scenario::new(
        "work-stops-slowly",
        "Work takes 1.5 s of the 2 s that it has to stop, and the leader is cut off.",
        work_stops_slowly,
    ),
    Scenario::new(
        "work-panics",
        "The leader's work panics, twice.",
        work_panics,
    ),
    Scenario::new(
        "work-ends",
        "Work ends by itself after 20 s, and is run again under a new leadership.",
        work_ends,
    ),
    Scenario::new(
        "starved",
        "The leader's process gets little time: whatever it is woken for happens up to 3 s late.",
        starved,
    )
    .fenced("a starved executor is a pause that reaches the work"),
    Scenario::new(
        "operator-resign",
        "An operator asks the leader to resign (tenure resign).",
        operator_resign,
    ),
    Scenario::new(
        "operator-pause",
        "An operator pauses the election for 40 s and resumes it (tenure pause, tenure resume).",
        operator_pause,
    ),
    Scenario::new(
        "ineligible",
        "The leader's own program says for a minute that it is not fit to lead.",
        ineligible,
    ),
];

fn cut_leader() -> Draft {
    let cut = Fault::Cut {
        direction: Direction::Both,
        node: Who::Leader,
    };
    Draft::lease(3).fault(62, 60, cut)
}

fn work_will_not_stop() -> Plan {
    cut_leader()
        .fault(60, 90, Fault::Deaf { node: Who::Leader })
        .plan()
}

fn work_stops_slowly() -> Plan {
    cut_leader()
        .each_node(|node| node.stop_takes = Span::from_millis(1_500))
        .plan()
}

fn work_panics() -> Plan {
    Draft::lease(3)
        .once(60, Fault::Panic { node: Who::Leader })
        .once(120, Fault::Panic { node: Who::Leader })
        .plan()
}

fn work_ends() -> Plan {
    Draft::lease(3)
        .each_node(|node| node.work_lasts = Some(Span::from_secs(20)))
        .plan()
}

fn starved() -> Plan {
    let starve = Fault::Starve {
        most: Span::from_secs(3),
        node: Who::Leader,
    };
    Draft::lease(3).fault(60, 60, starve).plan()
}

fn operator_resign() -> Plan {
    Draft::lease(3)
        .once(60, Fault::OperatorResign)
        .once(120, Fault::OperatorResign)
        .plan()
}

fn operator_pause() -> Plan {
    Draft::lease(3).fault(60, 40, Fault::OperatorPause).plan()
}

fn ineligible() -> Plan {
    Draft::lease(3)
        .fault(60, 60, Fault::Ineligible { node: Who::Leader })
        .plan()
}
