//! The same plans give the same trace on all tiers: twice in one process, and in another one.

use std::env;
use std::io::{self, Write};
use std::ops::Range;
use std::process::Command;

use tenure_sim::plan::{Backend, Plan};
use tenure_sim::trace::TraceHash;
use tenure_sim::{Options, electors, machines};

const SEEDS: Range<u64> = 0..12;
/// How the other process says what it has found.
const PREFIX: &str = "digest ";
/// The test that another process is to run.
const IN_ANOTHER_PROCESS: &str = "prints_its_digest";

fn digest() -> String {
    let mut digest = TraceHash::EMPTY;
    for seed in SEEDS {
        for backend in Backend::ALL {
            let plan = Plan::generate(seed, backend);
            digest.mix(electors::run(&plan, &Options::PLAIN).hash.value());
            digest.mix(machines::run(&plan, &Options::PLAIN).hash.value());
        }
    }
    digest.to_string()
}

#[test]
fn prints_its_digest() {
    writeln!(io::stdout(), "\n{PREFIX}{}", digest()).expect("somebody reads");
}

fn digest_of_another_process() -> String {
    let this = env::current_exe().expect("a test knows its program");
    let output = Command::new(this)
        .args(["--exact", IN_ANOTHER_PROCESS, "--nocapture"])
        .output()
        .expect("this program runs once more");
    let printed = String::from_utf8_lossy(&output.stdout);
    let digest = printed.lines().find_map(|line| line.strip_prefix(PREFIX));
    digest.map_or_else(|| printed.to_string(), str::to_owned)
}

#[test]
fn the_same_plans_give_the_same_trace_everywhere() {
    let here = digest();
    assert_eq!(here, digest(), "twice here");
    assert_eq!(here, digest_of_another_process(), "elsewhere");
}
