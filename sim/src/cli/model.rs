use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tenure_sim::model::{self, Configuration, Counterexample, End, Line, Shown, Verdict};
use tenure_sim::parallel::processors;
use tenure_sim::planted::{Bug, Kind};
use tenure_sim::report::{Heading, Report};

use super::failure::{FOUND, Failure, INTERRUPTED};
use super::one::trace;
use super::options::ModelOptions;
use super::output::{print, table, write_file};
use super::progress::{Progress, interruption};

/// `tenure-sim model`
pub(super) fn model(options: &ModelOptions) -> Result<ExitCode, Failure> {
    let interrupted = interruption();
    if options.hunt {
        return hunt(options, &interrupted);
    }
    let worlds = worlds(options)?;
    let (mut found, mut open) = (false, false);
    for world in &worlds {
        let verdict = search(world, options.bug, options, &interrupted);
        tell(world, &verdict)?;
        if let Some(counterexample) = &verdict.counterexample {
            found = true;
            show(world, options, counterexample)?;
        }
        open |= verdict.end == End::Cut;
        if interrupted.load(Ordering::SeqCst) {
            break;
        }
    }
    Ok(match () {
        () if found => ExitCode::from(FOUND),
        () if interrupted.load(Ordering::SeqCst) => ExitCode::from(INTERRUPTED),
        // What has not been seen to its end proves nothing.
        () if open => ExitCode::from(FOUND),
        () => ExitCode::SUCCESS,
    })
}

/// Which worlds to search: where nothing is said, all of them, or the one that shows the mistake.
fn worlds(options: &ModelOptions) -> Result<Vec<Configuration>, Failure> {
    let find = |name: &str| Configuration::find(name).ok_or_else(|| unknown(name));
    match (&options.world, options.bug) {
        (Some(name), _) => Ok(vec![find(name)?]),
        (None, None) => Ok(Configuration::all()),
        (None, Some(bug)) => match model::shown(bug) {
            Shown::In(world) => Ok(vec![find(world)?]),
            Shown::Nowhere(why) => Err(Failure::usage(format!(
                "no small world shows {bug}, because {why}: use `tenure-sim hunt --bug {bug}`"
            ))),
        },
    }
}

fn unknown(name: &str) -> Failure {
    let names: Vec<_> = Configuration::all().iter().map(|one| one.name).collect();
    Failure::usage(format!(
        "there is no small world {name:?}: write one of {}",
        names.join(", ")
    ))
}

fn search(
    world: &Configuration,
    bug: Option<Bug>,
    options: &ModelOptions,
    interrupted: &AtomicBool,
) -> Verdict {
    let jobs = options.jobs.unwrap_or_else(processors).get();
    let limit = Duration::from(options.limit);
    let what = bug.map_or(world.name, Bug::name);
    let progress = Progress::counting(what, "states");
    model::check(world, bug, jobs, limit, &mut |seen| {
        progress.set(seen.states as u64);
        if interrupted.load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

fn tell(world: &Configuration, verdict: &Verdict) -> Result<(), Failure> {
    let end = match verdict.end {
        End::Closed => "all states seen, nothing found".to_owned(),
        End::Bounded => "nothing found as far as it looks ahead".to_owned(),
        End::Cut => "BROKEN OFF, nothing found so far (see --limit)".to_owned(),
        End::Found(invariant) => format!("FOUND {invariant:?}"),
    };
    let seen = verdict.progress;
    print(format_args!(
        "{:<12} {end}: {} states, {} steps, depth {}, in {:.1?}\n{:13}{}",
        world.name, seen.states, seen.steps, seen.depth, seen.time, "", world.sentence
    ))?;
    Ok(())
}

/// Prints what was found, and writes it where that is asked for.
fn show(
    world: &Configuration,
    options: &ModelOptions,
    found: &Counterexample,
) -> Result<(), Failure> {
    let bug = options.bug.map(|bug| format!(" --bug {bug}"));
    let command = format!("tenure-sim model {}{}", world.name, bug.unwrap_or_default());
    let report = Report::of(
        &found.plan,
        &found.records,
        &found.breaches,
        heading(world, options.bug, found, &command),
    );
    if let Some(path) = &options.trace {
        write_file(path, &trace(&found.records))?;
    }
    if let Some(path) = &options.report {
        write_file(path, &report.html())?;
    }
    if options.text {
        print(report.text().trim_end())?;
    } else {
        print(Line::header(world.candidates))?;
        for line in &found.lines {
            print(line)?;
        }
        for breach in &found.breaches {
            print(format_args!("violation at {breach}"))?;
        }
    }
    match &options.report {
        Some(path) => print(format_args!(
            "wrote {}: open it in a browser",
            path.display()
        ))?,
        None => print(format_args!("look at it: {command} --report page.html"))?,
    }
    Ok(())
}

fn heading(
    world: &Configuration,
    bug: Option<Bug>,
    found: &Counterexample,
    command: &str,
) -> Heading {
    let (title, sentence) = match bug {
        Some(bug) => (
            format!("{bug}, in the small world {}", world.name),
            bug.sentence(),
        ),
        None => (format!("the small world {}", world.name), world.sentence),
    };
    let actions = found.actions();
    Heading {
        title,
        sentence: sentence.to_owned(),
        made_by: format!("tenure's machines, all that can happen: a shortest way, {actions} actions"),
        command: command.to_owned(),
        remarks: vec![
            "a small world knows an order and no true time: n0's clock is taken for it, with a tick a second".to_owned(),
        ],
    }
}

/// Shows each mistake that takes safety away in the world where it matters.
fn hunt(options: &ModelOptions, interrupted: &AtomicBool) -> Result<ExitCode, Failure> {
    let heads = [
        "mistake",
        "small world",
        "what is found",
        "actions",
        "states",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    let mut nowhere = Vec::new();
    let mut missed = 0;
    for bug in Bug::ALL
        .into_iter()
        .filter(|bug| bug.kind() == Kind::Safety)
    {
        let world = match model::shown(bug) {
            Shown::In(name) => Configuration::find(name).ok_or_else(|| unknown(name))?,
            Shown::Nowhere(why) => {
                nowhere.push(format!("not shown: {bug}, because {why}"));
                continue;
            }
        };
        let verdict = search(&world, Some(bug), options, interrupted);
        if interrupted.load(Ordering::SeqCst) {
            break;
        }
        let (found, actions) = match (verdict.end, &verdict.counterexample) {
            (End::Found(invariant), Some(found)) if found.is_found_guilty_of(invariant) => {
                (format!("{invariant:?}"), found.actions().to_string())
            }
            _ => {
                missed += 1;
                ("NOTHING".to_owned(), String::new())
            }
        };
        let states = verdict.progress.states.to_string();
        let name = world.name.to_owned();
        rows.push(vec![bug.name().to_owned(), name, found, actions, states]);
    }
    print(table(&rows).trim_end())?;
    nowhere.iter().try_for_each(print)?;
    Ok(match () {
        () if missed > 0 => ExitCode::from(FOUND),
        () if interrupted.load(Ordering::SeqCst) => ExitCode::from(INTERRUPTED),
        () => ExitCode::SUCCESS,
    })
}
