use super::run;
use crate::plan::{Backend, Plan};
use crate::trace::Keep;
use crate::{Options, Outcome};

/// How many runs of each kind of store the tests make.
const SEEDS: u64 = 50;

fn outcome(seed: u64, backend: Backend, keep: Keep) -> Outcome {
    let options = Options {
        keep,
        ..Options::PLAIN
    };
    run(&Plan::generate(seed, backend), &options)
}

fn no_breach(backend: Backend) {
    for seed in 0..SEEDS {
        let outcome = outcome(seed, backend, Keep::Nothing);
        if let Some(breach) = outcome.jury.breach() {
            panic!("{} seed {seed}: {breach}", backend.name());
        }
    }
}

#[test]
fn nothing_is_breached_over_leases() {
    no_breach(Backend::Lease);
}

#[test]
fn nothing_is_breached_over_sessions() {
    no_breach(Backend::Session);
}

#[test]
fn nothing_is_breached_over_files() {
    no_breach(Backend::File);
}

#[test]
fn the_same_plan_gives_the_same_trace() {
    for seed in 0..20 {
        for backend in Backend::EVERY {
            let one = outcome(seed, backend, Keep::All);
            let other = outcome(seed, backend, Keep::All);
            assert_eq!(one.records, other.records);
            assert_eq!(one.hash, other.hash);
        }
    }
}

#[test]
fn nothing_is_breached_over_kubernetes() {
    no_breach(Backend::Kubernetes);
}

#[test]
fn nothing_is_breached_over_zookeeper() {
    no_breach(Backend::Zookeeper);
}
