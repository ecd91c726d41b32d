use proptest::prelude::*;

use super::*;

/// What one leadership goes through: how long it lasts, how it ends, and how long nobody leads after it.
#[derive(Clone, Debug)]
struct Reign {
    ends: Option<Stop>,
    lasts_ms: u64,
    vacancy_ms: u64,
}

fn reign() -> impl Strategy<Value = Reign> {
    let ends = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Stop::Drain)),
        1 => Just(Some(Stop::AtOnce))
    ];
    (ends, 0u64..40_000, 0u64..40_000).prop_map(|(ends, lasts_ms, vacancy_ms)| Reign {
        ends,
        lasts_ms,
        vacancy_ms,
    })
}

fn rule(world: &mut World, jobs: &Jobs, reigns: &[Reign]) {
    for reign in reigns {
        let mut led = world.lead(jobs);
        assert!(led.go(Duration::from_millis(reign.lasts_ms)).is_pending());
        if reign.ends.is_some() {
            world.set_stop(reign.ends);
            assert!(led.go(seconds(30)).is_ready());
            world.set_stop(None);
        }
        drop(led);
        world.pass(Duration::from_millis(reign.vacancy_ms));
    }
    assert!(world.lead(jobs).go(seconds(100)).is_pending());
}

fn fires_of(log: &Log) -> Vec<u64> {
    log.runs().iter().map(|run| run.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_fire_runs_twice_at_most_once(
        reigns in proptest::collection::vec(reign(), 0..8),
        takes in 0u64..15,
        write_ms in 0u64..3000,
        missed in prop_oneof![Just(Missed::Skip), Just(Missed::Last), Just(all(9))],
        overrun in prop_oneof![Just(Overrun::Skip), Just(Overrun::Cancel)],
    ) {
        let mut world = World::new();
        world.set_write_takes(Duration::from_millis(write_ms));
        let policy = Policy { missed, overrun, ..Policy::cautious() };
        let (job, log) = every_ten(&world, policy, takes);
        let jobs = world.jobs([job]);
        rule(&mut world, &jobs, &reigns);
        let fires = fires_of(&log);
        prop_assert!(fires.is_sorted_by(|a, b| a < b), "{:?}", log.runs());
    }

    #[test]
    fn no_fire_is_lost_at_least_once(
        reigns in proptest::collection::vec(reign(), 0..8),
        takes in 0u64..8,
        write_ms in 0u64..900,
    ) {
        let mut world = World::new();
        world.set_write_takes(Duration::from_millis(write_ms));
        let policy = Policy { fires: Fires::AtLeastOnce, missed: all(255), ..Policy::cautious() };
        let (job, log) = every_ten(&world, policy, takes);
        let jobs = world.jobs([job]);
        rule(&mut world, &jobs, &reigns);
        let done: Vec<u64> = log.runs().iter().filter(|run| run.2 == "done").map(|run| run.0).collect();
        let told = world.told();
        let skipped = |at: u64| told.iter().any(|event| matches!(
            event,
            CronEvent::Found { finding: Finding::OverrunSkipped(skipped), .. }
                if skipped.first <= World::at(at) && World::at(at) <= skipped.last
        ));
        let first = world.first_due(TEN);
        let last = done.last().copied().unwrap_or_default();
        for at in (first..last).step_by(10) {
            prop_assert!(done.contains(&at) || skipped(at), "{at} of {:?}", log.runs());
        }
        prop_assert!(done.is_sorted());
    }
}
