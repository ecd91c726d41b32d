//! Whatever is wrong, the program says in one line what, and what to change.

use crate::common::program::Program;
use crate::common::wait_until;
use crate::scene::{Place, server};

/// Without credentials a candidate is told that its nodes are anybody's, and goes on.
const OPEN: &str = "anybody who reaches the servers can change";

const NO_RIGHT: &str = "the node's ACL forbids it: look at user and password first, since of a wrong digest password ZooKeeper says nothing but this; then at the ACL (`getAcl`)";

/// The one line that is said, beside what a candidate without credentials is told.
fn only_line(told: &str) -> &str {
    let mut lines = told.lines().filter(|line| !line.contains(OPEN));
    let line = lines.next().unwrap();
    assert_eq!(lines.next(), None, "{told}");
    line
}

#[track_caller]
fn refused(place: &Place, command: &str, options: &[&str], status: i32, says: &str) {
    let (exit, told) = place.fail(command, options);
    assert_eq!(exit, status, "{command} {options:?}: {told}");
    assert_eq!(only_line(&told), says, "{command} {options:?}");
}

/// Nobody listens there.
const NOBODY: &str = "zookeeper://127.0.0.1:1,127.0.0.1:2/base/nightly";

#[test]
fn servers_that_cannot_be_reached_are_named_and_a_candidate_waits_for_them() {
    let place = Place::new();
    let why = "no server gives a session: 127.0.0.1:1, 127.0.0.1:2: it refuses connections: does it run, and on this port?";
    let says = format!("tenure: open on the zookeeper backend: unavailable: {why}");
    for command in ["status", "watch", "pause", "resume", "resign"] {
        refused(&place, command, &["--lock", NOBODY], 69, &says);
    }
    let _candidate = place.candidate("pod-0", &["--lock", NOBODY]);
    wait_until("a second try", || {
        let log = place.log("pod-0");
        log.matches(why).count() > 1 && log.contains("no session yet: trying again")
    });
}

#[test]
fn a_base_that_is_missing_and_may_not_be_made_is_named() {
    let place = Place::new();
    let Place { base, .. } = &place;
    server().shell(&[format!("create {base} closed world:anyone:r")]);
    let url = place.url().replace("/nightly", "/app/nightly");
    let why = format!(
        "permission denied: {base}/app is missing and these credentials may not make it: let somebody who may create it, with the right to create in it (`create {base}/app`, `setAcl`), or name another base path"
    );
    let says = format!("tenure: submit on the zookeeper backend: {why}");
    refused(&place, "pause", &["--lock", &url], 69, &says);
    let says = format!("tenure: {url} does not exist: check the URL, nobody has led there");
    refused(&place, "resume", &["--lock", &url], 69, &says);
    assert_eq!(place.status_with(&["--lock", &url])["state"], "missing");
    let _candidate = place.candidate("pod-0", &["--lock", &url]);
    wait_until("the reason", || place.log("pod-0").contains(&why));
    // It goes on when somebody has made the base.
    let make = [
        "addauth digest super:super".to_owned(),
        format!("create {base}/app open"),
    ];
    server().shell(&make);
    wait_until("a leader", || {
        place.status_with(&["--lock", &url])["leader"]["name"] == "pod-0"
    });
}

#[test]
fn a_wrong_password_and_none_at_all_show_as_a_missing_right() {
    let place = Place::new();
    let [right, wrong] = ["right", "wrong"].map(|word| place.password(word));
    let user = |file| {
        [
            "--zookeeper-user",
            "jobs",
            "--zookeeper-password-file",
            file,
        ]
    };
    let owner = user(&right);
    let _candidate = place.candidate("pod-0", &owner);
    wait_until("pod-0 to lead", || {
        place.status_with(&owner)["leader"]["name"] == "pod-0"
    });
    let path = place.path();
    let says = format!(
        "tenure: observe on the zookeeper backend: permission denied: list {path}: {NO_RIGHT}"
    );
    for command in ["status", "watch", "pause", "resume", "resign"] {
        for options in [&user(&wrong)[..], &[]] {
            refused(&place, command, options, 69, &says);
        }
    }
}

#[test]
fn what_the_command_line_says_of_a_lock_and_cannot_mean_is_refused() {
    let place = Place::new();
    let url = place.url();
    let file = format!("file://{}/lock", place.folder().display());
    for (options, says) in [
        (
            &["--lock", "zookeeper://zk1:2181,zk2:2181"][..],
            "error: --lock: \"zk1:2181,zk2:2181\" has no path: write `zookeeper://zk1:2181,zk2:2181/base/name`",
        ),
        (
            &["--lock", "zookeeper://jobs:open@zk1/base/nightly"],
            "error: --lock: credentials do not belong in a URL, which others can see: leave out what stands before `@`, and give --zookeeper-user and --zookeeper-password-file",
        ),
        (
            &["--zookeeper-acl", "digest:jobs:open:x"],
            "error: --zookeeper-acl: the ACL's entry for scheme \"digest\" has a permission that is none of `cdrwa`",
        ),
        (
            &["--zookeeper-user", "jobs"],
            "tenure: --zookeeper-user has no password: name a file in --zookeeper-password-file, or set TENURE_ZOOKEEPER_PASSWORD",
        ),
        (
            &["--members", "app=report"],
            &format!(
                "tenure: --members is for Leases (kubernetes://) and means nothing for a node of ZooKeeper: leave it out for {url}"
            ),
        ),
        (
            &["--lock", &file, "--session-timeout", "9s"],
            &format!(
                "tenure: --session-timeout is for ZooKeeper's nodes (zookeeper://) and means nothing for a lock file: leave it out for {file}"
            ),
        ),
    ] {
        refused(&place, "status", options, 64, says);
    }
    let says = format!(
        "tenure: {url} needs no init: only a Lease can outlive its holder, and here the first candidate leads at once"
    );
    refused(&place, "init", &[], 64, &says);
}

#[test]
fn a_session_that_does_not_fit_names_the_option_to_change() {
    let place = Place::new();
    let too_short = |option: &str, given: &str| {
        format!(
            "tenure: open on the zookeeper backend: invalid input: {option} {given} is too short for heartbeats that prove each other, an answer and the end of the work: raise {option} to 1.253s or more"
        )
    };
    let says = too_short("--session-timeout", "500ms");
    refused(&place, "status", &["--session-timeout", "500ms"], 64, &says);
    for (options, says) in [
        (&["--session-timeout", "1s"][..], too_short("--session-timeout", "1s")),
        (&["--lease", "1s"], too_short("--lease", "1s")),
        (
            &["--lease", "60s"],
            "tenure: --lease 60s is longer than the session timeout 20s that the servers grant: lower --lease to 20s or less".to_owned(),
        ),
        (
            &["--lease", "10s", "--session-timeout", "4s"],
            "tenure: --lease 10s is longer than the session timeout 4s that the servers grant: lower --lease to 4s or less, or raise --session-timeout".to_owned(),
        ),
    ] {
        refused(&place, "run", &[options, &["--", "true"]].concat(), 64, &says);
    }
    // What is advised is enough.
    let stop = ["--stop-timeout", "500ms", "--once", "--", "true"];
    let (status, told) = place.fail("run", &[&["--session-timeout", "4s"], &stop[..]].concat());
    assert_eq!(status, 64, "{told}");
    let advised = told.split_once("raise --session-timeout to ").unwrap().1;
    let advised = advised.strip_suffix(" or more\n").unwrap();
    let options = [&["--session-timeout", advised], &stop[..]].concat();
    let output = place.output("run", &options);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{advised}: {told}");
}
