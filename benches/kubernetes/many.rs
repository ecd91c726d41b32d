//! Many elections in one process, all led by it: what they cost beyond the writes.

use std::time::Duration;

use tenure_testkit::{CAMEL_RULES, Cast, Rule, TestCluster, WATCH_RULES, pause};

use crate::candidate::Task;
use crate::harness::{Table, now};
use crate::scene::Scene;

const ELECTIONS: u32 = 1_000;
/// Two renew intervals.
const WATCHED: Duration = Duration::from_secs(10);
const SHARE_MOST: f64 = 5.0;
const KIB_MOST: f64 = 8.0;
/// client-go is asked for fewer, with its own limit of requests.
const BESIDE: u32 = 100;
const BESIDE_WATCHED: Duration = Duration::from_secs(40);

/// What one process costs.
#[derive(Clone, Copy)]
struct Load {
    kib: f64,
    percent: f64,
    threads: usize,
}

fn number(text: Option<&str>) -> f64 {
    text.and_then(|text| text.parse().ok())
        .expect("procfs tells numbers")
}

/// How long the process has kept a processor busy.
fn busy(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("the process lives");
    let (_, rest) = stat.rsplit_once(") ").expect("its name is in parentheses");
    let mut fields = rest.split(' ').skip(11);
    let ticks = number(fields.next()) + number(fields.next());
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// What it costs from now on.
fn load(id: u32, watched: Duration) -> Load {
    let (began, before) = (now(), busy(id));
    pause(watched);
    let passed = now().saturating_sub(began).as_secs_f64();
    let percent = (busy(id) - before) / passed * 100.0;
    let statm = std::fs::read_to_string(format!("/proc/{id}/statm")).expect("the process lives");
    let pages = number(statm.split(' ').nth(1));
    Load {
        kib: pages * rustix::param::page_size() as f64 / 1024.0,
        percent,
        threads: std::fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count),
    }
}

fn ours(rules: &[Rule], writes: bool, elections: u32) -> Load {
    let mut scene = Scene::new(TestCluster::shared(), rules);
    let number = scene.ours(&Task {
        elections,
        spread: tenure::Timing::standard().renew_interval(),
        writes,
        ..Task::new("many")
    });
    scene.wait_for_all(number, "leads", elections);
    pause(Duration::from_secs(2));
    load(scene.cast.id(number), WATCHED)
}

/// The load of client-go with its own limit, and how many leaderships it lost meanwhile.
fn client_go() -> (Load, usize) {
    let scene = Scene::new(TestCluster::shared(), WATCH_RULES);
    let kubeconfig = scene.kubeconfig();
    let namespace = &scene.namespace.name;
    let candidate = tenure_testkit::ClientGo::new(&kubeconfig, namespace, "job", "many")
        .with("elections", BESIDE)
        .with("again", true);
    let mut cast = Cast::new();
    let number = cast.start(&candidate.command());
    pause(Duration::from_secs(5));
    let load = load(cast.id(number), BESIDE_WATCHED);
    let lost = cast
        .heard()
        .iter()
        .filter(|told| told.event == "stops")
        .count();
    (load, lost)
}

fn shown(what: &str, load: Load) {
    let Load {
        kib,
        percent,
        threads,
    } = load;
    println!(
        "{what:44} {percent:.2} % of a core, {:.1} MiB, {threads} threads",
        kib / 1024.0
    );
}

pub(crate) fn run(table: &mut Table) {
    // client-go's own limit keeps it from disturbing anybody.
    let (one, bare, (theirs, lost)) = std::thread::scope(|scope| {
        let theirs = scope.spawn(client_go);
        let one = ours(WATCH_RULES, false, 1);
        let bare = ours(WATCH_RULES, true, ELECTIONS);
        (one, bare, theirs.join().expect("no candidate is lost"))
    });
    shown("one election", one);
    shown("1000 Leases, bare writes", bare);
    for (what, rules) in [
        ("1000 elections, with watch", WATCH_RULES),
        ("1000 elections, by polling", CAMEL_RULES),
    ] {
        let all = ours(rules, false, ELECTIONS);
        shown(what, all);
        let percent = all.percent - bare.percent;
        let kib = (all.kib - bare.kib) / f64::from(ELECTIONS);
        let target = Some(("< 5 %", percent < SHARE_MOST));
        table.row(
            &format!("{what}, core beyond bare writes"),
            format!("{percent:.2} %"),
            target,
        );
        let target = Some(("≤ 8 KiB", kib <= KIB_MOST));
        table.row(
            &format!("{what}, memory beyond, each"),
            format!("{kib:.1} KiB"),
            target,
        );
        let target = format!("= {}", one.threads);
        let target = Some((target.as_str(), all.threads == one.threads));
        table.row(&format!("{what}, threads"), all.threads.to_string(), target);
    }
    shown("100 elections of client-go", theirs);
    table.row(
        "1000 Leases, bare writes, core",
        format!("{:.2} %", bare.percent),
        None,
    );
    table.row(
        "100 elections of client-go, core",
        format!("{:.2} %", theirs.percent),
        None,
    );
    let mib = format!("{:.1} MiB", theirs.kib / 1024.0);
    table.row("100 elections of client-go, memory", mib, None);
    table.row(
        "100 elections of client-go, lost in 45 s",
        lost.to_string(),
        None,
    );
}
