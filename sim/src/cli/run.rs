use std::ops::{ControlFlow, Range};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use tenure_sim::Options;
use tenure_sim::figures::{Figures, Histogram, Observer, human, human_ns};
use tenure_sim::invariants::{Assumption, Breach, Overlaps};
use tenure_sim::parallel::{in_order, processors};
use tenure_sim::plan::{Backend, Plan};
use tenure_sim::speed::Stopwatch;
use tenure_sim::trace::{Keep, TraceHash};

use super::failure::{FOUND, Failure, INTERRUPTED};
use super::options::{EngineOptions, RunOptions};
use super::output::{print, table};
use super::progress::{Progress, interruption};
use super::subject::Subject;

/// How many seeds a scenario is run with unless it is said otherwise.
const SEEDS: Range<u64> = 0..100;
/// How many violations are listed.
const LISTED_MOST: usize = 5;

impl EngineOptions {
    /// What a run is made with.
    pub(crate) fn options(&self, keep: Keep) -> Options {
        Options {
            bug: self.bug,
            keep,
            peer: self.peer,
        }
    }

    /// Whose election is run, and how.
    pub(crate) fn made_by(&self) -> String {
        match (self.peer, self.bug) {
            (Some(peer), _) => format!("a model of {}", peer.name()),
            (None, Some(bug)) => format!(
                "tenure's {} with a mistake: {}",
                self.tier.name(),
                bug.name()
            ),
            (None, None) => format!("tenure's {}", self.tier.name()),
        }
    }

    /// What they add to a command line.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        if let Some(peer) = self.peer {
            words.push_str(&format!(" --peer {}", peer.name()));
        } else {
            words.push_str(&format!(" --tier {}", self.tier.name()));
        }
        if let Some(bug) = self.bug {
            words.push_str(&format!(" --bug {}", bug.name()));
        }
        words
    }

    /// Whether this can run that.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), Failure> {
        let Some(peer) = self.peer else {
            return Ok(());
        };
        let lock = peer.backend();
        let knows = match lock {
            Backend::Zookeeper => plan.backend == lock,
            _ => plan.backend.kind() == lock,
        };
        if knows {
            return Ok(());
        }
        let mut other = Plan {
            backend: lock,
            ..plan.clone()
        };
        other.server.late_proof &= lock == Backend::Zookeeper;
        // What ends in the next complaint is no advice.
        let advice = match other.check() {
            Ok(()) => format!("use --backend {}", lock.name()),
            Err(_) => format!(
                "choose another scenario, as this one fits no {}",
                lock.name()
            ),
        };
        Err(Failure::usage(format!(
            "{} knows no {} lock: {advice}, or leave --peer out",
            peer.name(),
            plan.backend.name()
        )))
    }
}

/// What one run comes to.
struct One {
    assumptions: Vec<Assumption>,
    breaches: Vec<Breach>,
    figures: Figures,
    hash: TraceHash,
    overlaps: Overlaps,
}

/// What all runs come to.
struct Sum {
    assumptions: Vec<Assumption>,
    digest: TraceHash,
    figures: Figures,
    found: Vec<(u64, Breach)>,
    overlapping: u64,
    longest_overlap: std::time::Duration,
    runs: u64,
    violated: u64,
}

/// `tenure-sim run`
pub(super) fn run(options: &RunOptions) -> Result<ExitCode, Failure> {
    let subject = Subject::find(&options.subject.what, &options.world)?;
    options.engine.check(&subject.plan)?;
    let seeds = match (&options.seeds, subject.scenario) {
        (Some(seeds), _) => seeds.clone(),
        (None, Some(_)) => SEEDS,
        (None, None) => subject.plan.seed..subject.plan.seed.saturating_add(1),
    };
    let watch = Stopwatch::start();
    let interrupted = interruption();
    let progress = Progress::new(seeds.end - seeds.start, "runs");
    let mut sum = Sum::default();
    in_order(
        seeds.clone(),
        processors(),
        &interrupted,
        |seed| one(&subject.plan, seed, &options.engine),
        |seed, one| {
            sum.add(seed, one);
            progress.add(1);
            ControlFlow::Continue(())
        },
    );
    drop(progress);
    let was_interrupted = interrupted.load(Ordering::SeqCst);
    if was_interrupted {
        print(format_args!(
            "interrupted after {} of {} runs",
            sum.runs,
            seeds.end - seeds.start
        ))?;
    }
    tell(&subject, options, &sum)?;
    print(format_args!(
        "took {}",
        human_ns(watch.elapsed().as_nanos())
    ))?;
    Ok(match () {
        () if sum.violated > 0 => ExitCode::from(FOUND),
        () if was_interrupted => ExitCode::from(INTERRUPTED),
        () => ExitCode::SUCCESS,
    })
}

fn one(plan: &Plan, seed: u64, engine: &EngineOptions) -> One {
    let plan = Plan {
        seed,
        ..plan.clone()
    };
    let outcome = tenure_sim::run(&plan, engine.tier, &engine.options(Keep::All));
    let mut observer = Observer::new(&plan);
    for record in &outcome.records {
        observer.see(record);
    }
    One {
        assumptions: outcome
            .jury
            .assumptions()
            .all_broken()
            .map(|broken| broken.0)
            .collect(),
        breaches: outcome.jury.breaches().to_vec(),
        figures: observer.finish(),
        hash: outcome.hash,
        overlaps: outcome.jury.overlaps(),
    }
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            assumptions: Vec::new(),
            digest: TraceHash::EMPTY,
            figures: Figures::default(),
            found: Vec::new(),
            overlapping: 0,
            longest_overlap: std::time::Duration::ZERO,
            runs: 0,
            violated: 0,
        }
    }
}

impl Sum {
    fn add(&mut self, seed: u64, one: One) {
        self.runs += 1;
        self.digest.write_u64(one.hash.value());
        self.figures.merge(&one.figures);
        self.violated += u64::from(!one.breaches.is_empty());
        self.overlapping += u64::from(one.overlaps.count > 0);
        self.longest_overlap = self.longest_overlap.max(one.overlaps.longest);
        for assumption in one.assumptions {
            if !self.assumptions.contains(&assumption) {
                self.assumptions.push(assumption);
            }
        }
        for breach in one.breaches {
            if self.found.len() < LISTED_MOST {
                self.found.push((seed, breach));
            }
        }
    }
}

fn tell(subject: &Subject, options: &RunOptions, sum: &Sum) -> Result<(), Failure> {
    let plan = &subject.plan;
    if let Some(scenario) = subject.scenario {
        print(format_args!("{}: {}", scenario.name, scenario.sentence))?;
    } else {
        print(subject.title())?;
    }
    let figures = &sum.figures;
    print(format_args!(
        "{} × {} with {} lock, lease {}, {} candidates: {} simulated, {}\n",
        sum.runs,
        plan.end,
        match plan.backend {
            Backend::Lease => "a lease",
            Backend::Session => "a session",
            Backend::File => "a file",
            Backend::Kubernetes => "a Kubernetes",
            Backend::Zookeeper => "a ZooKeeper",
        },
        plan.timing.lease,
        plan.nodes.len(),
        human_ns(figures.simulated_ns),
        options.engine.made_by()
    ))?;
    print(table(&times(figures)).trim_end())?;
    print("")?;
    print(table(&counts(figures, sum.runs)).trim_end())?;
    print("")?;
    if let Some(line) = subject.without_effect(options.engine.tier) {
        print(line)?;
    }
    claims(subject, sum)?;
    for (seed, breach) in &sum.found {
        print(format_args!("  seed {seed} at {breach}"))?;
    }
    if let Some((seed, _)) = sum.found.first() {
        let (what, engine) = (&options.subject.what, options.engine.words());
        print(format_args!(
            "  look at it: tenure-sim report {what} --seed {seed}{engine}{} --out page.html",
            options.world.words()
        ))?;
    }
    print(format_args!("digest {}", sum.digest))?;
    Ok(())
}

fn times(figures: &Figures) -> Vec<Vec<String>> {
    let heads = ["", "times", "p50", "p99", "max"].map(str::to_owned);
    let row = |name: &str, histogram: &Histogram| {
        vec![
            name.to_owned(),
            histogram.count().to_string(),
            human(histogram.quantile(500)),
            human(histogram.quantile(990)),
            human(histogram.most()),
        ]
    };
    let mut rows = vec![heads.to_vec(), row("until the first work", &figures.first)];
    for (name, histogram) in [
        (
            "failover, from the end of the last work",
            &figures.failovers,
        ),
        ("planned handover, from the same", &figures.handovers),
    ] {
        if histogram.count() > 0 {
            rows.push(row(name, histogram));
        }
    }
    rows
}

fn counts(figures: &Figures, runs: u64) -> Vec<Vec<String>> {
    let runs = u128::from(runs.max(1));
    let simulated = figures.simulated_ns.max(1);
    let permille = figures.vacant_ns * 10_000 / simulated;
    let tenths = |count: u64| {
        let tenths = u128::from(count) * 10 / runs;
        format!("{}.{} a run", tenths / 10, tenths % 10)
    };
    let rate = |count: u64| {
        let thousandths = u128::from(count) * 1_000_000_000_000 / simulated;
        format!("{}.{:03}/s", thousandths / 1_000, thousandths % 1_000)
    };
    let row = |name: &str, cells: [String; 2]| {
        let [first, second] = cells;
        vec![name.to_owned(), first, second]
    };
    let share = format!("{}.{:02} %", permille / 100, permille % 100);
    let mut rows = vec![
        row("leaderships", [tenths(figures.leaderships), String::new()]),
        row(
            "nobody works",
            [
                format!("{} a run", human_ns(figures.vacant_ns / runs)),
                share,
            ],
        ),
    ];
    let total = figures.requests_total();
    rows.push(row(
        "requests, all candidates",
        [rate(total), String::new()],
    ));
    for (operation, count) in figures.requests() {
        let name = format!("  {}", format!("{operation:?}").to_lowercase());
        rows.push(row(&name, [rate(count), String::new()]));
    }
    let fires = figures.fires;
    if fires.begun + fires.missed > 0 {
        rows.push(row("fires begun", [tenths(fires.begun), String::new()]));
        rows.push(row(
            "  run to the end",
            [tenths(fires.ended), String::new()],
        ));
        rows.push(row("  broken off", [tenths(fires.broken), String::new()]));
        rows.push(row(
            "  missed, and told so",
            [tenths(fires.missed), String::new()],
        ));
    }
    rows
}

/// What is claimed, and whether it held.
fn claims(subject: &Subject, sum: &Sum) -> Result<(), Failure> {
    for line in subject.not_claimed(&sum.assumptions) {
        print(line)?;
    }
    if sum.overlapping > 0 {
        let longest = human_ns(sum.longest_overlap.as_nanos());
        print(format_args!(
            "two leaders at once in {} of {} runs, for at most {longest}",
            sum.overlapping, sum.runs
        ))?;
    }
    match sum.violated {
        0 => print("violations: none")?,
        runs => print(format_args!("violations in {runs} of {} runs:", sum.runs))?,
    }
    Ok(())
}
