use std::ops::Range;
use std::thread;

use super::{Run, Sabotage, Stats, StoreKind};

const STORES: [StoreKind; 3] = [StoreKind::Leased, StoreKind::Process, StoreKind::Session];
/// How many runs of each kind of store the smoke test makes.
const SEEDS: u64 = 500;
/// How many are tried until a planted mistake must have been caught.
const SEEDS_TO_CATCH: u64 = 400;

/// Makes the runs of these seeds, and says what they have seen.
fn runs(seeds: Range<u64>) -> Stats {
    let mut stats = Stats::default();
    for (seed, store) in seeds.flat_map(|seed| STORES.map(|store| (seed, store))) {
        let run = Run::of(seed, store);
        let outcome = run.run();
        if let Some((at, violation)) = outcome.violation {
            let lines = run.keeping(60).run().lines.join("\n");
            panic!("{store:?} seed {seed} at {at}: {violation}\n{lines}");
        }
        stats += outcome.stats;
    }
    stats
}

#[test]
fn nobody_leads_beside_another_and_somebody_leads_in_the_end() {
    let half = thread::spawn(|| runs(0..SEEDS / 2));
    let mut stats = runs(SEEDS / 2..SEEDS);
    stats += half.join().unwrap();
    assert_eq!(stats.missing(), [""; 0], "{stats:?}");
}

/// The first seed at which the oracle sees the planted mistake.
fn caught_at(sabotage: Sabotage) -> Option<(u64, StoreKind)> {
    let tries = (0..SEEDS_TO_CATCH).flat_map(|seed| STORES.map(|store| (seed, store)));
    tries.into_iter().find(|(seed, store)| {
        let outcome = Run::of(*seed, *store).with(sabotage).run();
        outcome.violation.is_some()
    })
}

#[test]
fn every_planted_mistake_is_caught() {
    for sabotage in Sabotage::ALL {
        let caught = caught_at(sabotage);
        assert!(caught.is_some(), "{} was not caught", sabotage.name());
    }
}

#[test]
fn the_name_of_a_mistake_finds_it() {
    for sabotage in Sabotage::ALL {
        assert_eq!(Sabotage::named(sabotage.name()), Some(sabotage));
    }
}
