//! A container dies on a healthy node: its kubelet reports it, and nobody waits for the lease to age.

use std::time::Duration;

use serde_json::json;
use tenure_testkit::{CAMEL_RULES, PodStatus, Rule, TestCluster, WATCH_RULES, pause, until};

use crate::candidate::Task;
use crate::harness::{Samples, Table, now, shown};
use crate::scene::{Scene, election};

/// So many elections are led by the container that dies.
const ELECTIONS: u32 = 5;
const WATCHED_DEATHS: usize = 6;
const POLLED_DEATHS: usize = 7;
const WATCHED_MOST: Duration = Duration::from_millis(200);

/// Now, as a kubelet writes it: RFC 3339 in whole seconds.
fn rfc3339() -> String {
    let output = std::process::Command::new("date")
        .args(["--utc", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .expect("date is there");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A pod that runs, and the candidate in it.
struct Pod {
    name: String,
    number: usize,
    status: PodStatus,
}

fn start(scene: &mut Scene<'_>, count: usize, spread: Duration) -> Pod {
    let name = format!("pod-{count}");
    scene
        .namespace
        .create_pod(&name, &json!({ "app": "bench" }));
    let status = PodStatus::of_this_machine(&format!("containerd://{count}"));
    scene.namespace.report_pod(&name, &status);
    let number = scene.ours(&Task {
        elections: ELECTIONS,
        proof: true,
        spread,
        ..Task::new(&name)
    });
    Pod {
        name,
        number,
        status,
    }
}

/// Waits until each record says which container its holder is in.
fn wait_until_named(scene: &Scene<'_>, pod: &Pod) {
    for number in 0..ELECTIONS {
        until("a record that names the container", || {
            let lease = scene.namespace.lease(&election(number))?;
            let container = lease.pointer("/metadata/annotations/tenure~1container")?;
            container
                .as_str()?
                .contains(&pod.status.container)
                .then_some(())
        });
    }
}

/// From each report of a death until the next leader of each election.
fn deaths(rules: &[Rule], times: usize) -> Samples {
    let mut scene = Scene::new(TestCluster::shared(), rules);
    let renew = tenure::Timing::standard().renew_interval();
    let mut leader = start(&mut scene, 0, renew);
    scene.wait_for_all(leader.number, "leads", ELECTIONS);
    let mut samples = Vec::new();
    for count in 1..=times {
        let follower = start(&mut scene, count, Duration::ZERO);
        scene.wait_for_all(follower.number, "knows", ELECTIONS);
        wait_until_named(&scene, &leader);
        // The renewals of its elections may be in step with each other: each death is in another phase of them.
        pause(renew / 7 * u32::try_from(count * 3 % 7).unwrap_or(0));
        scene.cast.kill(leader.number);
        leader.status.ended = Some((rfc3339(), None));
        let reported = now();
        scene.namespace.report_pod(&leader.name, &leader.status);
        let led = scene.wait_for_all(follower.number, "leads", ELECTIONS);
        samples.extend(led.into_iter().map(|at| at.saturating_sub(reported)));
        leader = follower;
    }
    Samples::new(samples)
}

pub(crate) fn run(table: &mut Table) {
    let timing = tenure::Timing::standard();
    let polled_most = timing.renew_interval() + timing.retry_interval();
    let (watched, polled) = std::thread::scope(|scope| {
        let watched = scope.spawn(|| deaths(WATCH_RULES, WATCHED_DEATHS));
        let polled = deaths(CAMEL_RULES, POLLED_DEATHS);
        (watched.join().expect("no candidate is lost"), polled)
    });
    for (what, samples, most) in [
        (
            "kubelet's report to next leader, with watch",
            watched,
            WATCHED_MOST,
        ),
        (
            "kubelet's report to next leader, by polling",
            polled,
            polled_most,
        ),
    ] {
        println!("{}", samples.line(what));
        let max = samples.percentile(100);
        let target = format!("≤ {}", shown(most));
        table.row(&format!("{what}, p50"), shown(samples.percentile(50)), None);
        table.row(
            &format!("{what}, max"),
            shown(max),
            Some((&target, max <= most)),
        );
    }
}
