//! Ways in which a plan can be simpler.

use crate::TrueTime;
use crate::plan::{
    Direction, Fault, NodePlan, OnMissingPlan, Plan, PlannedFault, ServerPlan, Span,
};

/// What is offered for one place of a plan, the boldest first; nothing behind the last place. The moment is that of the breach.
type Way = fn(&Plan, TrueTime, usize) -> Option<Vec<Plan>>;

/// In the order in which they are tried.
pub(super) const WAYS: [Way; 6] = [extras, ends, nodes, shifts, times, faults];

const SECOND: u64 = 1_000_000_000;
/// What times are rounded to, the roundest first.
const ROUND: [u64; 7] = [
    60 * SECOND,
    10 * SECOND,
    SECOND,
    SECOND / 2,
    SECOND / 10,
    SECOND / 100,
    SECOND / 1_000,
];

fn with(plan: &Plan, change: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = plan.clone();
    change(&mut plan);
    plan
}

/// No cron job, an ordinary server.
fn extras(plan: &Plan, _: TrueTime, place: usize) -> Option<Vec<Plan>> {
    let server = |change: fn(&mut ServerPlan)| with(plan, |plan| change(&mut plan.server));
    let candidate = match place {
        0 => with(plan, |plan| plan.cron = None),
        1 => with(plan, |plan| plan.server = ServerPlan::default()),
        2 => server(|server| server.rate_ppm = 0),
        3 => server(|server| server.tick = Span::ZERO),
        4 => server(|server| server.late_proof = false),
        5 => server(|server| server.silent = false),
        6 => server(|server| server.edited_every = None),
        7 => with(plan, |plan| plan.timing.stop_timeout = None),
        8 => with(plan, |plan| plan.on_missing = OnMissingPlan::default()),
        _ => return None,
    };
    Some(vec![candidate])
}

/// Quiet soon after the last fault, and an end soon after the breach.
fn ends(plan: &Plan, breach: TrueTime, place: usize) -> Option<Vec<Plan>> {
    match place {
        0 => {
            let last = plan.faults.iter().map(last_moment).max();
            let least = last.unwrap_or_default().nanos() + 1;
            let quiet = round_up(least, SECOND).min(plan.quiet_from);
            Some(vec![with(plan, |plan| plan.quiet_from = quiet)])
        }
        1 => {
            let least = (breach.nanos() + 1).max(plan.quiet_from.nanos());
            let soon = [SECOND, 10 * SECOND].map(|step| round_up(least, step).min(plan.end));
            Some(soon.map(|end| with(plan, |plan| plan.end = end)).to_vec())
        }
        _ => None,
    }
}

fn last_moment(fault: &PlannedFault) -> Span {
    fault.at.plus(fault.lasts.unwrap_or_default())
}

/// Nodes like all others.
fn nodes(plan: &Plan, _: TrueTime, place: usize) -> Option<Vec<Plan>> {
    const FIELDS: usize = 10;
    let index = place / FIELDS;
    let node = plan.nodes.get(index)?;
    let plain = NodePlan {
        starts_at: Some(Span::from_secs(0)),
        ..NodePlan::default()
    };
    let edit = |change: &dyn Fn(&mut NodePlan)| with(plan, |plan| change(&mut plan.nodes[index]));
    let spans = |span: Span, change: &dyn Fn(&mut NodePlan, Span)| {
        let each = |span| edit(&|node: &mut NodePlan| change(node, span));
        shorter(span).into_iter().map(each).collect()
    };
    Some(match place % FIELDS {
        0 => vec![edit(&|node| *node = plain.clone())],
        1 => vec![edit(&|node| node.name = None)],
        2 => spans(node.starts_at.unwrap_or_default(), &|node, span| {
            node.starts_at = Some(span);
        }),
        3 => vec![edit(&|node| node.lease = None)],
        4 => numbers(node.rate_ppm)
            .into_iter()
            .map(|ppm| edit(&|node| node.rate_ppm = ppm))
            .collect(),
        5 => vec![edit(&|node| node.uptime = plain.uptime)],
        6 => vec![edit(&|node| node.wall_s = plain.wall_s)],
        7 => spans(node.stop_takes, &|node, span| node.stop_takes = span),
        8 => vec![edit(&|node| node.work_lasts = None)],
        _ => spans(node.drain_takes, &|node, span| node.drain_takes = span),
    })
}

/// All faults earlier by as much, which keeps how they lie to each other.
fn shifts(plan: &Plan, _: TrueTime, place: usize) -> Option<Vec<Plan>> {
    let first = plan.faults.first().map_or(Span::ZERO, |fault| fault.at);
    let by = *ROUND.get(place)?;
    if first.nanos() < by {
        return Some(Vec::new());
    }
    Some(vec![with(plan, |plan| {
        for fault in &mut plan.faults {
            fault.at = fault.at.minus(Span::from_nanos(by));
        }
    })])
}

/// Faults at round times, and for a short while.
fn times(plan: &Plan, _: TrueTime, place: usize) -> Option<Vec<Plan>> {
    let index = place / 2;
    let fault = plan.faults.get(index)?;
    let edit = |change: &dyn Fn(&mut PlannedFault)| {
        with(plan, |plan| {
            change(&mut plan.faults[index]);
            plan.faults.sort_by_key(|fault| fault.at);
        })
    };
    Some(if place.is_multiple_of(2) {
        let at = fault.at.nanos();
        let rounded = ROUND
            .into_iter()
            .map(|step| Span::from_nanos(at / step * step));
        // Rounder than it was, or it would be tried for ever.
        rounded
            .take_while(|rounded| *rounded != fault.at)
            .map(|at| edit(&|fault| fault.at = at))
            .collect()
    } else {
        let lasts = fault.lasts.map(shorter).unwrap_or_default();
        lasts
            .into_iter()
            .map(|lasts| edit(&|fault| fault.lasts = Some(lasts)))
            .collect()
    })
}

/// Plainer faults.
fn faults(plan: &Plan, _: TrueTime, place: usize) -> Option<Vec<Plan>> {
    let fault = plan.faults.get(place)?;
    let simpler = plainer(&fault.what).into_iter();
    let with_fault = |what| with(plan, |plan| plan.faults[place].what = what);
    Some(simpler.map(with_fault).collect())
}

fn plainer(fault: &Fault) -> Vec<Fault> {
    let mut plainer = edits(fault, direction, |_| vec![Direction::Both]);
    plainer.extend(edits(fault, number, numbers));
    plainer.extend(edits(fault, per_mille, |_| vec![1_000]));
    plainer.extend(edits(fault, span, shorter));
    plainer
}

/// The fault with each of the offers for one field of it, where it has that field and another value in it.
fn edits<T: Copy>(
    fault: &Fault,
    field: fn(&mut Fault) -> Option<&mut T>,
    offers: impl Fn(T) -> Vec<T>,
) -> Vec<Fault> {
    let mut edited = fault.clone();
    let value = field(&mut edited).copied();
    let offers = value.map(offers).unwrap_or_default();
    let edit = |offer| {
        *field(&mut edited)? = offer;
        (edited != *fault).then(|| edited.clone())
    };
    offers.into_iter().filter_map(edit).collect()
}

fn direction(fault: &mut Fault) -> Option<&mut Direction> {
    match fault {
        Fault::Cut { direction, .. }
        | Fault::Delay { direction, .. }
        | Fault::Lossy { direction, .. }
        | Fault::Slow { direction, .. } => Some(direction),
        _ => None,
    }
}

fn number(fault: &mut Fault) -> Option<&mut i64> {
    match fault {
        Fault::Rate { ppm: number, .. }
        | Fault::Slew { ppm: number, .. }
        | Fault::StepWall { by_s: number, .. } => Some(number),
        _ => None,
    }
}

fn per_mille(fault: &mut Fault) -> Option<&mut u16> {
    match fault {
        Fault::AppliedTimeout { per_mille }
        | Fault::Duplicate { per_mille, .. }
        | Fault::Lossy { per_mille, .. } => Some(per_mille),
        _ => None,
    }
}

fn span(fault: &mut Fault) -> Option<&mut Span> {
    match fault {
        Fault::Delay { by: span, .. }
        | Fault::Slow { most: span, .. }
        | Fault::Stale { by: span }
        | Fault::Starve { most: span, .. } => Some(span),
        _ => None,
    }
}

/// Shorter spans, the shortest first; none that is not shorter.
fn shorter(span: Span) -> Vec<Span> {
    let nanos = span.nanos();
    let half = nanos / 2;
    let halved = ROUND
        .into_iter()
        .find(|step| *step <= half)
        .map(|step| half / step * step);
    let rounded = ROUND.into_iter().map(|step| nanos / step * step);
    let mut spans: Vec<u64> = [0].into_iter().chain(halved).chain(rounded).collect();
    spans.retain(|shorter| *shorter < nanos);
    spans.sort_unstable();
    spans.dedup();
    spans.into_iter().map(Span::from_nanos).collect()
}

/// Numbers nearer to nothing, the nearest first.
fn numbers(number: i64) -> Vec<i64> {
    let steps = [1_000_000, 100_000, 10_000, 1_000, 100];
    let rounded = steps.into_iter().map(|step| number / step * step);
    let mut numbers: Vec<i64> = [0].into_iter().chain(rounded).collect();
    numbers.retain(|nearer| nearer.unsigned_abs() < number.unsigned_abs());
    numbers.sort_unstable_by_key(|number| number.unsigned_abs());
    numbers.dedup();
    numbers
}

fn round_up(nanos: u64, step: u64) -> Span {
    Span::from_nanos(nanos.div_ceil(step).saturating_mul(step))
}
