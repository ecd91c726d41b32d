//! The same plans give the same records on all tiers: twice in one process, in another one, and since the digests below were written
//! down.

use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tenure_sim::campaign::{Breached, Campaign, Stage};
use tenure_sim::model::{self, Configuration, Counterexample, End};
use tenure_sim::plan::{Backend, Plan};
use tenure_sim::planted::Bug;
use tenure_sim::trace::{Keep, Record};
use tenure_sim::{Options, Outcome, Tier};

const SEEDS: Range<u64> = 0..12;
/// A planted mistake to which the exhaustive tier finds a way soon.
const MISTAKE: &str = "unknown-is-confirmed";

/// A run of a generated plan.
#[derive(Clone, Copy, Debug)]
struct One {
    seed: u64,
    backend: Backend,
    tier: Tier,
}

/// Whole runs, and the digests that they had when somebody last changed on purpose what a run does: the decisions, the backends, the
/// world, or how plans are drawn from seeds. A digest that is another one without such a change is a bug. After such a change run
/// `cargo test --package tenure-sim --test determinism`, and write down here the digests that it prints. What has changed in a run is
/// seen by comparing what `tenure-sim replay --seed S --backend LOCK --tier TIER --trace FILE` writes before and after the change.
const GOLDEN: [(One, &str); 9] = [
    (one(1, Backend::Lease, Tier::Machines), "96b5341f3888f6e6"),
    (one(1, Backend::Session, Tier::Machines), "ac1a7d3d922b788a"),
    (one(2, Backend::File, Tier::Machines), "538d4cc0d54230a8"),
    (one(1, Backend::Lease, Tier::Electors), "f73f9e7e2efb7458"),
    (one(3, Backend::Session, Tier::Electors), "873c412b46f5c248"),
    (
        one(1, Backend::Kubernetes, Tier::Electors),
        "12a4e9ed4c07111c",
    ),
    (
        one(2, Backend::Kubernetes, Tier::Electors),
        "771382716faf8e79",
    ),
    (
        one(1, Backend::Zookeeper, Tier::Electors),
        "d5f8185da252a413",
    ),
    (
        one(5, Backend::Zookeeper, Tier::Electors),
        "88b7fc62fe839e82",
    ),
];

const fn one(seed: u64, backend: Backend, tier: Tier) -> One {
    One {
        seed,
        backend,
        tier,
    }
}

impl One {
    fn run(self) -> Outcome {
        let options = Options {
            keep: Keep::All,
            ..Options::PLAIN
        };
        let plan = Plan::generate(self.seed, self.backend);
        tenure_sim::run(&plan, self.tier, &options)
    }

    /// The records of this run as another process writes them.
    fn elsewhere(self) -> Vec<String> {
        let (backend, tier) = (self.backend.name(), self.tier.name());
        let file = format!("determinism-{}-{backend}-{tier}.jsonl", self.seed);
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        let seed = self.seed.to_string();
        let mut words = vec!["replay", "--seed", &seed, "--backend", backend];
        words.extend(["--tier", tier, "--trace"]);
        words.push(file.to_str().expect("the folder of a build is UTF-8"));
        program(&words);
        let text = fs::read_to_string(&file).expect("the program has written it");
        text.lines().map(str::to_owned).collect()
    }
}

/// What the program prints, as a process of its own.
fn program(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tenure-sim"))
        .args(words)
        .output()
        .expect("the program was built with this test");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn lines(records: &[Record]) -> Vec<String> {
    let line = |record| serde_json::to_string(record).expect("a record is numbers and names");
    records.iter().map(line).collect()
}

/// The first record in which two traces differ, as each of them has it.
fn first_difference(one: &[String], other: &[String]) -> Option<String> {
    let index =
        (0..one.len().max(other.len())).find(|index| one.get(*index) != other.get(*index))?;
    let show = |lines: &[String]| {
        lines
            .get(index)
            .map_or("no record", String::as_str)
            .to_owned()
    };
    let (one, other) = (show(one), show(other));
    let number = index + 1;
    Some(format!(
        "record {number} is the first that differs:\n  {one}\n  {other}"
    ))
}

#[test]
fn whole_runs_are_what_they_were_when_their_digests_were_written_down() {
    let now = GOLDEN.map(|(one, _)| one.run().hash.to_string());
    let mut changed = String::new();
    for ((one, golden), now) in GOLDEN.iter().zip(&now) {
        if golden != now {
            changed.push_str(&format!("{one:?}: {golden} then, {now} now\n"));
        }
    }
    assert!(
        changed.is_empty(),
        "runs are no longer the same; write their digests down anew if that was meant:\n{changed}"
    );
}

#[test]
fn a_run_has_the_same_records_twice_and_in_another_process() {
    for (one, _) in GOLDEN {
        let here = lines(&one.run().records);
        assert!(here.len() > 100, "{one:?}");
        for (where_else, there) in [
            ("once more", lines(&one.run().records)),
            ("elsewhere", one.elsewhere()),
        ] {
            if let Some(difference) = first_difference(&here, &there) {
                panic!("{one:?}, here and {where_else}: {difference}");
            }
        }
    }
}

fn campaign(jobs: usize) -> String {
    let campaign = Campaign {
        breached: Breached::GoOn,
        jobs: NonZeroUsize::new(jobs).expect("some threads"),
        options: Options::PLAIN,
        seeds: SEEDS,
        stages: Stage::all(None, None),
        stretch: NonZeroU32::MIN,
    };
    let report = campaign.run(&AtomicBool::new(false), |_| ControlFlow::Continue(()));
    report.digest.to_string()
}

/// The first run of the campaign that another process makes otherwise.
fn first_run_that_differs() -> Option<String> {
    SEEDS.into_iter().find_map(|seed| {
        Stage::all(None, None).into_iter().find_map(|stage| {
            let one = one(seed, stage.backend, stage.tier);
            let difference = first_difference(&lines(&one.run().records), &one.elsewhere())?;
            Some(format!("{one:?}, here and elsewhere: {difference}"))
        })
    })
}

#[test]
fn a_campaign_has_the_same_digest_on_any_number_of_threads_and_in_another_process() {
    let here = campaign(1);
    assert_eq!(here, campaign(3), "one thread and three");
    let seeds = format!("{}..{}", SEEDS.start, SEEDS.end);
    let printed = program(&["campaign", "--seeds", &seeds, "--keep-going", "--no-shrink"]);
    if !printed.contains(&format!("digest {here}\n")) {
        let first = first_run_that_differs().unwrap_or_else(|| "no single run differs".to_owned());
        panic!("{here} here, and elsewhere\n{printed}{first}");
    }
}

/// What the exhaustive tier shows of a world: all its states, or a way to a planted mistake.
fn search(world: &Configuration, bug: Option<Bug>) -> (End, Option<Counterexample>, usize) {
    let limit = Duration::from_secs(300);
    let verdict = model::check(world, bug, 2, limit, &mut |_| ControlFlow::Continue(()));
    (verdict.end, verdict.counterexample, verdict.progress.states)
}

#[test]
fn the_exhaustive_tier_sees_the_same_states_and_the_same_way_to_a_mistake() {
    let world = Configuration::smallest();
    let (end, _, states) = search(&world, None);
    assert_eq!(end, End::Closed);
    assert_eq!(states, search(&world, None).2, "twice");
    let bug = Bug::parse(MISTAKE).expect("it has this name");
    let (_, found, states) = search(&world, Some(bug));
    let found = found.expect("it is found");
    let (_, again, states_again) = search(&world, Some(bug));
    assert_eq!((Some(&found), states), (again.as_ref(), states_again));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("determinism-model.jsonl");
    let path = file.to_str().expect("the folder of a build is UTF-8");
    program(&["model", world.name, "--bug", MISTAKE, "--trace", path]);
    let elsewhere = fs::read_to_string(&file).expect("the program has written it");
    let elsewhere: Vec<_> = elsewhere.lines().map(str::to_owned).collect();
    if let Some(difference) = first_difference(&lines(&found.records), &elsewhere) {
        panic!("here and elsewhere: {difference}");
    }
}

#[test]
fn the_first_difference_of_two_traces_is_shown_on_both_sides() {
    let trace = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(first_difference(&trace("a b c"), &trace("a b c")), None);
    for (other, says) in [
        ("a x c", "record 2 is the first that differs:\n  b\n  x"),
        (
            "a b",
            "record 3 is the first that differs:\n  c\n  no record",
        ),
    ] {
        let difference = first_difference(&trace("a b c"), &trace(other));
        assert_eq!(difference.as_deref(), Some(says));
    }
}
