//! Commands about one run.

use std::process::ExitCode;

use tenure_sim::invariants::{Assumption, Breach};
use tenure_sim::plan::{Format, Plan};
use tenure_sim::report::{Heading, Report};
use tenure_sim::shrink::{self, RUNS_MOST};
use tenure_sim::trace::{Keep, Record};
use tenure_sim::{Options, Outcome, Tier};

use super::failure::{FOUND, Failure};
use super::options::{OneOptions, ReplayOptions, ReportOptions, ShrinkOptions};
use super::output::{print, write_file};
use super::progress::Progress;
use super::subject::Subject;

/// `tenure-sim replay`
pub(super) fn replay(options: &ReplayOptions) -> Result<ExitCode, Failure> {
    let subject = Subject::one(&options.one)?;
    options.one.engine.check(&subject.plan)?;
    let plan = &subject.plan;
    let engine = &options.one.engine;
    let outcome = tenure_sim::run(plan, engine.tier, &engine.options(Keep::All));
    let until = options.until.unwrap_or(plan.end).from_start();
    let count = outcome.records.partition_point(|record| record.at <= until);
    let records = &outcome.records[..count];
    if let Some(path) = &options.trace {
        write_file(path, &trace(records))?;
    }
    let breaches = outcome.jury.breaches();
    let seen: Vec<Breach> = breaches
        .iter()
        .filter(|breach| breach.at <= until)
        .cloned()
        .collect();
    // What is counted ends where the records do.
    let shown = Plan {
        end: options.until.unwrap_or(plan.end).min(plan.end),
        ..plan.clone()
    };
    let heading = heading(&subject, &options.one, &outcome);
    let report = Report::of(&shown, records, &seen, heading);
    print(report.text().trim_end())?;
    print(format_args!("digest {}", outcome.hash))?;
    Ok(status(breaches))
}

/// All records, one JSON object a line.
pub(super) fn trace(records: &[Record]) -> String {
    let line = |record| serde_json::to_string(record).expect("a record is numbers and names");
    let mut text = String::new();
    for record in records {
        text.push_str(&line(record));
        text.push('\n');
    }
    text
}

fn status(breaches: &[Breach]) -> ExitCode {
    if breaches.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    }
}

/// `tenure-sim report`
pub(super) fn report(options: &ReportOptions) -> Result<ExitCode, Failure> {
    let subject = Subject::one(&options.one)?;
    options.one.engine.check(&subject.plan)?;
    let engine = &options.one.engine;
    let outcome = tenure_sim::run(&subject.plan, engine.tier, &engine.options(Keep::All));
    let heading = heading(&subject, &options.one, &outcome);
    let report = Report::new(&subject.plan, &outcome, heading);
    if let Some(path) = &options.out {
        write_file(path, &report.html())?;
        if !options.text {
            let found = outcome.jury.breaches().len();
            print(format_args!(
                "wrote {}: open it in a browser ({found} violations)",
                path.display()
            ))?;
        }
    }
    if options.text {
        print(report.text().trim_end())?;
    }
    // A report of a violation is what was asked for.
    Ok(ExitCode::SUCCESS)
}

fn heading(subject: &Subject, options: &OneOptions, outcome: &Outcome) -> Heading {
    let scenario = subject.scenario;
    let broken = outcome.jury.assumptions().all_broken();
    let broken: Vec<Assumption> = broken.map(|(assumption, _)| assumption).collect();
    let not_claimed = subject.not_claimed(&broken);
    let idle = subject.without_effect(options.engine.tier);
    let seed = subject.plan.seed;
    let what = options.what.as_deref().unwrap_or_default();
    let engine = options.engine.words();
    let command = format!(
        "tenure-sim replay {what} --seed {seed}{}{engine}",
        options.world.words()
    );
    Heading {
        title: subject.title(),
        sentence: scenario.map_or_else(String::new, |scenario| scenario.sentence.to_owned()),
        made_by: format!("{}, seed {seed}", options.engine.made_by()),
        command: command.replace("  ", " "),
        remarks: idle.into_iter().chain(not_claimed).collect(),
    }
}

/// `tenure-sim shrink`
pub(super) fn shrink(options: &ShrinkOptions) -> Result<ExitCode, Failure> {
    let subject = Subject::one(&options.one)?;
    options.one.engine.check(&subject.plan)?;
    let engine = &options.one.engine;
    let made_with = engine.options(Keep::Nothing);
    let Some((small, breach)) = smallest(&subject.plan, engine.tier, &made_with) else {
        return Err(Failure::usage(
            "this plan finds nothing, and so there is nothing to shrink: name one that does",
        ));
    };
    write_file(&options.out, &written(&small, &options.out))?;
    print(format_args!("{breach}"))?;
    print(format_args!(
        "shrunk to {}, from {}",
        size(&small),
        size(&subject.plan)
    ))?;
    print(again(&options.out, &engine.words()))?;
    Ok(ExitCode::SUCCESS)
}

/// The smallest plan that is found to break the same invariant, and what it breaks.
pub(super) fn smallest(plan: &Plan, tier: Tier, options: &Options) -> Option<(Plan, Breach)> {
    let first = |plan: &Plan| {
        let outcome = tenure_sim::run(plan, tier, options);
        outcome.jury.breaches().first().cloned()
    };
    first(plan)?;
    let progress = Progress::new(RUNS_MOST.into(), "shrinking");
    let small = shrink::shrink(plan, first, |done| progress.set(done.runs.into()));
    let breach = first(&small)?;
    Some((small, breach))
}

/// How large a plan is, in words.
pub(super) fn size(plan: &Plan) -> String {
    let (faults, nodes) = (plan.faults.len(), plan.nodes.len());
    format!(
        "{} and {}",
        counted(faults, "fault"),
        counted(nodes, "node")
    )
}

/// So many of something.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// A plan as the file's name says.
pub(super) fn written(plan: &Plan, path: &std::path::Path) -> String {
    plan.write(Format::of(path).unwrap_or(Format::Toml))
}

/// How to see it again.
pub(super) fn again(path: &std::path::Path, engine: &str) -> String {
    let path = path.display();
    format!(
        "again:     tenure-sim replay {path}{engine}\nlook at it: tenure-sim report {path}{engine} --out page.html"
    )
}
