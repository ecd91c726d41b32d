//! The program as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure-sim"))
        .args(arguments)
        .output()
        .expect("the program was built with this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file in the folder that tests of this package may write to.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn bad_input_gets_one_line_that_says_what_to_do() {
    let plan = file("bad.toml");
    fs::write(
        &plan,
        "version = 1\nseed = 1\nbackend = \"lease\"\nend = \"1x\"\n",
    )
    .unwrap();
    let plan = plan.to_str().unwrap();
    for (arguments, says) in [
        (&["run", "pod-delete"][..], "did you mean pod-deleted?"),
        (&["run", "pod-killed", "--seeds", "9..3"], "write 3..9"),
        (
            &["run", "pod-killed", "--timing", "5s/15s"],
            "raise lease to",
        ),
        (&["run", "pod-killed", "--timing", "soon"], "15s/5s"),
        (
            &["run", "lease-edited", "--backend", "file"],
            "backend lease",
        ),
        (&["run", "pod-killed", "--candidates", "0"], "1..=1000"),
        (&["run", "pod-killed", "--peer", "raft"], "client-go"),
        (
            &["run", "file-leader-killed", "--peer", "camel"],
            "--backend lease",
        ),
        (&["run", plan], "bad.toml:4:7: end: "),
        (&["run", "nowhere.toml"], "nowhere.toml: it cannot be read"),
        (&["replay"], "SCENARIO|PLANFILE"),
        (&["report", "pod-killed"], "--out"),
        (&["hunt", "--bug", "none"], "write one of"),
        (&["model", "world"], "write one of"),
        (
            &["shrink", "pod-killed", "--tier", "machines"],
            "nothing to shrink",
        ),
        (&["frobnicate"], "unrecognized subcommand"),
    ] {
        let output = run(arguments);
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(complaint.starts_with("tenure-sim: "), "{complaint}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn a_scenario_is_run_and_told_in_plain_text() {
    let arguments = ["run", "pod-killed", "--seeds", "0..3", "--tier", "machines"];
    let output = run(&arguments);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for says in [
        "failover",
        "p99",
        "nobody works",
        "requests",
        "violations: none",
        "digest ",
    ] {
        assert!(printed.contains(says), "{says}\n{printed}");
    }
    assert!(!printed.contains('\u{1b}'));
    assert_eq!(text(&output.stderr), "");
    let digest = |printed: &str| {
        printed
            .lines()
            .find(|line| line.starts_with("digest"))
            .map(str::to_owned)
    };
    assert_eq!(digest(&printed), digest(&text(&run(&arguments).stdout)));
}

#[test]
fn a_printed_plan_is_a_plan_file_that_runs_the_same() {
    let path = file("mine.toml");
    let printed = run(&["plan", "leader-partitioned", "--candidates", "4"]);
    fs::write(&path, &printed.stdout).unwrap();
    let tier = ["--tier", "machines", "--seed", "3"];
    let scenario = ["replay", "leader-partitioned", "--candidates", "4"];
    let named = run(&[&scenario[..], &tier].concat());
    let trace = file("trace.jsonl");
    let read = [
        "replay",
        path.to_str().unwrap(),
        "--trace",
        trace.to_str().unwrap(),
    ];
    let read = run(&[&read[..], &tier].concat());
    let last = |output: &Output| text(&output.stdout).lines().last().map(str::to_owned);
    assert_eq!(last(&named), last(&read));
    assert!(text(&read.stdout).contains("begins to work"));
    let records = fs::read_to_string(&trace).unwrap();
    assert!(records.lines().count() > 50);
    for line in records.lines() {
        assert!(line.starts_with("{\"at\":"), "{line}");
    }
}

#[test]
fn a_report_is_one_file() {
    let path = file("page.html");
    let output = run(&[
        "report",
        "pod-killed",
        "--tier",
        "machines",
        "--out",
        path.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("<h1>pod-killed</h1>"));
}

#[test]
fn what_a_campaign_finds_is_made_small_and_can_be_seen_again() {
    let path = file("found.toml");
    let path = path.to_str().unwrap();
    let with = ["--tier", "machines", "--bug", BUG];
    let campaign = [
        "campaign",
        "--seeds",
        "0..400",
        "--backend",
        "lease",
        "--out",
        path,
    ];
    let output = run(&[&campaign[..], &with].concat());
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("found: seed ") && printed.contains("tenure-sim replay"),
        "{printed}"
    );
    let replay = run(&[&["replay", path][..], &with].concat());
    assert_eq!(replay.status.code(), Some(1));
    assert!(text(&replay.stdout).contains("VIOLATION"));
}

/// A mistake that is caught within few seeds.
const BUG: &str = "unknown-is-confirmed";
