//! A leader is killed, and its session has to end.

use std::collections::BTreeMap;
use std::time::Duration;

use tenure_testkit::{Cast, Curator, Told, pause, until};

use crate::candidate::Task;
use crate::harness::{Samples, Table, shown};
use crate::scene::{TICK, connect_string, election, fresh_base, servers};

const TIMEOUTS: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(10)];
/// So many leaders are killed at different moments of the servers' ticks, each one that of its own election.
const OURS: u32 = 8;
const THEIRS: u32 = 4;
const SLACK: Duration = Duration::from_millis(20);

/// Which election the candidate told of.
fn election_of(told: &Told) -> String {
    let name = told.more.split(' ').next().unwrap_or_default();
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

fn wait_for_all(cast: &Cast, event: &str, count: u32) -> BTreeMap<String, Duration> {
    let mut seen = BTreeMap::new();
    while seen.len() < usize::try_from(count).unwrap_or(0) {
        let told = cast.wait_for(|told| told.event == event);
        seen.insert(election_of(&told), told.at);
    }
    seen
}

/// Waits until two stand in each election.
fn wait_for_queues(base: &str, count: u32) {
    let operator = servers().operator();
    for number in 0..count {
        until("a queue of two", || {
            let queue = operator.children(&format!("{base}/{}", election(number)));
            (queue.unwrap_or_default().len() == 2).then_some(())
        });
    }
}

/// From each kill until the next leader of its election. `start` starts the leader and the follower of each, in this order.
fn crashes(
    count: u32,
    base: &str,
    mut start: impl FnMut(&mut Cast, u32, &str) -> usize,
) -> Samples {
    let mut cast = Cast::new();
    let leaders: Vec<_> = (0..count)
        .map(|number| start(&mut cast, number, "leader"))
        .collect();
    wait_for_all(&cast, "leads", count);
    for number in 0..count {
        start(&mut cast, number, "follower");
    }
    wait_for_queues(base, count);
    // Signs of life are sent as often as they will be.
    pause(TICK);
    let mut killed = BTreeMap::new();
    for (number, leader) in (0..count).zip(leaders) {
        killed.insert(election(number), cast.kill(leader));
        // The phase of the next is another one.
        pause(TICK * 3 / (2 * count));
    }
    let led = wait_for_all(&cast, "leads", count);
    let took = |(name, at): (&String, &Duration)| at.saturating_sub(killed[name]);
    Samples::new(led.iter().map(took).collect())
}

fn ours(session: Duration) -> Samples {
    let (base, servers) = (fresh_base(), connect_string());
    crashes(OURS, &base, |cast, number, identity| {
        let task = Task {
            base: base.clone(),
            first: number,
            count: 1,
            identity: identity.to_owned(),
            servers: servers.clone(),
            session,
        };
        cast.start(&task.command())
    })
}

fn curator(session: Duration) -> Samples {
    let (base, servers) = (fresh_base(), connect_string());
    crashes(THEIRS, &base, |cast, number, identity| {
        let path = format!("{base}/{}", election(number));
        let candidate = Curator::selector(&servers, &path, identity)
            .memory_mb(64)
            .with("session-timeout", session.as_millis());
        cast.start(&candidate.command())
    })
}

pub(crate) fn run(table: &mut Table) {
    for session in TIMEOUTS {
        let limit = session + TICK * 3 / 2 + SLACK;
        let seconds = session.as_secs();
        for (what, samples, is_ours) in [
            ("crash to next leader", ours(session), true),
            ("Curator's crash to next leader", curator(session), false),
        ] {
            let what = format!("{what}, T = {seconds} s");
            println!("{}", samples.line(&what));
            let max = samples.percentile(100);
            let target = format!("≤ {:.2} s", limit.as_secs_f64());
            let target = is_ours.then_some((target.as_str(), max <= limit));
            table.row(&format!("{what}, p50"), shown(samples.percentile(50)), None);
            table.row(&format!("{what}, max"), shown(max), target);
        }
    }
}
