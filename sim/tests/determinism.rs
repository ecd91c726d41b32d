//! The same seeds give the same trace: twice in one process, and in another one.

use std::process::Command;

use tenure_sim::smoke::{Run, StoreKind};
use tenure_sim::trace::TraceHash;

const SEEDS: std::ops::Range<u64> = 0..40;

fn digest(stores: &[StoreKind]) -> String {
    let mut digest = TraceHash::EMPTY;
    for seed in SEEDS {
        for store in stores {
            digest.write_u64(Run::of(seed, *store).run().hash.value());
        }
    }
    digest.to_string()
}

fn digest_of_another_process(backend: &str) -> String {
    let seeds = format!("{}..{}", SEEDS.start, SEEDS.end);
    let output = Command::new(env!("CARGO_BIN_EXE_tenure-sim"))
        .args(["smoke", "--seeds", &seeds, "--backend", backend])
        .output()
        .expect("the program was built with this test");
    let printed = String::from_utf8_lossy(&output.stdout);
    let digest = printed
        .lines()
        .find_map(|line| line.strip_prefix("digest "));
    digest.map_or_else(|| printed.to_string(), str::to_owned)
}

#[test]
fn the_same_seeds_give_the_same_trace_everywhere() {
    for (backend, stores) in [
        ("leased", &[StoreKind::Leased][..]),
        ("session", &[StoreKind::Process, StoreKind::Session][..]),
    ] {
        let here = digest(stores);
        assert_eq!(here, digest(stores), "{backend}, twice here");
        assert_eq!(
            here,
            digest_of_another_process(backend),
            "{backend}, elsewhere"
        );
    }
}
