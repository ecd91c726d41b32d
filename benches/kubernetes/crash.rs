//! A leader is killed, and its lease has to age.

use std::time::Duration;

use tenure_testkit::{CAMEL_RULES, Rule, TestCluster, WATCH_RULES, pause};

use crate::candidate::Task;
use crate::crowd::Whose;
use crate::harness::{Samples, Table, shown};
use crate::scene::Scene;

/// So many elections are led by the process that is killed, each in another phase of its renewals.
const ELECTIONS: u32 = 40;
const KILLS: usize = 2;
const SLACK: Duration = Duration::from_millis(200);

/// From each kill until the next leader of each election.
fn crashes(whose: Whose, rules: &[Rule]) -> Samples {
    let mut scene = Scene::new(TestCluster::shared(), rules);
    let spread = tenure::Timing::standard().renew_interval();
    let start = |scene: &mut Scene<'_>, count: usize| {
        let identity = format!("c{count}");
        match whose {
            Whose::Ours => scene.ours(&Task {
                elections: ELECTIONS,
                spread,
                ..Task::new(&identity)
            }),
            Whose::ClientGo => scene.theirs(&identity, ELECTIONS, spread),
        }
    };
    let mut leader = start(&mut scene, 0);
    scene.wait_for_all(leader, "leads", ELECTIONS);
    let mut samples = Vec::new();
    for count in 1..=KILLS {
        let follower = start(&mut scene, count);
        scene.wait_for_all(follower, "knows", ELECTIONS);
        // What was started last has just begun: the kill is in step with nothing.
        pause(spread / 7 * u32::try_from(count * 3 % 7).unwrap_or(0));
        let killed = scene.cast.kill(leader);
        let led = scene.wait_for_all(follower, "leads", ELECTIONS);
        samples.extend(led.into_iter().map(|at| at.saturating_sub(killed)));
        leader = follower;
    }
    Samples::new(samples)
}

pub(crate) fn run(table: &mut Table) {
    let [watched, polled, theirs] = std::thread::scope(|scope| {
        [
            (Whose::Ours, WATCH_RULES),
            (Whose::Ours, CAMEL_RULES),
            (Whose::ClientGo, WATCH_RULES),
        ]
        .map(|(whose, rules)| scope.spawn(move || crashes(whose, rules)))
        .map(|thread| thread.join().expect("no candidate is lost"))
    });
    let timing = tenure::Timing::standard();
    let (lease, renew) = (timing.lease_duration(), timing.renew_interval());
    let (max, mean) = (lease + SLACK, lease.saturating_sub(renew / 2) + SLACK);
    let polls = renew * 2;
    for (what, samples, most) in [
        (
            "crash to next leader, with watch",
            watched,
            Some((max, mean)),
        ),
        (
            "crash to next leader, by polling",
            polled,
            Some((max + polls, mean + polls)),
        ),
        ("crash to next leader, client-go", theirs, None),
    ] {
        println!("{}", samples.line(what));
        let (max, mean) = (samples.percentile(100), samples.mean());
        for (which, value, most) in [
            ("mean", mean, most.map(|(_, mean)| mean)),
            ("max", max, most.map(|(max, _)| max)),
        ] {
            let target = most.map(|most| (format!("≤ {}", shown(most)), value <= most));
            let target = target
                .as_ref()
                .map(|(text, reached)| (text.as_str(), *reached));
            table.row(&format!("{what}, {which}"), shown(value), target);
        }
    }
}
