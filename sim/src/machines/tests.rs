use super::run;
use crate::plan::{Backend, Plan};
use crate::run::Options;
use crate::trace::{Keep, What};

#[test]
fn the_same_plan_gives_the_same_trace() {
    for backend in Backend::ALL {
        for seed in 0..20 {
            let plan = Plan::generate(seed, backend);
            let first = run(&plan, &Options::PLAIN);
            let keeping = Options {
                keep: Keep::All,
                ..Options::PLAIN
            };
            let second = run(&plan, &keeping);
            assert_eq!((first.hash, first.events), (second.hash, second.events));
            assert!(!second.records.is_empty());
        }
    }
}

#[test]
fn nobody_leads_beside_another_and_somebody_leads_in_the_end() {
    for backend in Backend::ALL {
        let mut led = 0;
        for seed in 0..100 {
            let plan = Plan::generate(seed, backend);
            let outcome = run(
                &plan,
                &Options {
                    keep: Keep::All,
                    ..Options::PLAIN
                },
            );
            if let Some(breach) = outcome.jury.breach() {
                panic!("{} seed {seed}: {breach}", backend.name());
            }
            let panicked = outcome
                .records
                .iter()
                .any(|record| record.what == What::Panicked);
            assert!(!panicked, "{} seed {seed}", backend.name());
            let quiet = plan.quiet_from.from_start();
            led += usize::from(
                outcome
                    .records
                    .iter()
                    .any(|record| record.at > quiet && matches!(record.what, What::Leads { .. })),
            );
        }
        assert_eq!(led, 100, "{}", backend.name());
    }
}
