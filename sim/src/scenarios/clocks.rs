use super::Scenario;
use super::draft::Draft;
use crate::plan::{Direction, Fault, Plan, Who};

pub(super) const ALL: &[Scenario] = &[
    Scenario::new(
        "clocks-differ",
        "Wall clocks are wrong by up to a year and oscillators by up to 1 %, and the leader is cut off.",
        clocks_differ,
    ),
    Scenario::new(
        "clock-fast",
        "One follower's clock runs 10 % fast where 1 % is allowed, and the leader is cut off.",
        clock_fast,
    )
    .fenced("a clock runs further from true time than the configured drift of 1 %"),
    Scenario::new(
        "clock-fast-allowed",
        "One follower's clock runs 10 % fast, with a configured drift of 10 %, and the leader is cut off.",
        clock_fast_allowed,
    ),
    Scenario::new(
        "ntp-step",
        "NTP sets the wall clocks by hours and by a year, forth and back, and the leader is killed.",
        ntp_step,
    ),
    Scenario::new(
        "chrony-slews",
        "A time service slews the leader's clocks as fast as chrony does (8.3 %), and it is cut off.",
        chrony_slews,
    ),
    Scenario::new(
        "laptop-suspend",
        "The leader's machine sleeps for two minutes, and another has led when it wakes.",
        laptop_suspend,
    )
    .fenced("the work sleeps past its deadline and wakes before it is told to stop"),
    Scenario::new(
        "vm-freeze",
        "The leader's virtual machine is frozen for a minute, clocks and all.",
        vm_freeze,
    )
    .fenced("a freeze that no clock shows reaches the work itself"),
    Scenario::new(
        "sigstop",
        "The leader's process is stopped by a signal for a minute, and goes on.",
        sigstop,
    )
    .fenced("the work is stopped past its deadline and goes on before it is told to stop"),
    Scenario::new(
        "short-pause",
        "The leader's process stands still for 5 s (a long garbage collection), less than its lease can stand.",
        short_pause,
    ),
];

fn cut_leader(draft: Draft) -> Draft {
    let cut = Fault::Cut {
        direction: Direction::Both,
        node: Who::Leader,
    };
    draft.fault(80, 60, cut)
}

fn clocks_differ() -> Plan {
    cut_leader(Draft::lease(3))
        .with(|plan| {
            plan.nodes[0].rate_ppm = -9_900;
            plan.nodes[1].rate_ppm = 10_000;
            plan.nodes[1].wall_s += 365 * 24 * 3_600;
            plan.nodes[2].wall_s -= 3_600;
        })
        .plan()
}

/// The first candidate leads when the others come, of which one has a fast clock.
fn fast_follower() -> Draft {
    cut_leader(Draft::lease(3))
        .starts_at_s(0, 0)
        .starts_at_s(1, 5)
        .starts_at_s(2, 10)
        .with(|plan| plan.nodes[1].rate_ppm = 100_000)
}

fn clock_fast() -> Plan {
    fast_follower().plan()
}

fn clock_fast_allowed() -> Plan {
    fast_follower()
        .with(|plan| plan.timing.drift_ppm = Some(100_000))
        .plan()
}

fn ntp_step() -> Plan {
    const STEPS_S: [i64; 6] = [3_600, -7_200, 31_536_000, -31_536_000, 1, -1];
    let mut draft = Draft::lease(3).fault(75, 30, Fault::Crash { node: Who::Leader });
    for (by_s, at_s) in STEPS_S.into_iter().zip((50..).step_by(10)) {
        for node in 0..3_u16 {
            let node = Who::Node(node);
            draft = draft.once(at_s, Fault::StepWall { by_s, node });
        }
    }
    draft.plan()
}

fn chrony_slews() -> Plan {
    let slew = |ppm| Fault::Slew {
        node: Who::Leader,
        ppm,
    };
    cut_leader(Draft::lease(3))
        .fault(70, 60, slew(-83_333))
        .fault(150, 40, slew(83_333))
        .plan()
}

fn laptop_suspend() -> Plan {
    Draft::lease(3)
        .fault(60, 120, Fault::Suspend { node: Who::Leader })
        .plan()
}

fn vm_freeze() -> Plan {
    Draft::lease(3)
        .fault(60, 60, Fault::Freeze { node: Who::Leader })
        .plan()
}

fn sigstop() -> Plan {
    Draft::lease(3)
        .fault(60, 60, Fault::Pause { node: Who::Leader })
        .plan()
}

fn short_pause() -> Plan {
    Draft::lease(3)
        .fault(60, 5, Fault::Pause { node: Who::Leader })
        .plan()
}
