use std::time::Duration;

use tenure_testkit::{CAMEL_RULES, Rule, TestCluster, WATCH_RULES};

use crate::bare::Bare;
use crate::crowd::{Crowd, Whose};
use crate::harness::{self, Samples, Table, now, shown};
use crate::scene::{Scene, election};

const TIMES: usize = 100;
/// client-go's candidates poll: several elections go on at once.
const BESIDE: [(usize, usize, usize); 2] = [(2, 8, 3), (10, 3, 5)];
/// So do ours without the right to watch.
const POLLED: [(usize, usize, usize); 2] = [(2, 6, 5), (10, 2, 5)];
const BARE_TIMES: u32 = 200;
const TIMES_BARE_MOST: u32 = 3;
const MOST: Duration = Duration::from_millis(20);
const FASTER_LEAST: f64 = 80.0;

/// Three round trips without an election: a write, a write until another client is told of it, and that client's write.
fn three_trips() -> Samples {
    let scene = Scene::new(TestCluster::shared(), WATCH_RULES);
    let config = scene.config();
    harness::runtime().block_on(async {
        let [one, other] = [(); 2].map(|()| Bare::open(&config, &election(0)));
        let mut version = one.create().await;
        let mut watch = other.watch(&version).await;
        let mut samples = Vec::new();
        for number in 0..BARE_TIMES {
            let began = now();
            version = one.put(&version, 2 * number + 1).await;
            let written = now();
            watch.next().await;
            let told = now();
            version = other.put(&version, 2 * number + 2).await;
            let first = written.saturating_sub(began);
            let ended = now();
            watch.next().await;
            // The write that was told of is the first one; it counts once as a write and once until it was told.
            samples.push(first + told.saturating_sub(began) + ended.saturating_sub(told));
        }
        Samples::new(samples)
    })
}

pub(crate) fn run(table: &mut Table) {
    let bare = three_trips();
    println!("{}", bare.line("three bare round trips"));
    let bare_p50 = bare.percentile(50);
    table.row("three bare round trips, p50", shown(bare_p50), None);
    for (size, elections, times) in BESIDE {
        let mut crowd = Crowd::gather(Whose::Ours, WATCH_RULES, size);
        let ours = Samples::new((0..TIMES).map(|_| crowd.hand_over()).collect());
        drop(crowd);
        println!("{}", ours.line(&format!("graceful handover, n = {size}")));
        let theirs = at_once(Whose::ClientGo, WATCH_RULES, size, (elections, times));
        println!("{}", theirs.line(&format!("client-go's, n = {size}")));
        let [p50, p99] = [50, 99].map(|percent| ours.percentile(percent));
        let limit = (bare_p50 * TIMES_BARE_MOST).min(MOST);
        let target = format!("≤ {}", shown(limit));
        let what = format!("graceful handover, n = {size}");
        table.row(
            &format!("{what}, p50"),
            shown(p50),
            Some((&target, p50 <= limit)),
        );
        table.row(&format!("{what}, p99"), shown(p99), None);
        let beside = theirs.percentile(50);
        table.row(&format!("{what}, client-go, p50"), shown(beside), None);
        table.row(
            &format!("{what}, client-go, p99"),
            shown(theirs.percentile(99)),
            None,
        );
        let faster = beside.as_secs_f64() / p50.as_secs_f64();
        let target = ("≥ 80", faster >= FASTER_LEAST);
        let target = (size == 2).then_some(target);
        table.row(
            &format!("{what}, times faster"),
            format!("{faster:.0}"),
            target,
        );
    }
    by_polling(table);
}

/// Hands over without the right to watch. A follower reads once in R at the latest, and from then on it is as with a watch.
fn by_polling(table: &mut Table) {
    let most = tenure::Timing::standard().renew_interval() + MOST;
    for (size, elections, times) in POLLED {
        let samples = at_once(Whose::Ours, CAMEL_RULES, size, (elections, times));
        let what = format!("graceful handover by polling, n = {size}");
        println!("{}", samples.line(&what));
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

/// In several elections at the same time, since all of them wait most of it.
fn at_once(
    whose: Whose,
    rules: &[Rule],
    size: usize,
    (elections, times): (usize, usize),
) -> Samples {
    let samples = std::thread::scope(|scope| {
        let one = || {
            let mut crowd = Crowd::gather(whose, rules, size);
            (0..times).map(|_| crowd.hand_over()).collect::<Vec<_>>()
        };
        let started: Vec<_> = (0..elections).map(|_| scope.spawn(one)).collect();
        let ended = started.into_iter().map(|thread| thread.join());
        ended
            .flat_map(|samples| samples.expect("no candidate is lost"))
            .collect()
    });
    Samples::new(samples)
}
