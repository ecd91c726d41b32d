//! Reads the log of all runs and says what must not have happened.

use std::collections::BTreeMap;

use crate::line::{Kind, Line, Run};

/// What a fire may do when candidates die.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fires {
    /// No fire twice, and none at all for at most this many: one for each death of a leader.
    AtMostOnce { lost_max: usize },
    /// No fire missing; a second time only for a run without an end.
    AtLeastOnce,
}

/// What the log is checked against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Policy {
    /// A job that runs as long as the leadership: each leadership has one run.
    Continuous,
    /// A fire each second, and all that were missed are caught up with.
    EachSecond(Fires),
}

/// Everything that must not have happened, each as a sentence.
pub(crate) fn check(lines: &[Line], policy: Policy) -> Vec<String> {
    let mut faults = overlaps(lines);
    faults.extend(tokens(lines, policy));
    if let Policy::EachSecond(fires) = policy {
        faults.extend(doubles(lines, fires));
        faults.extend(gaps(lines, fires));
    }
    faults
}

/// A run has overlapped with a later one when it was seen alive beside it, or wrote after the later one had begun.
pub(crate) fn overlaps(lines: &[Line]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut newest: Option<Run> = None;
    let mut told = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Kind::Overlap(other) = line.kind {
            faults.push(format!(
                "line {index}: run {} found run {other} alive",
                line.run
            ));
        }
        match newest {
            Some(run)
                if line.kind != Kind::Start && run != line.run && !told.contains(&line.run) =>
            {
                told.push(line.run);
                faults.push(format!(
                    "line {index}: run {} was alive after run {run} had begun",
                    line.run
                ));
            }
            _ => {}
        }
        if line.kind == Kind::Start {
            newest = Some(line.run);
        }
    }
    faults
}

/// Tokens never go back; a token belongs to one candidate, and to one run unless its leadership fires many.
fn tokens(lines: &[Line], policy: Policy) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last: Option<&Line> = None;
    for line in lines.iter().filter(|line| line.kind == Kind::Start) {
        if let Some(last) = last {
            let (before, now) = (last.run.token, line.run.token);
            if now < before {
                faults.push(format!(
                    "token {now} of run {} came after token {before}",
                    line.run
                ));
            }
            if now == before && last.candidate != line.candidate {
                faults.push(format!("token {now} was given to two candidates"));
            }
            if now == before && policy == Policy::Continuous {
                faults.push(format!("token {now} was given to two runs"));
            }
        }
        last = Some(line);
    }
    faults
}

/// The runs of each fire, in the order of their starts, and whether each has an end.
fn runs_by_fire(lines: &[Line]) -> BTreeMap<i64, Vec<(Run, bool)>> {
    let mut fires: BTreeMap<i64, Vec<(Run, bool)>> = BTreeMap::new();
    for line in lines {
        let Some(fire) = line.fire_s else { continue };
        let runs = fires.entry(fire).or_default();
        match line.kind {
            Kind::Start => runs.push((line.run, false)),
            Kind::End => {
                if let Some(run) = runs.iter_mut().find(|(run, _)| *run == line.run) {
                    run.1 = true;
                }
            }
            Kind::Beat | Kind::Overlap(_) => {}
        }
    }
    fires
}

fn doubles(lines: &[Line], policy: Fires) -> Vec<String> {
    let mut faults = Vec::new();
    for (fire, runs) in runs_by_fire(lines) {
        let doubled = runs.len() > 1;
        // An end line is written just before the ledger learns of it, so only a leader that died in between may run the fire again.
        let within_one_leadership = runs
            .windows(2)
            .any(|pair| pair[0].1 && pair[0].0.token == pair[1].0.token);
        match policy {
            Fires::AtMostOnce { .. } if doubled => {
                faults.push(format!("fire {fire} ran {} times", runs.len()));
            }
            Fires::AtLeastOnce if within_one_leadership => {
                faults.push(format!(
                    "fire {fire} ran again though its leader saw its end"
                ));
            }
            _ => {}
        }
    }
    faults
}

/// How long before its first line and after its last one the program may have counted a run as running.
const MARGIN_MS: i64 = 500;

/// Whether a run of an earlier fire was running when this one came due: then it is skipped, as the program is told to.
fn was_overrun(lines: &[Line], fire: i64) -> bool {
    let near = |line: &&Line| (line.at_ms - fire * 1_000).abs() <= MARGIN_MS;
    let mut earlier = lines
        .iter()
        .filter(|line| line.fire_s.is_some_and(|other| other < fire));
    earlier.any(|line| near(&line))
}

fn gaps(lines: &[Line], policy: Fires) -> Vec<String> {
    let fires = runs_by_fire(lines);
    let (Some((first, _)), Some((last, _))) = (fires.first_key_value(), fires.last_key_value())
    else {
        return vec!["nothing ever fired".to_owned()];
    };
    let lost: Vec<i64> = (*first..*last)
        .filter(|fire| !fires.contains_key(fire) && !was_overrun(lines, *fire))
        .collect();
    let allowed = match policy {
        Fires::AtLeastOnce => 0,
        Fires::AtMostOnce { lost_max } => lost_max,
    };
    if lost.len() > allowed {
        return vec![format!(
            "{} fires never ran, {allowed} might have been lost: {lost:?}",
            lost.len()
        )];
    }
    Vec::new()
}
