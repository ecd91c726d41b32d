//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tenure_sim::Tier;
use tenure_sim::plan::{Backend, Span, TimingPlan};

use super::values;

/// Runs tenure's own election under faults, in simulated time, and looks for two leaders
///
/// Try your own failover before you trust an election with it: pick a scenario, give it your timing and your number of candidates, and
/// see how long nobody leads, what it costs in requests, and that there are never two leaders.
#[derive(Parser, Debug)]
#[command(name = "tenure-sim", version, max_term_width = 100, after_long_help = STATUSES)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const STATUSES: &str = "\
Exit status:
    0      all is well
    1      something was found: a violation, a mark that is missing, a mistake that nothing caught
    2      the command line or a plan file cannot be used
    130    ended by Ctrl-C; the first one prints what has been done so far

A run is decided by its plan and its seed alone: the same ones give the same run, on any machine.
Try `tenure-sim run pod-deleted` first, and then `tenure-sim report pod-deleted --out page.html`.";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Lists the scenarios that have a name
    Scenarios(ScenariosOptions),
    /// Prints a scenario as a plan file, to change and run
    Plan(PlanOptions),
    /// Runs a scenario or a plan file with many seeds, and says how it went
    #[command(after_help = "\
Examples:
    tenure-sim run pod-deleted
    tenure-sim run leader-partitioned --timing 30s/10s --candidates 5 --seeds 0..1000
    tenure-sim run my-cluster.toml --backend session")]
    Run(RunOptions),
    /// Draws a plan of faults from each seed, and stops at the first violation
    #[command(after_help = "\
Examples:
    tenure-sim campaign --seeds 0..10000
    tenure-sim campaign --seeds 0..1000000 --jobs 8 --backend lease --tier machines --keep-going")]
    Campaign(CampaignOptions),
    /// Runs one plan or seed again, and tells all that happens
    Replay(ReplayOptions),
    /// Makes a plan that finds something as small as it can be
    Shrink(ShrinkOptions),
    /// Plants mistakes into the election, and shows that each is caught
    Hunt(HuntOptions),
    /// Goes through all that can happen to a few candidates in a short time
    ///
    /// A small world is a few candidates, one leased record and what may go wrong. All of its states are seen, or all that are near
    /// enough, and in each of them at most one candidate leads or works. What is found is told by a shortest way to it.
    #[command(after_help = "\
Examples:
    tenure-sim model
    tenure-sim model --bug blind-put --report page.html
    tenure-sim model --hunt")]
    Model(ModelOptions),
    /// Runs the same plans with tenure and with models of other elections
    Compare(CompareOptions),
    /// Measures how fast this simulator is
    Bench(BenchOptions),
    /// Renews the tables of docs/simulation.md that follow from the code
    #[command(hide = true)]
    Tables(TablesOptions),
    /// Draws a run: lanes of all nodes over time, as a web page or as text
    #[command(after_help = "\
Examples:
    tenure-sim report pod-deleted --out page.html
    tenure-sim report leader-partitioned --peer client-go --out page.html
    tenure-sim report my-cluster.toml --text")]
    Report(ReportOptions),
}

#[derive(Args, Debug)]
pub(crate) struct ScenariosOptions {
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PlanOptions {
    #[command(flatten)]
    pub(crate) subject: SubjectOptions,
    #[command(flatten)]
    pub(crate) world: WorldOptions,
    /// JSON instead of TOML
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to run
#[derive(Args, Debug)]
pub(crate) struct SubjectOptions {
    /// A scenario's name, or a plan file (.toml or .json)
    #[arg(value_name = "SCENARIO|PLANFILE")]
    pub(crate) what: String,
}

/// What to change in a plan
#[derive(Args, Default, Debug)]
pub(crate) struct WorldOptions {
    /// The kind of lock: lease, session or file; or kubernetes or zookeeper, by the real backend (electors alone)
    #[arg(long, value_name = "LOCK", value_parser = values::backend)]
    pub(crate) backend: Option<Backend>,
    /// How many candidates
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) candidates: Option<u16>,
    /// Lease and renew interval, such as 15s/5s; or fast, standard, frugal
    #[arg(long, value_name = "TIMING", value_parser = values::timing)]
    pub(crate) timing: Option<TimingPlan>,
    /// How long a lock stays valid after its last renewal; what is not given scales with it
    #[arg(long, value_name = "DURATION", value_parser = values::span, conflicts_with = "timing")]
    pub(crate) lease: Option<Span>,
    /// How often the leader renews
    #[arg(long, value_name = "DURATION", value_parser = values::span, conflicts_with = "timing")]
    pub(crate) renew: Option<Span>,
    /// How much faster or slower than true time any clock may run, such as 1% or 500ppm
    #[arg(long, value_name = "RATIO", value_parser = values::parts_per_million)]
    pub(crate) drift: Option<u32>,
    /// How long the work may take to stop when leadership is lost
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    pub(crate) stop_timeout: Option<Span>,
    /// Makes the whole plan so many times as slow, before anything else is changed; links stay as fast as they are
    #[arg(long, value_name = "N", value_parser = values::stretch)]
    pub(crate) stretch: Option<NonZeroU32>,
}

/// How to run it
#[derive(Args, Debug)]
pub(crate) struct EngineOptions {
    /// How much of the real code is run: electors (the elector, the work, the backend) or machines (the decisions alone, faster)
    #[arg(long, value_name = "TIER", default_value = "electors", value_parser = values::tier)]
    pub(crate) tier: Tier,
    /// A model of another election in place of tenure: client-go, client-go-release, client-go-no-timeout, camel, curator, …
    #[arg(long, value_name = "NAME", value_parser = values::peer)]
    pub(crate) peer: Option<tenure_sim::peers::Peer>,
    /// Plants a mistake; `hunt` lists their names
    #[arg(long, value_name = "NAME", value_parser = values::bug, conflicts_with = "peer")]
    pub(crate) bug: Option<tenure_sim::planted::Bug>,
}

#[derive(Args, Debug)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    pub(crate) subject: SubjectOptions,
    /// Which seeds to run, without the last; a plan file is run with its own seed unless this is given
    #[arg(long, value_name = "A..B", value_parser = values::seeds)]
    pub(crate) seeds: Option<Range<u64>>,
    #[command(flatten)]
    pub(crate) world: WorldOptions,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
}

#[derive(Args, Debug)]
pub(crate) struct CampaignOptions {
    /// Which seeds to run, without the last
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = values::seeds)]
    pub(crate) seeds: Range<u64>,
    /// How many threads; as many as there are processors unless given
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Goes on after a violation, counts all of them and lists the first twenty
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Only this kind of lock: lease, session, file, kubernetes or zookeeper (these two: electors alone); all of them unless given
    #[arg(long, value_name = "LOCK", value_parser = values::backend)]
    pub(crate) backend: Option<Backend>,
    /// Only this tier: electors or machines; both unless given
    #[arg(long, value_name = "TIER", value_parser = values::tier)]
    pub(crate) tier: Option<Tier>,
    /// Plants a mistake; `hunt` lists their names
    #[arg(long, value_name = "NAME", value_parser = values::bug)]
    pub(crate) bug: Option<tenure_sim::planted::Bug>,
    /// Makes all plans so many times as slow, a lease of 6 s included: for years in which less happens
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::stretch)]
    pub(crate) stretch: NonZeroU32,
    /// Where to write the small plan when something is found
    #[arg(long, value_name = "FILE", default_value = "found.toml")]
    pub(crate) out: PathBuf,
    /// Does not shrink what is found
    #[arg(long)]
    pub(crate) no_shrink: bool,
}

/// One run
#[derive(Args, Debug)]
pub(crate) struct OneOptions {
    /// A scenario's name, or a plan file (.toml or .json)
    #[arg(value_name = "SCENARIO|PLANFILE", required_unless_present = "seed")]
    pub(crate) what: Option<String>,
    /// The seed; without a scenario or a plan, the campaign's run of this seed
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) world: WorldOptions,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayOptions {
    #[command(flatten)]
    pub(crate) one: OneOptions,
    /// Tells only what happens up to this time of the run
    #[arg(long, value_name = "TIME", value_parser = values::span)]
    pub(crate) until: Option<Span>,
    /// Writes all records to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ShrinkOptions {
    #[command(flatten)]
    pub(crate) one: OneOptions,
    /// Where to write the small plan
    #[arg(long, value_name = "FILE", default_value = "small.toml")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct HuntOptions {
    /// Only this mistake
    #[arg(long, value_name = "NAME", value_parser = values::bug, conflicts_with = "all")]
    pub(crate) bug: Option<tenure_sim::planted::Bug>,
    /// All mistakes, and the control without one: what is done when nothing is named
    #[arg(long)]
    pub(crate) all: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Compares what is found with the table in this document
    #[arg(
        long,
        value_name = "FILE",
        hide = true,
        conflicts_with = "bug",
        conflicts_with = "renew"
    )]
    pub(crate) check: Option<PathBuf>,
    /// Writes what is found to the table in this document
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "bug")]
    pub(crate) renew: Option<PathBuf>,
    /// After how many seeds a mistake counts as not caught
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ModelOptions {
    /// Only this small world: smallest, deletions, emptyings, late-answers, drift, resigns, starved, or three (candidates); all of them unless given
    #[arg(conflicts_with = "hunt")]
    pub(crate) world: Option<String>,
    /// Plants a mistake, in the world that shows it unless one is named; --hunt lists them
    #[arg(long, value_name = "NAME", value_parser = values::bug)]
    pub(crate) bug: Option<tenure_sim::planted::Bug>,
    /// Plants each mistake that takes safety away, and lists what shows it, or why no small world does
    #[arg(long, conflicts_with_all = ["bug", "trace", "report", "text"])]
    pub(crate) hunt: bool,
    /// Writes the records of what is found to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Draws what is found as a web page in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Tells what is found as `report --text` does
    #[arg(long)]
    pub(crate) text: bool,
    /// How many threads; as many as there are processors unless given
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// After how long the search of one world is broken off
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = values::span)]
    pub(crate) limit: Span,
}

#[derive(Args, Debug)]
pub(crate) struct CompareOptions {
    /// How many runs of each scenario
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
}

#[derive(Args, Debug)]
pub(crate) struct BenchOptions {
    /// A tenth of everything, for a first look
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TablesOptions {
    /// The document
    #[arg(value_name = "FILE")]
    pub(crate) document: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ReportOptions {
    #[command(flatten)]
    pub(crate) one: OneOptions,
    /// Where to write the page
    #[arg(long, value_name = "FILE", required_unless_present = "text")]
    pub(crate) out: Option<PathBuf>,
    /// Prints lines of text instead of a page
    #[arg(long)]
    pub(crate) text: bool,
}
