use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_sim::figures::human_ns;
use tenure_sim::invariants::{Breach, Marks};
use tenure_sim::plan::{Backend, Plan};
use tenure_sim::planted::Bug;
use tenure_sim::trace::{Keep, TraceHash};
use tenure_sim::{Options, Tier};

use super::failure::{FOUND, Failure, INTERRUPTED};
use super::one::{again, size, smallest, written};
use super::options::CampaignOptions;
use super::output::{print, write_file};
use super::parallel::{in_order, index, processors};
use super::progress::{Progress, interruption};
use super::stopwatch::{Stopwatch, per_second};

/// How many violations are listed.
const LISTED_MOST: u64 = 20;
/// From so many seeds on a campaign has to have seen everything that can be seen.
const SEEDS_FOR_MARKS: u64 = 1_000;

/// A kind of lock on a tier.
pub(super) type Stage = (Tier, Backend);

/// Which stages there are, of those that are asked for.
pub(super) fn stages(tier: Option<Tier>, backend: Option<Backend>) -> Vec<Stage> {
    let tiers = [Tier::Machines, Tier::Electors];
    let tiers = tiers
        .into_iter()
        .filter(|one| tier.is_none_or(|tier| tier == *one));
    let backends = Backend::ALL.into_iter();
    let backends = backends.filter(|one| backend.is_none_or(|backend| backend == *one));
    tiers
        .flat_map(|tier| backends.clone().map(move |backend| (tier, backend)))
        .collect()
}

/// What one run comes to.
struct One {
    breach: Option<Breach>,
    events: u64,
    hash: TraceHash,
    marks: Marks,
    simulated_ns: u64,
}

/// What all runs of a campaign come to.
pub(super) struct Sum {
    digest: TraceHash,
    pub(super) events: u64,
    first: Option<(u64, Stage)>,
    pub(super) found: u64,
    marks: Vec<(Stage, Marks)>,
    pub(super) runs: u64,
    pub(super) simulated_ns: u128,
}

/// What a campaign runs.
pub(super) struct Campaign {
    pub(super) bug: Option<Bug>,
    pub(super) jobs: usize,
    pub(super) keep_going: bool,
    pub(super) seeds: Range<u64>,
    pub(super) stages: Vec<Stage>,
}

/// `tenure-sim campaign`
pub(super) fn campaign(options: &CampaignOptions) -> Result<ExitCode, Failure> {
    let campaign = Campaign {
        bug: options.bug,
        jobs: options.jobs.map_or_else(processors, usize::from),
        keep_going: options.keep_going,
        seeds: options.seeds.clone(),
        stages: stages(options.tier, options.backend),
    };
    let small = (!options.no_shrink).then_some(options.out.as_path());
    campaign.tell(small)
}

impl Campaign {
    /// Runs it and tells how it went.
    pub(super) fn tell(&self, small: Option<&Path>) -> Result<ExitCode, Failure> {
        let watch = Stopwatch::start();
        let interrupted = interruption();
        let progress = Progress::new(self.runs(), "runs");
        let mut heard = Ok(());
        let sum = self.run(&interrupted, |seed, stage, breach| {
            progress.add(1);
            if let (Some(breach), Ok(())) = (breach, &heard) {
                heard = print(format_args!(
                    "found: seed {seed}, {}: {breach}",
                    name(stage)
                ));
            }
        });
        drop(progress);
        heard?;
        let stopped = interrupted.load(Ordering::SeqCst);
        if stopped {
            let (done, of) = (sum.runs, self.runs());
            print(format_args!("interrupted after {done} of {of} runs"))?;
        }
        let took = watch.elapsed();
        print(format_args!(
            "{} runs, {} simulated, {} events in {}: {}",
            sum.runs,
            human_ns(sum.simulated_ns),
            sum.events,
            human_ns(took.as_nanos()),
            per_second(sum.events, took)
        ))?;
        let missing = self.missing(&sum);
        let seeds = self.seeds.end - self.seeds.start;
        let must_see_all = seeds >= SEEDS_FOR_MARKS && self.bug.is_none() && !stopped;
        let never = if must_see_all {
            "never seen"
        } else {
            "not seen in so few runs"
        };
        for (stage, marks) in &missing {
            print(format_args!("{never}, {}: {marks}", name(*stage)))?;
        }
        print(format_args!("found {}", sum.found))?;
        print(format_args!("digest {}", sum.digest))?;
        if let Some((seed, stage)) = sum.first {
            self.explain(seed, stage, small)?;
        }
        Ok(match () {
            () if sum.found > 0 || (must_see_all && !missing.is_empty()) => ExitCode::from(FOUND),
            () if stopped => ExitCode::from(INTERRUPTED),
            () => ExitCode::SUCCESS,
        })
    }

    fn runs(&self) -> u64 {
        (self.seeds.end - self.seeds.start) * self.stages.len() as u64
    }

    /// Runs it: seed by seed, each in all stages. The digest is the same for any number of threads.
    pub(super) fn run(
        &self,
        stop: &AtomicBool,
        mut see: impl FnMut(u64, Stage, Option<&Breach>),
    ) -> Sum {
        let stages = self.stages.len() as u64;
        let of = |number: u64| {
            let stage = self.stages[index(number % stages)];
            (self.seeds.start + number / stages, stage)
        };
        let mut sum = Sum {
            digest: TraceHash::EMPTY,
            events: 0,
            first: None,
            found: 0,
            marks: self
                .stages
                .iter()
                .map(|stage| (*stage, Marks::NONE))
                .collect(),
            runs: 0,
            simulated_ns: 0,
        };
        let work = |number| {
            let (seed, stage) = of(number);
            self.one(seed, stage)
        };
        in_order(self.runs(), self.jobs, stop, work, |number, one: One| {
            let (seed, stage) = of(number);
            sum.runs += 1;
            sum.digest.write_u64(one.hash.value());
            sum.events += one.events;
            sum.simulated_ns += u128::from(one.simulated_ns);
            let seen = &mut sum.marks[index(number % stages)].1;
            one.marks.iter().for_each(|mark| seen.insert(mark));
            let breach = one.breach.as_ref();
            sum.found += u64::from(breach.is_some());
            see(seed, stage, breach.filter(|_| sum.found <= LISTED_MOST));
            if breach.is_some() {
                sum.first.get_or_insert((seed, stage));
                if !self.keep_going {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        sum
    }

    fn options(&self) -> Options {
        Options {
            bug: self.bug,
            keep: Keep::Nothing,
            peer: None,
        }
    }

    fn one(&self, seed: u64, (tier, backend): Stage) -> One {
        let plan = Plan::generate(seed, backend);
        let outcome = tenure_sim::run(&plan, tier, &self.options());
        One {
            breach: outcome.jury.breaches().first().cloned(),
            events: outcome.events,
            hash: outcome.hash,
            marks: outcome.jury.marks(),
            simulated_ns: plan.end.nanos(),
        }
    }

    /// What should have been seen and was not, by stage.
    fn missing(&self, sum: &Sum) -> Vec<(Stage, String)> {
        let mut missing = Vec::new();
        for (stage, seen) in &sum.marks {
            let expected = Marks::expected(stage.1, stage.0);
            let names: Vec<String> = expected
                .iter()
                .filter(|mark| !seen.iter().any(|one| one == *mark))
                .map(|mark| format!("{mark:?}"))
                .collect();
            if !names.is_empty() {
                missing.push((*stage, names.join(", ")));
            }
        }
        missing
    }

    /// Makes the plan of what was found small, and says how to see it again.
    fn explain(
        &self,
        seed: u64,
        (tier, backend): Stage,
        small: Option<&Path>,
    ) -> Result<(), Failure> {
        let tier_name = tier.name();
        let bug = self.bug.map(|bug| format!(" --bug {}", bug.name()));
        let engine = format!(" --tier {tier_name}{}", bug.unwrap_or_default());
        let backend_name = backend.name();
        print(format_args!(
            "the whole of it: tenure-sim replay --seed {seed} --backend {backend_name}{engine}"
        ))?;
        let Some(path) = small else { return Ok(()) };
        let plan = Plan::generate(seed, backend);
        if let Some((plan, breach)) = smallest(&plan, tier, &self.options()) {
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
}

fn name((tier, backend): Stage) -> String {
    format!("{} lock, {}", backend.name(), tier.name())
}
