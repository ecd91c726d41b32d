//! From nothing to a leader of a lock that is free: client, session, election.

use std::time::Duration;

use tenure::zookeeper::EnsembleBuilder;
use tenure_testkit::{Cast, Curator};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::LocalSet;

use crate::bare::Bare;
use crate::contender::Contender;
use crate::harness::{self, Samples, Table, now, shown};
use crate::scene::{SESSION, connect_string, fresh_base};

const TIMES: usize = 30;
/// Curator's first starts load classes.
const WARM: usize = 10;
const TIMES_BARE_MOST: f64 = 1.3;

/// A start of ours, from nothing.
async fn started(builder: EnsembleBuilder) -> Duration {
    let (sender, mut leads) = unbounded_channel();
    let began = now();
    let contender = Contender::stand(builder, 0, sender).await;
    let led = leads.recv().await.expect("the lock is free");
    contender.close().await;
    led.at.saturating_sub(began)
}

/// Connect, create and list, and a start of ours that trusts the servers and one that does not, in turn. The first of each makes the parents.
async fn in_turn() -> [Samples; 3] {
    let (servers, base) = (connect_string(), fresh_base());
    let builder = || Contender::builder(&servers, &base);
    let path = format!("{base}/bare");
    Bare::open(&servers, &path).await.make().await;
    let mut samples = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..=TIMES {
        let began = now();
        let bare = Bare::open(&servers, &path).await;
        let node = bare.stand().await;
        bare.count().await;
        samples[0].push(now().saturating_sub(began));
        bare.delete(&node).await;
        bare.close().await;
        samples[1].push(started(builder().servers_trusted()).await);
        samples[2].push(started(builder()).await);
    }
    samples.map(|samples| Samples::new(samples[1..].to_vec()))
}

fn curator(recipe: &str) -> Samples {
    let path = format!("{}-{recipe}", fresh_base());
    let measured = Curator::start(&connect_string(), &path, recipe, WARM + TIMES)
        .with("session-timeout", SESSION.as_millis());
    let mut cast = Cast::new();
    cast.start(&measured.command());
    let took = |_| {
        let told = cast.wait_for(|told| told.event == "took");
        let micros = told.more.parse().expect("a number of microseconds");
        Duration::from_micros(micros)
    };
    let all: Vec<_> = (0..WARM + TIMES).map(took).collect();
    Samples::new(all[WARM..].to_vec())
}

pub(crate) fn run(table: &mut Table) {
    let runtime = harness::runtime();
    let [bare, trusting, ours] = LocalSet::new().block_on(&runtime, in_turn());
    let selector = curator("selector");
    let latch = curator("latch");
    for (what, samples) in [
        ("bare connect, create, list", &bare),
        ("start to leader, servers trusted", &trusting),
        ("start to leader", &ours),
        ("Curator's LeaderSelector", &selector),
        ("Curator's LeaderLatch", &latch),
    ] {
        println!("{}", samples.line(what));
    }
    let [bare, trusting, ours, selector, latch] =
        [&bare, &trusting, &ours, &selector, &latch].map(|samples| samples.percentile(50));
    let row = "start to leader, free lock, p50";
    for (what, p50) in [("", ours), (", servers trusted", trusting)] {
        let ratio = p50.as_secs_f64() / bare.as_secs_f64();
        let row = format!("{row}{what}, times bare");
        let target = ("≤ 1.3", ratio <= TIMES_BARE_MOST);
        table.row(&row, format!("{ratio:.2}"), Some(target));
    }
    table.row(row, shown(ours), None);
    table.row(&format!("{row}, bare"), shown(bare), None);
    table.row(&format!("{row}, LeaderSelector"), shown(selector), None);
    table.row(&format!("{row}, LeaderLatch"), shown(latch), None);
}
