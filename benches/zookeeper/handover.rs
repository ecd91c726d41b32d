//! From the moment when a leader's work is asked to end until the next leader's work runs.

use std::time::Duration;

use tenure_testkit::{Cast, Curator};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::bare::{Bare, Queuer};
use crate::contender::{Apart, Led};
use crate::harness::{self, Samples, Table, now, pause, shown};
use crate::scene::{SESSION, connect_string, election, fresh_base};

/// The number of contenders, and how often is measured.
const SIZES: [(usize, usize); 3] = [(2, 300), (10, 300), (50, 200)];
/// What is new to a virtual machine is not compiled yet: to the servers', and to Curator's.
const WARM: usize = 100;
/// So that whoever has stood again has its watch: as long as the measurement of Curator waits.
const PAUSE: Duration = Duration::from_millis(20);
const TIMES_BARE_MOST: f64 = 1.1;

/// Contenders of one queue, each with a thread of its own.
struct Crowd<C> {
    contenders: Vec<C>,
    leader: usize,
    leads: UnboundedReceiver<Led>,
    queue: Bare,
}

impl<C> Crowd<C> {
    /// Waits until somebody leads.
    async fn begin(contenders: Vec<C>, mut leads: UnboundedReceiver<Led>, queue: Bare) -> Self {
        let leader = leads.recv().await.expect("somebody leads").by;
        Self {
            contenders,
            leader,
            leads,
            queue,
        }
    }

    /// Has the leader give way once all others wait, and says how long it took until the next one led.
    async fn hand_over(&mut self, release: fn(&C)) -> Duration {
        while self.queue.count().await < self.contenders.len() {
            pause(Duration::from_millis(2)).await;
        }
        pause(PAUSE).await;
        let began = now();
        release(&self.contenders[self.leader]);
        let led = self.leads.recv().await.expect("somebody leads");
        self.leader = led.by;
        led.at.saturating_sub(began)
    }
}

/// A handover among bare clients, which stand in a queue, watch and list it and do nothing else, and one of ours, in turn.
async fn in_turn(size: usize, times: usize) -> [Samples; 2] {
    let (servers, base) = (connect_string(), fresh_base());
    let bare_path = format!("{base}/bare");
    let (sender, leads) = unbounded_channel();
    let mut queuers = Vec::new();
    for number in 0..size {
        queuers.push(Queuer::stand(&servers, &bare_path, number, sender.clone()).await);
    }
    let queue = Bare::open(&servers, &bare_path).await;
    let mut bare = Crowd::begin(queuers, leads, queue).await;
    let (sender, leads) = unbounded_channel();
    let mut contenders = Vec::new();
    for number in 0..size {
        contenders.push(Apart::stand(&servers, &base, number, sender.clone()).await);
    }
    let queue = Bare::open(&servers, &format!("{base}/{}", election(0))).await;
    let mut ours = Crowd::begin(contenders, leads, queue).await;
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..times {
        samples[0].push(bare.hand_over(Queuer::release).await);
        samples[1].push(ours.hand_over(Apart::release).await);
    }
    // Each ends when those before it have.
    let ending: Vec<_> = bare.contenders.into_iter().map(Queuer::close).collect();
    for thread in ending {
        thread.join().expect("a bare client does not panic");
    }
    ours.contenders.into_iter().for_each(Apart::close);
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
