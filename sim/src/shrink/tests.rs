use super::*;
use crate::TrueTime;
use crate::plan::{Backend, Fault, PlannedFault, Span};

fn breach(invariant: Invariant) -> Option<Breach> {
    Some(Breach {
        at: TrueTime::from_nanos(1),
        invariant,
        what: String::new(),
    })
}

/// A plan with many faults of all sorts.
fn plan() -> Plan {
    let mut plan = Plan::generate(1, Backend::Lease);
    plan.quiet_from = Span::from_secs(1_000);
    plan.end = Span::from_secs(1_060);
    let faults = (2..).flat_map(|seed| Plan::generate(seed, Backend::Lease).faults);
    plan.faults = faults
        .filter(|fault| !matches!(fault.what, Fault::Hang | Fault::Pause { .. }))
        .filter(|fault| !matches!(fault.what.who(), Some(Who::Node(index)) if index > 1))
        .take(28)
        .collect();
    for (at, what) in [
        (33_333_333_333, Fault::Hang),
        (77_777_777_777, Fault::Pause { node: Who::Node(1) }),
    ] {
        plan.faults.push(PlannedFault {
            at: Span::from_nanos(at),
            lasts: Some(Span::from_millis(7_654)),
            what,
        });
    }
    plan.faults.sort_by_key(|fault| fault.at);
    plan
}

/// Breaches when the store hangs and the second of at least two nodes is paused for a second and more.
fn hang_and_pause(plan: &Plan) -> Option<Breach> {
    let long = |fault: &&PlannedFault| fault.lasts >= Some(Span::from_secs(1));
    let mut faults = plan.faults.iter().filter(long).map(|fault| &fault.what);
    let hang = faults.clone().any(|fault| *fault == Fault::Hang);
    let pause = Fault::Pause { node: Who::Node(1) };
    let pause = faults.any(|fault| *fault == pause);
    breach(Invariant::SingleLeader).filter(|_| hang && pause)
}

#[test]
fn the_two_faults_that_matter_are_found_among_thirty() {
    let plan = plan();
    assert_eq!(plan.faults.len(), 30);
    let small = shrink(&plan, hang_and_pause, |_| ());
    let fault = |what| PlannedFault {
        at: Span::ZERO,
        lasts: Some(Span::from_secs(1)),
        what,
    };
    let pause = Fault::Pause { node: Who::Node(1) };
    assert_eq!(small.faults, [fault(Fault::Hang), fault(pause)]);
    assert_eq!(small.nodes.len(), 2);
    assert_eq!(small.quiet_from, Span::from_secs(2));
    assert_eq!(small.cron, None);
}

#[test]
fn the_same_plan_shrinks_to_the_same_plan() {
    let plan = plan();
    let small = shrink(&plan, hang_and_pause, |_| ());
    assert_eq!(shrink(&plan, hang_and_pause, |_| ()), small);
    assert_eq!(shrink(&small, hang_and_pause, |_| ()), small);
}

#[test]
fn what_is_found_breaches_the_same_invariant() {
    let either = |plan: &Plan| match plan.faults.len() {
        0..=4 => breach(Invariant::Converge),
        _ => breach(Invariant::SingleLeader),
    };
    let small = shrink(&plan(), either, |_| ());
    assert_eq!(small.faults.len(), 5);
}

#[test]
fn a_plan_that_breaches_nothing_stays_as_it_is() {
    let plan = plan();
    assert_eq!(shrink(&plan, |_| None, |_| ()), plan);
}

#[test]
fn runs_are_bounded_and_counted_and_only_of_plans_that_can_be_run() {
    let mut runs = 0;
    let mut told = 0;
    let mut fickle = 0_u32;
    shrink(
        &plan(),
        |plan| {
            plan.check().unwrap();
            runs += 1;
            fickle = fickle.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            breach(Invariant::SingleLeader).filter(|_| runs == 1 || fickle > u32::MAX / 2)
        },
        |progress| told = progress.runs,
    );
    assert!(runs <= RUNS_MOST && told == runs, "{told} of {runs}");
}

#[test]
fn a_small_plan_is_written_and_read_back() {
    let small = shrink(&plan(), hang_and_pause, |_| ());
    let text = toml::to_string(&small).unwrap();
    assert_eq!(toml::from_str::<Plan>(&text).unwrap(), small);
}
