use std::time::Duration;

use rustix::process::Signal;
use tenure_testkit::{TestCluster, WATCH_RULES};

use crate::bare::Bare;
use crate::candidate::Task;
use crate::harness::{self, Samples, Table, now, shown};
use crate::scene::{Scene, election};

const TIMES: u32 = 30;
const TIMES_BARE_MOST: u32 = 3;

/// From the start of a process, and from its first instruction, until the work runs; the Lease was given back.
fn ours() -> [Samples; 2] {
    let mut scene = Scene::new(TestCluster::shared(), WATCH_RULES);
    let mut samples = [Vec::new(), Vec::new()];
    for number in 0..=TIMES {
        let began = now();
        let candidate = scene.ours(&Task::new(&format!("c{number}")));
        let inside = scene.cast.wait_for(|told| told.event == "begins");
        let led = scene.cast.wait_for(|told| told.event == "leads");
        // The very first one waits out whoever may have led before.
        if number > 0 {
            samples[0].push(led.at.saturating_sub(began));
            samples[1].push(led.at.saturating_sub(inside.at));
        }
        scene.cast.say(candidate, "quit");
        scene.cast.wait_for(|told| told.event == "stops");
        scene.cast.wait_for_end(candidate);
    }
    samples.map(Samples::new)
}

fn client_go() -> Samples {
    let mut scene = Scene::new(TestCluster::shared(), WATCH_RULES);
    let mut samples = Vec::new();
    for number in 0..=TIMES {
        let began = now();
        let candidate = scene
            .client_go(&format!("c{number}"))
            .with("release-on-cancel", true);
        let candidate = scene.cast.start(&candidate.command());
        let led = scene.cast.wait_for(|told| told.event == "leads");
        if number > 0 {
            samples.push(led.at.saturating_sub(began));
        }
        scene.cast.signal(candidate, Signal::TERM);
        scene.cast.wait_for_end(candidate);
    }
    Samples::new(samples)
}

/// A read and a write, on a connection that is there, and with a client that is made for them.
fn two_trips() -> [Samples; 2] {
    let scene = Scene::new(TestCluster::shared(), WATCH_RULES);
    let config = scene.config();
    harness::runtime().block_on(async {
        let warm = Bare::open(&config, &election(0));
        warm.create().await;
        let mut samples = [Vec::new(), Vec::new()];
        for number in 0..TIMES {
            let began = now();
            let version = warm.get().await;
            warm.put(&version, 2 * number).await;
            samples[0].push(now().saturating_sub(began));
            let began = now();
            let fresh = Bare::open(&config, &election(0));
            let version = fresh.get().await;
            fresh.put(&version, 2 * number + 1).await;
            samples[1].push(now().saturating_sub(began));
        }
        samples.map(Samples::new)
    })
}

pub(crate) fn run(table: &mut Table) {
    let [warm, fresh] = two_trips();
    let [from_process, inside] = ours();
    let theirs = client_go();
    for (what, samples) in [
        ("two bare round trips", &warm),
        ("two bare round trips by a new client", &fresh),
        ("first instruction to leader, released", &inside),
        ("process start to leader, released", &from_process),
        ("client-go's process start to leader", &theirs),
    ] {
        println!("{}", samples.line(what));
    }
    let p50 = |samples: &Samples| -> Duration { samples.percentile(50) };
    table.row("two bare round trips, p50", shown(p50(&warm)), None);
    let bare = p50(&fresh);
    table.row(
        "two bare round trips by a new client, p50",
        shown(bare),
        None,
    );
    let limit = bare * TIMES_BARE_MOST;
    let target = format!("≤ {}", shown(limit));
    let reached = p50(&inside) <= limit;
    table.row(
        "start to leader, released, p50",
        shown(p50(&inside)),
        Some((&target, reached)),
    );
    let target = format!("≤ {}", shown(p50(&theirs)));
    let reached = p50(&from_process) <= p50(&theirs);
    table.row(
        "the same from process start, p50",
        shown(p50(&from_process)),
        Some((&target, reached)),
    );
    table.row(
        "client-go from process start, p50",
        shown(p50(&theirs)),
        None,
    );
}
