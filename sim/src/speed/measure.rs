use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::requests::requests;
use super::stopwatch::{Stopwatch, per_second};
use crate::campaign::{Breached, Campaign, Stage};
use crate::figures::human_ns;
use crate::parallel::processors;
use crate::plan::{Backend, NodePlan, Plan, Span};
use crate::{Options, Tier};

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const GOAL_MACHINES: u64 = 5_000_000;
const GOAL_ELECTORS: u64 = 2_000_000;
const GOAL_REQUESTS: u64 = 100_000;
const GOAL_MEMORY_KIB: u64 = 16 * 1_024;
const GOAL_SMOKE: Duration = Duration::from_secs(60);

/// One line of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measurement {
    /// What was measured.
    pub what: String,
    /// What came out.
    pub measured: String,
    /// What is to be reached.
    pub goal: String,
    /// Whether it was.
    pub reached: bool,
}

/// How many measurements there are.
pub const COUNT: u64 = 6;

/// Makes all measurements, and hands them over one by one. Of everything that is repeated, the `part`th part is enough for a first look.
pub fn measure(part: NonZeroU32, mut take: impl FnMut(Measurement)) {
    let of = |count: u64| count / u64::from(part.get());
    // Memory first: the most that a process has ever used does not go down again.
    take(memory());
    take(speed(Tier::Machines, GOAL_MACHINES, of(4_000)));
    take(speed(Tier::Electors, GOAL_ELECTORS, of(400)));
    take(clients(of(200_000)));
    take(threads(of(4_000)));
    take(smoke(of(10_000), part));
}

fn row(what: String, measured: String, goal: String, reached: bool) -> Measurement {
    Measurement {
        what,
        measured,
        goal,
        reached,
    }
}

/// Five candidates with the faults of generated plans.
fn crowd(seed: u64, backend: Backend) -> Plan {
    let mut plan = Plan::generate(seed, backend);
    plan.nodes.resize(5, NodePlan::default());
    plan
}

fn speed(tier: Tier, goal: u64, seeds: u64) -> Measurement {
    let name = tier.name();
    let (mut events, mut took) = (0, Duration::ZERO);
    for seed in 0..seeds {
        let plan = crowd(seed, Backend::Lease);
        let watch = Stopwatch::start();
        let outcome = crate::run(&plan, tier, &Options::PLAIN);
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

/// The real Kubernetes client over simulated servers.
fn clients(count: u64) -> Measurement {
    let watch = Stopwatch::start();
    let answered = requests(count);
    let took = watch.elapsed();
    let reached =
        u128::from(answered) * 1_000_000_000 >= u128::from(GOAL_REQUESTS) * took.as_nanos();
    row(
        "requests of the real Kubernetes client on one thread: GET and PUT of a Lease".to_owned(),
        per_second(answered, took),
        format!("{} k/s", GOAL_REQUESTS / 1_000),
        reached && answered == count,
    )
}

/// The memory that a day takes, above what the program takes anyway.
fn memory() -> Measurement {
    let mut plan = crowd(1, Backend::Lease);
    plan.quiet_from = Span::from_secs(24 * 3_600 - 60);
    plan.end = Span::from_secs(24 * 3_600);
    let what = "peak memory after a simulated day of each tier, no trace".to_owned();
    for tier in [Tier::Machines, Tier::Electors] {
        crate::run(&plan, tier, &Options::PLAIN);
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

fn threads(seeds: u64) -> Measurement {
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

fn smoke(seeds: u64, part: NonZeroU32) -> Measurement {
    let (took, found) = campaign(seeds, processors());
    let goal = GOAL_SMOKE / part.get();
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
        stretch: NonZeroU32::MIN,
    };
    let watch = Stopwatch::start();
    let report = campaign.run(&AtomicBool::new(false), |_| ControlFlow::Continue(()));
    (watch.elapsed(), report.found)
}
