//! `tenure run` and its neighbours, as people and scripts use them.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod common;

use std::fs;
use std::path::Path;

use common::place::{Candidate, Place};
use common::{children, is_alive, is_ignored, send, wait_for_number, wait_until, wait_until_dead};
use rustix::process::Signal;
use serde_json::Value;

const SHORT: [&str; 6] = [
    "--lease",
    "2s",
    "--renew",
    "300ms",
    "--stop-timeout",
    "400ms",
];

/// A job that notes its number and waits.
const WAITING: &str = "echo $$ > job; exec sleep 1000";

#[test]
fn a_commands_own_status_is_returned_once() {
    let place = Place::new();
    let status = |script| place.run(&["--once"], script).status();
    assert_eq!(status("exit 0"), Some(0));
    assert_eq!(status("exit 3"), Some(3));
    assert_eq!(status("kill -9 $$"), Some(137));
    let missing = place
        .tenure("run")
        .args(["--once", "--", "/no/such/command"])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(127));
    let told = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(told.contains("cannot run \"/no/such/command\""), "{told}");
}

#[test]
fn a_command_learns_who_runs_it() {
    let place = Place::new();
    let script = "echo \"$TENURE_ELECTION $TENURE_CANDIDATE $TENURE_TOKEN\" > out";
    let mut first = place.run(&["--once", "--candidate", "me"], script);
    assert_eq!(first.status(), Some(0));
    let out = fs::read_to_string(place.path("out")).unwrap();
    let words: Vec<&str> = out.split_whitespace().collect();
    assert_eq!(words[..2], ["job", "me"]);
    let token: u64 = words[2].parse().unwrap();
    assert_eq!(place.status()["token"], token);
}

#[test]
fn a_lock_that_somebody_has_is_not_waited_for_longer_than_said() {
    let place = Place::new();
    let _leader = place.run(&["--candidate", "leader"], WAITING);
    place.wait_for_leader("leader");
    assert_eq!(place.run(&["--try"], "exit 0").status(), Some(1));
    let own = ["--wait", "50ms", "--conflict-exit-code", "9"];
    assert_eq!(place.run(&own, "exit 0").status(), Some(9));
}

#[test]
fn a_waiting_candidate_ends_at_once_and_a_leading_one_after_its_job() {
    assert!(
        !is_ignored(Signal::INT),
        "a job cannot be told by SIGINT where its ancestors ignore it: run the tests in the foreground of their shell"
    );
    let place = Place::new();
    let script = "echo $$ > job; trap 'echo told > told; exit 7' INT; while :; do sleep 0.05; done";
    let mut leader = place.run(&["--candidate", "leader"], script);
    place.wait_for_leader("leader");
    let job = wait_for_number(&place.path("job"));
    let mut waiting = place.run(&["--candidate", "other"], "exit 0");
    wait_until("two members", || {
        place.status()["members"].as_array().unwrap().len() == 2
    });
    send(waiting.pid(), Signal::TERM);
    assert_eq!(waiting.status(), Some(143));
    send(leader.pid(), Signal::INT);
    assert_eq!(leader.status(), Some(130));
    assert!(!is_alive(job));
    assert!(place.path("told").exists(), "the signal was passed on");
    assert_eq!(place.leader(), None);
}

#[test]
fn a_job_that_does_not_stop_when_asked_is_killed_with_its_descendants() {
    let place = Place::new();
    let script = "trap '' TERM; setsid sh -c 'echo $$ > far; while :; do sleep 1; done' & \
                  echo $$ > job; while :; do sleep 1; done";
    let options = [&SHORT[..], &["--drain-timeout", "400ms"]].concat();
    let mut leader = place.run(&options, script);
    let (job, far) = (
        wait_for_number(&place.path("job")),
        wait_for_number(&place.path("far")),
    );
    send(leader.pid(), Signal::TERM);
    assert_eq!(leader.status(), Some(143));
    assert!(!is_alive(job) && !is_alive(far));
}

#[test]
fn another_leads_when_the_leader_is_killed_and_when_it_is_stopped() {
    let place = Place::new();
    for fault in [Signal::KILL, Signal::STOP] {
        let leader = place.run(&[&SHORT[..], &["--candidate", "first"]].concat(), WAITING);
        place.wait_for_leader("first");
        let job = wait_for_number(&place.path("job"));
        let other = place.run(
            &[&SHORT[..], &["--candidate", "second"]].concat(),
            "kill -0 $(cat job) 2>/dev/null && echo overlap > overlap; echo $$ > other; exec sleep 1000",
        );
        send(leader.pid(), fault);
        place.wait_for_leader("second");
        wait_for_number(&place.path("other"));
        assert!(!place.path("overlap").exists());
        wait_until_dead("first job", job);
        send(other.pid(), Signal::TERM);
        drop((leader, other));
        for name in ["job", "other"] {
            fs::remove_file(place.path(name)).unwrap();
        }
    }
}

#[test]
fn operators_can_make_a_leader_resign_and_pause_the_election() {
    let place = Place::new();
    let _one = place.run(&["--candidate", "one", "--renew", "300ms"], WAITING);
    place.wait_for_leader("one");
    let _two = place.run(&["--candidate", "two", "--renew", "300ms"], WAITING);
    wait_until("two members", || {
        place.status()["members"].as_array().unwrap().len() == 2
    });
    assert!(place.output("resign", &[]).status.success());
    place.wait_for_leader("two");
    assert!(place.output("pause", &[]).status.success());
    wait_until("nobody to lead", || place.leader().is_none());
    assert_eq!(place.status()["request"]["kind"], "pause");
    assert_eq!(place.run(&["--try"], "exit 0").status(), Some(1));
    assert!(place.output("resume", &[]).status.success());
    wait_until("somebody to lead", || place.leader().is_some());
}

#[test]
fn looking_at_a_lock_that_is_not_there_makes_nothing() {
    let place = Place::new();
    assert_eq!(place.status()["state"], "never held");
    assert_eq!(place.output("resign", &[]).status.code(), Some(69));
    assert!(!place.path("locks").exists());
}

#[test]
fn watch_tells_each_change_in_a_line() {
    let place = Place::new();
    let log = fs::File::create(place.path("watched")).unwrap();
    let mut watch = place.tenure("watch");
    let _watch = Candidate::of(watch.arg("--json").stdout(log));
    let lines = |place: &Place| -> Vec<Value> {
        let text = fs::read_to_string(place.path("watched")).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    wait_until("the first line", || !lines(&place).is_empty());
    let mut leader = place.run(&["--candidate", "leader"], WAITING);
    wait_until("a line about the leader", || {
        lines(&place)
            .iter()
            .any(|line| line["leader"]["name"] == "leader")
    });
    send(leader.pid(), Signal::TERM);
    leader.status();
    wait_until("a line about a free lock", || {
        lines(&place).last().unwrap()["state"] == "free"
    });
}

#[test]
fn a_wrong_command_line_says_what_to_do_and_exits_with_64() {
    let place = Place::new();
    for (arguments, says) in [
        (&["run", "--lock", "nightly", "--", "true"][..], "file:///"),
        (
            &["run", "--lock", "etcd://x/y", "--", "true"],
            "unknown scheme",
        ),
        (
            &["run", "--lease", "1s", "--renew", "1s", "--", "true"],
            "--renew",
        ),
        (&["run", "--drift", "1", "--", "true"], "500ppm"),
        (&["run"], "COMMAND"),
        (&["guarantees", "--lease", "soon"], "--lease"),
        (&["bogus"], "--help"),
    ] {
        let output = place
            .tenure(arguments[0])
            .args(&arguments[1..])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(says), "{arguments:?}: {told}");
    }
}

#[test]
fn guarantees_and_completions_are_printed() {
    let place = Place::new();
    let output = place.output("guarantees", &["--timing", "fast"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("D = L / (1+ρ)² - σ"));
    let output = place.output("guarantees", &["--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["lease_duration_ms"], 15_000);
    let output = place.output("completions", &["bash"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("--conflict-exit-code"));
}

#[test]
fn nothing_of_a_leader_is_left_when_all_have_ended() {
    let place = Place::new();
    let mut leader = place.run(&["--candidate", "leader"], WAITING);
    let job = wait_for_number(&place.path("job"));
    let guards = children(leader.pid());
    assert_eq!(guards.len(), 1);
    send(leader.pid(), Signal::TERM);
    leader.status();
    assert!(!is_alive(job) && !is_alive(guards[0].0));
    assert!(is_empty(&place.path("locks/job.members")));
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}
