use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tenure_sim::Options;
use tenure_sim::campaign::{Breached, Campaign, Found, Report, Stage};
use tenure_sim::figures::human_ns;
use tenure_sim::parallel::processors;
use tenure_sim::speed::{Stopwatch, per_second};

use super::failure::{FOUND, Failure, INTERRUPTED};
use super::one::{again, size, smallest, written};
use super::options::CampaignOptions;
use super::output::{print, write_file};
use super::progress::{Progress, interruption};

/// From so many seeds on a campaign has to have seen everything that can be seen.
const SEEDS_FOR_MARKS: u64 = 1_000;

/// `tenure-sim campaign`
pub(super) fn campaign(options: &CampaignOptions) -> Result<ExitCode, Failure> {
    let campaign = Campaign {
        breached: if options.keep_going {
            Breached::GoOn
        } else {
            Breached::Stop
        },
        jobs: options.jobs.unwrap_or_else(processors),
        options: Options {
            bug: options.bug,
            ..Options::PLAIN
        },
        seeds: options.seeds.clone(),
        stages: Stage::all(options.tier, options.backend),
        stretch: options.stretch,
    };
    let watch = Stopwatch::start();
    let interrupted = interruption();
    let progress = Progress::new(campaign.runs(), "runs");
    let mut heard = Ok(());
    let report = campaign.run(&interrupted, |found| {
        progress.add(1);
        if let Some(found) = found {
            heard = progress.aside(|| print(format_args!("found: {found}")));
        }
        match heard {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    drop(progress);
    heard?;
    let stopped = interrupted.load(Ordering::SeqCst);
    if stopped {
        let (done, of) = (report.runs, campaign.runs());
        print(format_args!("interrupted after {done} of {of} runs"))?;
    }
    let seeds = campaign.seeds.end - campaign.seeds.start;
    let must_see_all = seeds >= SEEDS_FOR_MARKS && options.bug.is_none() && !stopped;
    let never = if must_see_all {
        "never seen"
    } else {
        "not seen in so few runs"
    };
    let missing = tell(&report, watch.elapsed(), never)?;
    if let Some(found) = report.listed.first() {
        let small = (!options.no_shrink).then_some(options.out.as_path());
        explain(found, &campaign, small)?;
    }
    Ok(match () {
        () if report.found > 0 || (must_see_all && missing) => ExitCode::from(FOUND),
        () if stopped => ExitCode::from(INTERRUPTED),
        () => ExitCode::SUCCESS,
    })
}

/// Says what a campaign came to, and whether it has missed something rare; that with the word `never`.
fn tell(report: &Report, took: Duration, never: &str) -> Result<bool, Failure> {
    let simulated = human_ns(report.simulated.as_nanos());
    print(format_args!(
        "{} runs, {simulated} simulated, {} events in {}: {}",
        report.runs,
        report.events,
        human_ns(took.as_nanos()),
        per_second(report.events, took)
    ))?;
    let missing = report.missing_marks();
    for (stage, marks) in &missing {
        let names: Vec<_> = marks.iter().map(|mark| format!("{mark:?}")).collect();
        print(format_args!("{never}, {stage}: {}", names.join(", ")))?;
    }
    print(format_args!("found {}", report.found))?;
    print(format_args!("digest {}", report.digest))?;
    Ok(!missing.is_empty())
}

/// Makes the plan of what was found small, and says how to see it again.
fn explain(found: &Found, campaign: &Campaign, small: Option<&Path>) -> Result<(), Failure> {
    let Stage { tier, backend } = found.stage;
    let options = &campaign.options;
    let bug = options.bug.map(|bug| format!(" --bug {}", bug.name()));
    let engine = format!(" --tier {}{}", tier.name(), bug.unwrap_or_default());
    let stretch = match campaign.stretch.get() {
        1 => String::new(),
        factor => format!(" --stretch {factor}"),
    };
    print(format_args!(
        "the whole of it: tenure-sim replay --seed {} --backend {}{stretch}{engine}",
        found.seed,
        backend.name()
    ))?;
    let Some(path) = small else { return Ok(()) };
    let plan = campaign.plan(found.seed, found.stage);
    if let Some((plan, breach)) = smallest(&plan, tier, options) {
        write_file(path, &written(&plan, path))?;
        print(format_args!(
            "shrunk to {} in {}: {breach}",
            size(&plan),
            path.display()
        ))?;
        print(again(path, &engine))?;
    }
    Ok(())
}
