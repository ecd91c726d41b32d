//! From the moment when a leader's work is asked to end until the next leader's work runs.

use std::time::Duration;

use tenure_testkit::{Cast, Curator};
use tokio::sync::mpsc::unbounded_channel;

use crate::bare::{Bare, Leaver};
use crate::contender::Apart;
use crate::harness::{self, Samples, Table, now, shown};
use crate::scene::{SESSION, connect_string, election, fresh_base};

/// The number of contenders, and how often is measured.
const SIZES: [(usize, usize); 3] = [(2, 300), (10, 300), (50, 200)];
/// What is new to a virtual machine is not compiled yet: to the servers', and to Curator's.
const WARM: usize = 100;
/// So that whoever has stood again has its watch: as long as the measurement of Curator waits.
const PAUSE: Duration = Duration::from_millis(20);
const TIMES_BARE_MOST: f64 = 1.1;

async fn pause(duration: Duration) {
    use tenure::time::Clock as _;
    tenure::host::SystemClock::new().sleep(duration).await;
}

/// A bare delete until another client was told of it and has listed the queue, and a handover of ours, in turn. Each client has a thread of
/// its own, in both.
async fn in_turn(size: usize, times: usize) -> [Samples; 2] {
    let (servers, base) = (connect_string(), fresh_base());
    let bare_path = format!("{base}/bare");
    let mut one = Leaver::start(&servers, &bare_path);
    let other = Bare::open(&servers, &bare_path).await;
    other.make().await;
    // As long a queue as ours.
    for _ in 1..size {
        other.stand().await;
    }
    let queue = Bare::open(&servers, &format!("{base}/{}", election(0))).await;
    let (sender, mut leads) = unbounded_channel();
    let mut contenders = Vec::new();
    for number in 0..size {
        contenders.push(Apart::stand(&servers, &base, number, sender.clone()).await);
    }
    let mut leader = leads.recv().await.expect("somebody leads").by;
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..times {
        let node = one.stand().await;
        let watcher = other.watch(&node).await;
        while queue.count().await < size {
            pause(Duration::from_millis(2)).await;
        }
        pause(PAUSE).await;
        let began = now();
        one.leave();
        watcher.changed().await;
        other.count().await;
        samples[0].push(now().saturating_sub(began));
        pause(PAUSE).await;
        let began = now();
        contenders[leader].release();
        let led = leads.recv().await.expect("somebody leads");
        samples[1].push(led.at.saturating_sub(began));
        leader = led.by;
    }
    for contender in contenders {
        contender.close();
    }
    samples.map(Samples::new)
}

fn curator(recipe: &str, size: usize, times: usize) -> Samples {
    let path = format!("{}-{recipe}", fresh_base());
    let measured = Curator::handover(&connect_string(), &path, recipe, size, WARM + times)
        .with("session-timeout", SESSION.as_millis());
    let mut cast = Cast::new();
    cast.start(&measured.command());
    let took = |_| {
        let told = cast.wait_for(|told| told.event == "took");
        let micros = told.more.parse().expect("a number of microseconds");
        Duration::from_micros(micros)
    };
    let all: Vec<_> = (0..WARM + times).map(took).collect();
    Samples::new(all[WARM..].to_vec())
}

pub(crate) fn run(table: &mut Table) {
    harness::runtime().block_on(in_turn(SIZES[0].0, WARM));
    for (size, times) in SIZES {
        let runtime = harness::runtime();
        let [bare, ours] = runtime.block_on(in_turn(size, times));
        let selector = curator("selector", size, times);
        let latch = curator("latch", size, times);
        for (what, samples) in [
            ("bare delete, event, list", &bare),
            ("graceful handover", &ours),
            ("Curator's LeaderSelector", &selector),
            ("Curator's LeaderLatch", &latch),
        ] {
            println!("{}", samples.line(&format!("{what}, n = {size}")));
        }
        let what = format!("graceful handover, n = {size}");
        for percent in [50, 99] {
            let [bare, ours, selector, latch] =
                [&bare, &ours, &selector, &latch].map(|samples| samples.percentile(percent));
            let ratio = ours.as_secs_f64() / bare.as_secs_f64();
            let target = ("≤ 1.1", ratio <= TIMES_BARE_MOST);
            let target = (percent == 50).then_some(target);
            let row = format!("{what}, p{percent}");
            table.row(&format!("{row}, times bare"), format!("{ratio:.2}"), target);
            let limit = selector.min(latch);
            let target = format!("≤ {}", shown(limit));
            let target = (percent == 50).then_some((target.as_str(), ours <= limit));
            table.row(&row, shown(ours), target);
            table.row(&format!("{row}, bare"), shown(bare), None);
            table.row(&format!("{row}, LeaderSelector"), shown(selector), None);
            table.row(&format!("{row}, LeaderLatch"), shown(latch), None);
        }
    }
}
