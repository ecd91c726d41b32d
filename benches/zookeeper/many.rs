//! What elections cost while nothing happens: one, and a thousand in one process, all led by it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenure_testkit::{Cast, Curator, pause};

use crate::candidate::Task;
use crate::harness::{Table, now};
use crate::scene::{SESSION, connect_string, fresh_base, servers};

const ELECTIONS: u32 = 1_000;
/// Four heartbeats.
const WATCHED: Duration = Duration::from_secs(20);
const KIB_MOST: f64 = 8.0;
/// So many seconds may pass until all has begun.
const SETTLES_WITHIN: usize = 120;
/// So many requests in a second of all processes together are signs of life.
const SETTLED: u64 = 20;
/// A heartbeat every third of a session's timeout, and between two of them the client pings twice: after 3/20 of the timeout without a
/// request, which it has no setting for. The window may begin just before one.
const REQUESTS_MOST: f64 = 0.7;

/// One process, and its sessions.
struct Peer {
    process: usize,
    sessions: BTreeSet<i64>,
}

/// What each session has sent, as the servers count it.
fn received() -> BTreeMap<i64, u64> {
    let connections = servers().servers().flat_map(|server| server.connections());
    connections
        .map(|connection| (connection.session, connection.received))
        .collect()
}

fn requests(peer: &Peer, counts: &BTreeMap<i64, u64>) -> u64 {
    let of_peer = |session| counts.get(session).copied();
    peer.sessions.iter().filter_map(of_peer).sum()
}

/// Waits until what is done to begin is over.
fn settle(peers: [&Peer; 4]) {
    let asked = || -> u64 {
        let counts = received();
        peers.iter().map(|peer| requests(peer, &counts)).sum()
    };
    for _ in 0..SETTLES_WITHIN {
        let before = asked();
        pause(Duration::from_secs(1));
        if asked() - before < SETTLED {
            return;
        }
    }
    panic!("the elections go on asking for more than signs of life");
}

/// What a process has in memory, and its threads.
#[derive(Clone, Copy)]
struct Load {
    kib: f64,
    threads: usize,
}

fn load(id: u32) -> Load {
    let statm = std::fs::read_to_string(format!("/proc/{id}/statm")).expect("the process lives");
    let pages: Option<f64> = statm.split(' ').nth(1).and_then(|text| text.parse().ok());
    Load {
        kib: pages.expect("procfs tells numbers") * rustix::param::page_size() as f64 / 1024.0,
        threads: std::fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count),
    }
}

/// Starts a process, waits until it leads, and finds its sessions.
fn started(start: impl FnOnce() -> usize) -> Peer {
    let before = received();
    let process = start();
    let after = received();
    let sessions = after.into_keys().filter(|id| !before.contains_key(id));
    Peer {
        process,
        sessions: sessions.collect(),
    }
}

fn ours(cast: &mut Cast, count: u32) -> Peer {
    let task = Task {
        base: fresh_base(),
        first: 0,
        count,
        identity: "many".to_owned(),
        servers: connect_string(),
        session: SESSION,
    };
    started(|| {
        let process = cast.start(&task.command());
        for _ in 0..count {
            cast.wait_for(|told| told.by == process && told.event == "leads");
        }
        process
    })
}

/// With the threads and bytes of heap that it tells, without any election and with all.
fn curator(cast: &mut Cast, count: u32) -> (Peer, [(f64, f64); 2]) {
    let elections = usize::try_from(count).unwrap_or(0);
    let path = format!("{}/job", fresh_base());
    let many = Curator::many(&connect_string(), &path, elections)
        .with("session-timeout", SESSION.as_millis());
    let mut held = [(0.0, 0.0); 2];
    let peer = started(|| {
        let process = cast.start(&many.command());
        for held in &mut held {
            let told = cast.wait_for(|told| told.by == process && told.event == "holds");
            let mut numbers = told.more.split(' ').map(|text| text.parse().unwrap_or(0.0));
            let mut number = || numbers.next().unwrap_or(0.0);
            *held = (number(), number());
        }
        process
    });
    (peer, held)
}

pub(crate) fn run(table: &mut Table) {
    let mut cast = Cast::new();
    let one = ours(&mut cast, 1);
    let all = ours(&mut cast, ELECTIONS);
    let (curator_one, _) = curator(&mut cast, 1);
    let (curator_all, [none_held, all_held]) = curator(&mut cast, ELECTIONS);
    settle([&one, &all, &curator_one, &curator_all]);
    let (began, before) = (now(), received());
    pause(WATCHED);
    let (ended, after) = (now(), received());
    let seconds = ended.saturating_sub(began).as_secs_f64();
    let rate = |peer: &Peer| {
        let count = requests(peer, &after) - requests(peer, &before);
        f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds
    };
    for (what, peer, is_ours) in [
        ("one election", &one, true),
        ("1000 elections in one process", &all, true),
        ("one LeaderSelector", &curator_one, false),
        ("1000 LeaderSelectors in one JVM", &curator_all, false),
    ] {
        let rate = rate(peer);
        println!("{what:44} {rate:.2} requests a second");
        let target = is_ours.then_some(("≤ 0.7", rate <= REQUESTS_MOST));
        let row = format!("requests a second, {what}");
        table.row(&row, format!("{rate:.2}"), target);
    }
    let [one, all, theirs_one, theirs] =
        [&one, &all, &curator_one, &curator_all].map(|peer| load(cast.id(peer.process)));
    let each = |more: f64| more / f64::from(ELECTIONS);
    let kib = each(all.kib - one.kib);
    let target = Some(("≤ 8 KiB", kib <= KIB_MOST));
    table.row(
        "1000 elections, memory beyond one, each",
        format!("{kib:.1} KiB"),
        target,
    );
    let target = format!("= {}", one.threads);
    let target = Some((target.as_str(), all.threads == one.threads));
    table.row("1000 elections, threads", all.threads.to_string(), target);
    let kib = each(theirs.kib - theirs_one.kib);
    table.row(
        "1000 LeaderSelectors, memory beyond one, each",
        format!("{kib:.1} KiB"),
        None,
    );
    let heap = each(all_held.1 - none_held.1) / 1024.0;
    table.row(
        "1000 LeaderSelectors, heap, each",
        format!("{heap:.1} KiB"),
        None,
    );
    table.row(
        "1000 LeaderSelectors, threads",
        theirs.threads.to_string(),
        None,
    );
}
