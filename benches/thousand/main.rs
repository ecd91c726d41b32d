//! A thousand elections in one process, led and waiting: what they cost.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

#[path = "../harness/mod.rs"]
mod harness;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harness::Table;
use tenure::file::FileRoot;
use tenure::{ElectionName, Event};
use tenure_core::elector::{Backoff, Told};
use tokio::task::LocalSet;

const ELECTIONS: usize = 1000;
/// For how long the process is watched: several renew intervals.
const WATCHED: Duration = Duration::from_secs(20);
/// In the leading process this names the directory of the locks.
const DIRECTORY: &str = "TENURE_BENCH_DIRECTORY";
const SHARE_MOST: f64 = 5.0;
const KIB_MOST: f64 = 8.0;

/// What the elections of one process cost.
#[derive(Clone, Copy, Debug)]
struct Load {
    kib_each: f64,
    share_percent: f64,
    threads: usize,
}

fn main() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        let load = take_part(Path::new(&directory));
        println!("{} {} {}", load.kib_each, load.share_percent, load.threads);
        std::io::stdout().flush().expect("the parent reads");
        // Leads on until the parent has measured its own share.
        drop(std::io::stdin().lines().next());
        return;
    }
    let mut table = Table::default();
    if harness::wanted("thousand_elections") {
        thousand(&mut table);
    }
    table.print();
}

fn thousand(table: &mut Table) {
    println!(
        "\nthousand_elections: {ELECTIONS} elections in one process, R = 5 s, watched for {WATCHED:?}"
    );
    let directory = harness::directory();
    let mut leader = Command::new(std::env::current_exe().expect("a running program has a file"))
        .env(DIRECTORY, directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let mut answer = BufReader::new(leader.stdout.take().expect("it was piped"));
    let mut line = String::new();
    answer.read_line(&mut line).expect("the leader answers");
    report(table, "led", parse(&line));
    report(table, "waiting", take_part(directory.path()));
    drop(leader.stdin.take());
    leader.wait().expect("a child can be waited for");
}

fn parse(line: &str) -> Load {
    let mut words = line.split_whitespace();
    let mut next = || {
        words
            .next()
            .unwrap_or_else(|| panic!("the leader said {line:?}"))
    };
    let (kib, share, threads) = (next(), next(), next());
    Load {
        kib_each: kib.parse().expect("a number"),
        share_percent: share.parse().expect("a number"),
        threads: threads.parse().expect("a number"),
    }
}

fn report(table: &mut Table, what: &str, load: Load) {
    let Load {
        kib_each,
        share_percent,
        threads,
    } = load;
    println!("{what:10} {share_percent:.2} % of a core, {kib_each:.1} KiB each, {threads} threads");
    let (share, kib) = (share_percent < SHARE_MOST, kib_each <= KIB_MOST);
    table.row(
        &format!("1000 elections {what}: share of a core"),
        format!("{share_percent:.2} %"),
        Some(("< 5 %", share)),
    );
    table.row(
        &format!("1000 elections {what}: memory each"),
        format!("{kib_each:.1} KiB"),
        Some(("≤ 8 KiB", kib)),
    );
    table.row(
        &format!("1000 elections {what}: threads"),
        threads.to_string(),
        None,
    );
}

/// Takes part in all elections, and measures once each of them has a leader that this process knows.
fn take_part(directory: &Path) -> Load {
    let runtime = harness::runtime();
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        let root = FileRoot::open(directory).expect("the directory is there");
        let known = Arc::new(AtomicUsize::new(0));
        let before = resident_kib();
        for number in 0..ELECTIONS {
            tokio::task::spawn_local(one(root.clone(), number, Arc::clone(&known)));
        }
        while known.load(Ordering::Relaxed) < ELECTIONS {
            pause(Duration::from_millis(100)).await;
        }
        pause(Duration::from_secs(2)).await;
        let (busy, started) = (harness::busy(), harness::now());
        pause(WATCHED).await;
        let busy = harness::busy().saturating_sub(busy);
        let passed = harness::now().saturating_sub(started);
        let share = busy.as_secs_f64() / passed.as_secs_f64();
        let kib = resident_kib().saturating_sub(before);
        Load {
            kib_each: kib as f64 / ELECTIONS as f64,
            share_percent: share * 100.0,
            threads: std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count),
        }
    })
}

async fn pause(duration: Duration) {
    use tenure::time::Clock as _;

    tenure::host::SystemClock::new().sleep(duration).await;
}

/// One election. Counts once it knows of a leader.
async fn one(root: FileRoot, number: usize, known: Arc<AtomicUsize>) {
    let name = ElectionName::new(&format!("job-{number}")).expect("a plain word is a name");
    let lock = root.lock(name).expect("a plain name");
    let builder = tenure::election(lock).expect("the machine has what an election needs");
    let mut election = builder.build().expect("the standard timing");
    let mut events = election.control().events();
    let counted = async {
        while let Some(told) = events.next().await {
            if let Told::Event(Event::LeaderChanged { leader: Some(_) }) = told {
                known.fetch_add(1, Ordering::Relaxed);
                break;
            }
        }
        drop(events);
    };
    let work = |leadership: tenure::Leadership| async move {
        leadership.cancelled().await;
        Ok::<(), String>(())
    };
    let lead = election.run_forever(Backoff::STANDARD, work);
    let ((), ended) = tokio::join!(counted, lead);
    drop(ended);
}

/// How much memory this process has, in KiB.
fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("procfs is mounted");
    let pages: u64 = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("the second number is the resident pages");
    pages * u64::try_from(rustix::param::page_size()).expect("a page is small") / 1024
}
