//! Who waits, and in which order.

use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;
use tenure_testkit::Curator;
use zookeeper_client::CreateMode;

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::{send, wait_until};
use crate::scene::{Place, ensemble, names, server};

/// The nodes of the queue and what they hold, in Curator's order, by ZooKeeper's own client.
fn as_the_shell_shows(place: &Place) -> Vec<String> {
    let path = place.path();
    let mut nodes = server().shell_children(&path);
    // Curator's order is that of the ten digits at the end, whatever is before them.
    nodes.sort_by_key(|node| node[node.len() - 10..].to_owned());
    let reads: Vec<_> = nodes
        .iter()
        .map(|node| format!("get {path}/{node}"))
        .collect();
    server().shell(&reads)
}

/// The queue that `tenure status` shows, with incarnations as nodes have them.
fn as_status_shows(shown: &Value) -> Vec<String> {
    let contender = |one: &Value| {
        let name = one["name"].as_str().unwrap();
        match one["incarnation"].as_str() {
            Some(incarnation) => format!("{name}_{incarnation}"),
            None => name.to_owned(),
        }
    };
    let queue = shown["queue"].as_array().unwrap();
    queue.iter().map(contender).collect()
}

/// A `LeaderSelector` of Curator's that is in the queue by now.
fn selector(place: &Place, id: &str) -> Candidate {
    let servers = format!("127.0.0.1:{}", server().port());
    let mut selector = Curator::selector(&servers, &place.path(), id).command();
    selector.stdin(Stdio::piped()).stdout(Stdio::null());
    let selector = Candidate::of(&mut selector);
    wait_until("Curator's candidate in the queue", || {
        place.queue().iter().any(|one| one == id)
    });
    selector
}

#[test]
fn the_queue_is_shown_as_zookeepers_own_client_shows_it_and_others_recipes_are_in_it() {
    let place = Place::new();
    let mut first = place.candidate_in_queue("pod-z");
    let _second = place.candidate_in_queue("pod-a");
    let _curator = selector(&place, "route-7");
    let _last = place.candidate_in_queue("pod-m");
    let shown = place.status();
    assert_eq!(
        names(&shown["queue"]),
        ["pod-z", "pod-a", "route-7", "pod-m"]
    );
    assert_eq!(shown["queue"][0], shown["leader"]);
    assert_eq!(shown["queue"][2]["incarnation"], Value::Null);
    assert_eq!(as_status_shows(&shown), as_the_shell_shows(&place));
    assert_eq!(
        names(&shown["members"]),
        ["pod-a", "pod-m", "pod-z", "route-7"],
        "members are in no order of theirs"
    );
    send(first.pid(), Signal::TERM);
    assert_eq!(first.status(), Some(143));
    place.wait_for_leader("pod-a");
    let shown = place.status();
    assert_eq!(names(&shown["queue"]), ["pod-a", "route-7", "pod-m"]);
    assert_eq!(as_status_shows(&shown), as_the_shell_shows(&place));
}

#[test]
fn the_queue_is_a_row_for_people_and_one_that_names_nobody_is_shown_by_its_node() {
    let place = Place::new();
    let _first = place.candidate_in_queue("pod-0");
    let operator = ensemble().operator();
    let node = "_c_00000000-0000-4000-8000-000000000000-lock-";
    let path = format!("{}/{node}", place.path());
    let mode = CreateMode::EphemeralSequential;
    operator.create(&path, b"", mode).unwrap();
    let output = place.output("status", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    let row = "queue     pod-0, _c_00000000-0000-4000-8000-000000000000-lock-0000000001\n";
    assert!(text.contains(row), "{text}");
}

#[test]
fn a_watch_tells_who_has_come_and_gone_in_the_queue() {
    let place = Place::new();
    let told = place.folder().join("told");
    let mut tenure = place.tenure("watch");
    tenure.stdout(std::fs::File::create(&told).unwrap());
    let _watch = Candidate::of(&mut tenure);
    tells(&told, "nobody leads, the lock is missing");
    let mut first = place.candidate_in_queue("pod-0");
    tells(&told, ", queue: pod-0, members: pod-0\n");
    let _second = place.candidate_in_queue("pod-1");
    tells(&told, ", queue: pod-0, pod-1, members: pod-0, pod-1\n");
    send(first.pid(), Signal::TERM);
    assert_eq!(first.status(), Some(143));
    tells(&told, "pod-1 leads, token ");
    tells(&told, ", queue: pod-1, members: pod-1\n");
    // It stands in no queue itself.
    let text = std::fs::read_to_string(&told).unwrap();
    assert!(!text.contains("unknown"), "{text}");
}

#[test]
fn who_watches_goes_on_when_the_servers_were_away() {
    let place = Place::new();
    let way = ensemble().another_way();
    let url = format!("zookeeper://{}{}", way.connect_string(), place.path());
    let [told, complaints] = ["told", "complaints"].map(|name| place.folder().join(name));
    let mut tenure = place.tenure("watch");
    tenure
        .args(["--lock", &url])
        .stdout(std::fs::File::create(&told).unwrap())
        .stderr(std::fs::File::create(&complaints).unwrap());
    let _watch = Candidate::of(&mut tenure);
    tells(&told, "the lock is missing");
    way.to(1).cut();
    tells(&complaints, "trying again");
    let _candidate = place.candidate_in_queue("pod-0");
    way.to(1).heal();
    tells(&told, "pod-0 leads, token ");
}

fn tells(path: &Path, what: &str) {
    wait_until(what, || {
        std::fs::read_to_string(path).unwrap().contains(what)
    });
}
