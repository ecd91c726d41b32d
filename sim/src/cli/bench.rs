use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tenure_sim::campaign::{Breached, Campaign, Stage};
use tenure_sim::figures::human_ns;
use tenure_sim::parallel::processors;
use tenure_sim::plan::{Backend, NodePlan, Plan, Span};
use tenure_sim::{Options, Tier};

use super::failure::Failure;
use super::options::BenchOptions;
use super::output::{print, table};
use super::progress::Progress;
use super::stopwatch::{Stopwatch, per_second};

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const GOAL_MACHINES: u64 = 5_000_000;
const GOAL_ELECTORS: u64 = 2_000_000;
const GOAL_MEMORY_KIB: u64 = 16 * 1_024;
const GOAL_SMOKE: Duration = Duration::from_secs(60);

/// `tenure-sim bench`
pub(super) fn bench(options: &BenchOptions) -> Result<ExitCode, Failure> {
    let part = if options.quick { 10 } else { 1 };
    let heads = ["what", "measured", "goal", ""].map(str::to_owned);
    let progress = Progress::new(5, "measurements");
    let mut rows = vec![heads.to_vec()];
    // Memory first: the most that a process has ever used does not go down again.
    rows.push(memory());
    progress.add(1);
    for (tier, name, goal, seeds) in [
        (Tier::Machines, "machines", GOAL_MACHINES, 4_000),
        (Tier::Electors, "electors", GOAL_ELECTORS, 400),
    ] {
        rows.push(speed(tier, name, goal, seeds / part));
        progress.add(1);
    }
    rows.push(threads(4_000 / part));
    progress.add(1);
    rows.push(smoke(10_000 / part, part));
    drop(progress);
    print(table(&rows).trim_end())?;
    if cfg!(debug_assertions) {
        print("this is a debug build: build with --release to compare with the goals")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(what: String, measured: String, goal: String, reached: bool) -> Vec<String> {
    let verdict = if reached { "reached" } else { "MISSED" };
    vec![what, measured, goal, verdict.to_owned()]
}

/// Five candidates with the faults of generated plans.
fn crowd(seed: u64, backend: Backend) -> Plan {
    let mut plan = Plan::generate(seed, backend);
    plan.nodes.resize(5, NodePlan::default());
    plan
}

fn speed(tier: Tier, name: &str, goal: u64, seeds: u64) -> Vec<String> {
    let (mut events, mut took) = (0, Duration::ZERO);
    for seed in 0..seeds {
        let plan = crowd(seed, Backend::Lease);
        let watch = Stopwatch::start();
        let outcome = tenure_sim::run(&plan, tier, &Options::PLAIN);
        took += watch.elapsed();
        events += outcome.events;
    }
    let reached = u128::from(events) * 1_000_000_000 >= u128::from(goal) * took.as_nanos();
    row(
        format!("{name}, events on one thread: 5 candidates, faults, all invariants"),
        per_second(events, took),
        format!("{}.00 M/s", goal / 1_000_000),
        reached,
    )
}

/// The memory that a day takes, above what the program takes anyway.
fn memory() -> Vec<String> {
    let mut plan = crowd(1, Backend::Lease);
    plan.quiet_from = Span::from_secs(24 * 3_600 - 60);
    plan.end = Span::from_secs(24 * 3_600);
    let what = "peak memory after a simulated day of each tier, no trace".to_owned();
    for tier in [Tier::Machines, Tier::Electors] {
        tenure_sim::run(&plan, tier, &Options::PLAIN);
    }
    let goal = format!("{} MiB", GOAL_MEMORY_KIB / 1_024);
    match peak_kib() {
        Some(peak) => {
            let measured = format!("{}.{} MiB", peak / 1_024, peak % 1_024 * 10 / 1_024);
            row(what, measured, goal, peak <= GOAL_MEMORY_KIB)
        }
        None => row(what, "unknown here".to_owned(), goal, false),
    }
}

/// The most memory that this process has used, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn threads(seeds: u64) -> Vec<String> {
    let time = |jobs: NonZeroUsize| campaign(seeds, jobs).0.as_nanos().max(1);
    let (one, two) = (time(NonZeroUsize::MIN), time(TWO));
    let ratio = one * 100 / two;
    row(
        "two threads over one".to_owned(),
        format!("{}.{:02} ×", ratio / 100, ratio % 100),
        "1.80 ×".to_owned(),
        ratio >= 180,
    )
}

fn smoke(seeds: u64, part: u64) -> Vec<String> {
    let (took, found) = campaign(seeds, processors());
    let goal = GOAL_SMOKE / u32::try_from(part).unwrap_or(1);
    row(
        format!("{seeds} seeds × 3 locks, machines, all processors ({found} found)"),
        human_ns(took.as_nanos()),
        human_ns(goal.as_nanos()),
        took <= goal && found == 0,
    )
}

/// How long a campaign of the machine tier takes, and what it finds.
fn campaign(seeds: u64, jobs: NonZeroUsize) -> (Duration, u64) {
    let campaign = Campaign {
        breached: Breached::GoOn,
        jobs,
        options: Options::PLAIN,
        seeds: 0..seeds,
        stages: Stage::all(Some(Tier::Machines), None),
    };
    let watch = Stopwatch::start();
    let report = campaign.run(&AtomicBool::new(false), |_| ControlFlow::Continue(()));
    (watch.elapsed(), report.found)
}
