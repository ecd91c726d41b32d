//! Candidates that lead, follow and are asked to leave.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::json;

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::{send, wait_for, wait_until};
use crate::scene::{Place, server};

/// A job that leaves a word when it is told to stop.
const POLITE: &str = "trap 'echo ended > ended; exit' TERM; while :; do sleep 0.05; done";

#[test]
fn a_leader_that_is_told_to_end_gives_the_lock_back_when_its_job_has_ended_and_the_next_leads() {
    let place = Place::new();
    let mut tenure = place.tenure("run");
    tenure
        .args(["--candidate", "pod-0", "--", "sh", "-c", POLITE])
        .stderr(Stdio::null());
    let mut first = Candidate::of(&mut tenure);
    place.wait_for_leader("pod-0");
    let leader = place.status();
    let _second = place.candidate_in_queue("pod-1");
    send(first.pid(), Signal::TERM);
    assert_eq!(first.status(), Some(143));
    let ended = std::fs::read_to_string(place.folder().join("ended"));
    assert_eq!(ended.unwrap(), "ended\n", "the job came first");
    assert_ne!(place.queue().first().unwrap(), "pod-0");
    place.wait_for_leader("pod-1");
    assert!(place.status()["token"].as_u64() > leader["token"].as_u64());
}

#[test]
fn a_leader_that_is_asked_to_resign_stands_again_at_the_end_of_the_queue() {
    let place = Place::new();
    let _first = place.candidate_in_queue("pod-0");
    let _second = place.candidate_in_queue("pod-1");
    place.wait_for_leader("pod-0");
    let asked = place.json("resign", &[]);
    assert_eq!(asked["leader"], "pod-0");
    place.wait_for_leader("pod-1");
    wait_until("the former leader behind the new one", || {
        place.queue() == ["pod-1", "pod-0"]
    });
}

#[test]
fn nobody_leads_or_stands_in_the_queue_from_a_pause_until_it_is_over() {
    let place = Place::new();
    place.succeed("pause");
    let _first = place.candidate("pod-0", &[]);
    let _second = place.candidate("pod-1", &[]);
    wait_until("two candidates that wait", || {
        place.status()["members"].as_array().unwrap().len() == 2
    });
    let shown = place.status();
    assert_eq!(
        (&shown["leader"], &shown["queue"]),
        (&json!(null), &json!([]))
    );
    assert_eq!(shown["request"]["kind"], "pause");
    place.succeed("resume");
    wait_until("a leader and who follows it", || place.queue().len() == 2);
    place.succeed("pause");
    wait_until("an empty queue", || place.queue().is_empty());
    assert_eq!(place.status()["request"]["kind"], "pause");
    place.succeed("resume");
    wait_until("a leader", || place.status()["leader"].is_object());
}

#[test]
fn a_command_runs_once_under_the_transaction_that_made_its_node() {
    let place = Place::new();
    let script = r#"echo "$TENURE_ELECTION $TENURE_TOKEN"; exit 7"#;
    let output = place.output("run", &["--once", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7));
    let told = String::from_utf8(output.stdout).unwrap();
    let shown = place.status();
    assert_eq!(told, format!("nightly {}\n", shown["token"]));
    assert_eq!(
        (&shown["state"], &shown["queue"]),
        (&json!("free"), &json!([]))
    );
    let _other = place.candidate_in_queue("pod-0");
    let stat = server().shell(&[format!("stat {}", node_of_leader(&place))]);
    let made = wait_for("the transaction", || {
        let made = stat
            .iter()
            .find_map(|line| line.strip_prefix("cZxid = 0x"))?;
        u64::from_str_radix(made, 16).ok()
    });
    assert_eq!(place.status()["token"], made);
    let (status, _) = place.fail("run", &["--once", "--try", "--", "true"]);
    assert_eq!(status, 1, "somebody else has it");
    let patience = ["--once", "--wait", "200ms", "--conflict-exit-code", "75"];
    let (status, _) = place.fail("run", &[&patience[..], &["--", "true"]].concat());
    assert_eq!(status, 75);
    wait_until("a queue without those who gave up", || {
        place.queue() == ["pod-0"]
    });
}

fn node_of_leader(place: &Place) -> String {
    let mut nodes = server().shell_children(&place.path());
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    format!("{}/{}", place.path(), nodes.remove(0))
}

#[test]
fn fires_are_run_and_kept_in_the_ledger() {
    let place = Place::new();
    let log = std::fs::File::create(place.folder().join("log")).unwrap();
    let mut tenure = place.tenure("cron");
    tenure
        .args(["--schedule", "* * * * * *", "--", "sh", "-c"])
        .arg("echo $TENURE_SCHEDULED >> fires")
        .stderr(log);
    let _candidate = Candidate::of(&mut tenure);
    wait_until("a fire in the ledger", || {
        let shown = place.status();
        let fires = std::fs::read_to_string(place.folder().join("fires"));
        fires.is_ok() && !shown["fires"].is_null()
    });
}

#[test]
fn servers_that_are_down_are_passed_over() {
    let place = Place::new();
    // Nobody listens at the first two.
    let url = place.url().replace("//", "//127.0.0.1:1,127.0.0.1:2,");
    let mut tenure = place.tenure("run");
    tenure
        .args(["--lock", &url, "--candidate", "pod-0", "--", "sleep", "600"])
        .stderr(Stdio::null());
    let _candidate = Candidate::of(&mut tenure);
    wait_until("a leader", || {
        let shown = place.status_with(&["--lock", &url]);
        assert_eq!(shown["lock"], url.as_str());
        shown["leader"]["name"] == "pod-0"
    });
}
