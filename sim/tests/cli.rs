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

/// It does nothing but to say this, in one line.
fn complains(arguments: &[&str], says: &str) {
    let output = run(arguments);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
    assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("tenure-sim: "), "{complaint}");
    assert_eq!(text(&output.stdout), "");
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
        (&["run", plan], "bad.toml:4:7: end: "),
        (&["run", "nowhere.toml"], "nowhere.toml: it cannot be read"),
        (&["replay"], "SCENARIO|PLANFILE"),
        (&["report", "pod-killed"], "--out"),
        (&["hunt", "--bug", "none"], "write one of"),
        (&["model", "world"], "write one of"),
        (&["model", "--bug", "hint-extends"], "use `tenure-sim hunt"),
        (&["model", "--jobs", "0"], "from 1 to 1024"),
        (
            &["shrink", "pod-killed", "--tier", "machines"],
            "nothing to shrink",
        ),
        (&["frobnicate"], "unrecognized subcommand"),
        (
            &["run", "pod-killed", "--timing", "15s/14s"],
            "raise lease to",
        ),
        (
            &["run", "pod-killed", "--drift", "60%"],
            "lower drift-ppm to",
        ),
        (
            &["run", "pod-killed", "--backend", "etcd"],
            "lease, session, file, kubernetes or zookeeper",
        ),
        (&["replay", "pod-killed", "--until", "soon"], "write 15s"),
        (
            &["replay", "--plan", plan],
            "unexpected argument '--plan' found (see --help)",
        ),
        (&["bench", "--fast"], "--fast"),
        (&["hunt", "--all", "--check", "nowhere.md"], "nowhere.md: "),
    ] {
        complains(arguments, says);
    }
}

/// A plan that runs, to be broken.
const GOOD: &str = r#"version = 1
seed = 1
backend = "lease"
quiet-from = "120s"
end = "180s"

[timing]
lease = "15s"

[[nodes]]
rate-ppm = 9000

[[faults]]
at = "60s"
lasts = "30s"
what = { lossy = { node = 0, direction = "both", per-mille = 500 } }
"#;

#[test]
fn a_plan_file_of_the_users_own_is_run() {
    let path = file("good.toml");
    fs::write(&path, GOOD).unwrap();
    let path = path.to_str().unwrap();
    let output = run(&["run", path, "--tier", "machines"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(printed.contains("1 × 3m with a lease lock"), "{printed}");
    let json = file("good.json");
    fs::write(&json, run(&["plan", path, "--json"]).stdout).unwrap();
    let again = run(&["run", json.to_str().unwrap(), "--tier", "machines"]);
    let last = |printed: &str| {
        let digest = printed.lines().find(|line| line.starts_with("digest "));
        digest.map(str::to_owned)
    };
    assert_eq!(last(&text(&again.stdout)), last(&printed));
}

/// What to change in it, into what, and what is said of it then.
const BROKEN: &[(&str, &str, &str)] = &[
    (
        "lease = \"15s\"",
        "leese = \"15s\"",
        "broken.toml:8:1: unknown field `leese`",
    ),
    (
        "9000",
        "\"fast\"",
        "broken.toml:11:12: rate-ppm: invalid type",
    ),
    (
        "version = 1",
        "",
        "broken.toml:1:1: missing field `version`",
    ),
    (
        "version = 1",
        "version = 2",
        "broken.toml:1:11: version: this plan is of version 2",
    ),
    (
        "node = 0",
        "node = 7",
        "broken.toml:16:27: fault 1 (lossy at 1m), node: there is no node 7",
    ),
    (
        "500",
        "5000",
        "broken.toml:16:62: fault 1 (lossy at 1m), per-mille: 5000",
    ),
    (
        "at = \"60s\"",
        "at = \"10m\"",
        "broken.toml:14:6: fault 1 (lossy at 10m), at: it begins",
    ),
    (
        "at = \"60s\"",
        "at = \"-60s\"",
        "broken.toml:14:6: at: \"-60s\" is no span",
    ),
    (
        "\"30s\"",
        "\"90s\"",
        "broken.toml:15:9: fault 1 (lossy at 1m), lasts: it would last until",
    ),
    (
        "\"120s\"",
        "\"4m\"",
        "broken.toml:4:14: quiet-from: it is 4m",
    ),
    (
        "\"lease\"",
        "\"file\"",
        "broken.toml:16:8: fault 1 (lossy at 1m), what: a file lock has no such",
    ),
    (
        "lease = \"15s\"",
        "lease = \"1s\"\nrenew = \"5s\"",
        "raise lease to",
    ),
    (
        "[timing]",
        "[server]\nsync-limit = 0\n\n[timing]",
        "server, sync-limit: servers that hear nothing",
    ),
    ("[timing]", "[timing", "broken.toml:7:"),
    (
        GOOD,
        "",
        "broken.toml:1:1: missing field `version`: begin with version 1",
    ),
];

#[test]
fn a_broken_plan_gets_one_line_with_line_and_field() {
    for (from, to, says) in BROKEN {
        assert!(GOOD.contains(from), "{from}");
        let broken = GOOD.replacen(from, to, 1);
        complains_of("broken.toml", broken.as_bytes(), says);
    }
    let latin = b"version = 1\nname = \"\xff\"\n";
    complains_of(
        "broken.toml",
        latin,
        "broken.toml:2:9: this is no text in UTF-8",
    );
    complains_of(
        "broken.json",
        b"",
        "broken.json:1:1: missing field `version`",
    );
    complains_of("broken.json", b"{ \"version\": 1,\n", "broken.json:2:");
    complains_of("broken.yaml", b"version: 1", "name it .toml or .json");
    let folder = file("folder.toml");
    fs::create_dir_all(&folder).unwrap();
    let said = complaint(&folder);
    assert!(said.contains("folder.toml: it cannot be read"), "{said}");
}

/// Expects that a plan file with this content is refused with this.
fn complains_of(name: &str, content: &[u8], says: &str) {
    let path = file(name);
    fs::write(&path, content).expect("tests may write there");
    let complaint = complaint(&path);
    assert!(complaint.contains(says), "{says}: {complaint}");
}

/// The one line that a run of this plan is refused with.
fn complaint(path: &Path) -> String {
    let output = run(&["run", &path.to_string_lossy()]);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

#[test]
fn what_is_changed_in_a_scenario_is_run_so() {
    let options = ["--seeds", "0..2", "--tier", "machines"];
    for (arguments, says) in [
        (&["--candidates", "5"][..], "5 candidates"),
        (
            &["--backend", "session"],
            "a session lock, lease 15s, 3 candidates",
        ),
        (&["--backend", "file"], "a file lock"),
        (&["--timing", "30s/10s"], "lease 30s"),
        (
            &["--lease", "9s", "--renew", "2s", "--drift", "2%"],
            "lease 9s",
        ),
        (&["--peer", "client-go"], "a model of client-go"),
        (&["--peer", "camel"], "a model of camel"),
    ] {
        let output = run(&[&["run", "pod-killed"], arguments, &options].concat());
        let printed = text(&output.stdout);
        assert!(printed.contains(says), "{arguments:?}: {printed}");
        assert!(printed.contains("2 × 5m"), "{arguments:?}: {printed}");
    }
}

#[test]
fn what_is_not_claimed_is_told_where_it_is_so() {
    let options = ["--seeds", "0..3", "--tier", "machines"];
    let broken = run(&[&["run", "clock-fast"][..], &options].concat());
    let broken = text(&broken.stdout);
    assert!(broken.contains("not claimed: a single leader"), "{broken}");
    assert!(
        broken.contains("an assumption is broken, clock-rate: "),
        "{broken}"
    );
    let kept = run(&[&["run", "clock-fast", "--drift", "10%"][..], &options].concat());
    let kept = text(&kept.stdout);
    assert!(
        !kept.contains("not claimed") && !kept.contains("assumption"),
        "{kept}"
    );
}

#[test]
fn what_does_nothing_on_a_tier_is_told() {
    for (scenario, says) in [
        ("disk-full", Some("machines: disk-full")),
        ("cron-handover", Some("machines: the cron job")),
        ("power-loss", None),
    ] {
        let output = run(&["run", scenario, "--seeds", "0..1", "--tier", "machines"]);
        let printed = text(&output.stdout);
        let line = printed
            .lines()
            .find(|line| line.starts_with("without effect"));
        match says {
            Some(says) => assert!(line.is_some_and(|line| line.ends_with(says)), "{printed}"),
            None => assert_eq!(line, None),
        }
    }
}

#[test]
fn a_replay_counts_only_what_it_tells() {
    let output = run(&[
        "replay",
        "pod-killed",
        "--tier",
        "machines",
        "--until",
        "62s",
    ]);
    let printed = text(&output.stdout);
    assert!(printed.contains("1m 2s long"), "{printed}");
    assert!(
        printed.contains("1 leadership; nobody worked for 2"),
        "{printed}"
    );
}

#[test]
fn what_another_election_breaks_is_made_small() {
    let path = file("small.toml");
    let path = path.to_str().unwrap();
    let peer = ["--peer", "client-go-release"];
    let scenario = ["shrink", "leader-partitioned", "--seed", "2", "--out", path];
    let output = run(&[&scenario[..], &peer].concat());
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(printed.contains("single-leader: two lead"), "{printed}");
    assert!(printed.contains("shrunk to 1 fault and "), "{printed}");
    let replay = run(&[&["replay", path][..], &peer].concat());
    assert_eq!(replay.status.code(), Some(1));
    let printed = text(&replay.stdout);
    assert!(printed.contains("VIOLATION single-leader"), "{printed}");
}

#[test]
fn scenarios_are_listed_with_a_sentence_each() {
    let printed = text(&run(&["scenarios"]).stdout);
    assert!(printed.lines().count() >= 25, "{printed}");
    for line in printed.lines() {
        assert!(line.ends_with('.'), "{line}");
    }
    for line in text(&run(&["scenarios", "--json"]).stdout).lines() {
        assert!(
            line.starts_with('{') && line.contains("\"sentence\":"),
            "{line}"
        );
    }
}

#[test]
fn a_hunt_is_told_in_a_table_or_in_lines_of_json() {
    let hunt = ["hunt", "--bug", BUG];
    let table = text(&run(&hunt).stdout);
    assert!(table.contains(&format!("| `{BUG}` |")), "{table}");
    assert!(table.contains("1 of 1 caught; the control"), "{table}");
    let lines = text(&run(&[&hunt[..], &["--json"]].concat()).stdout);
    assert!(
        lines.starts_with(&format!("{{\"bug\":\"{BUG}\",")),
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 1, "{lines}");
}

#[test]
fn a_peer_is_refused_with_a_lock_that_it_does_not_know_and_told_what_to_do() {
    let go = ["--peer", "client-go"];
    for command in ["run", "replay", "shrink"] {
        let says = "client-go knows no session lock: use --backend lease, or leave --peer out";
        let arguments = [command, "pod-killed", "--backend", "session"];
        complains(&[&arguments[..], &go].concat(), says);
        let says = "client-go knows no file lock: use --backend lease, or leave --peer out";
        complains(&[&[command, "file-leader-killed"][..], &go].concat(), says);
    }
    let arguments = ["replay", "--seed", "3", "--backend", "file"];
    complains(&[&arguments[..], &go].concat(), "use --backend lease");
    // Where --backend lease would only end in the next complaint, it is not what to do.
    let says = "choose another scenario, as this one fits no lease, or leave --peer out";
    complains(&[&["run", "quorum-lost"][..], &go].concat(), says);
    let says = "curator knows no lease lock: use --backend zookeeper, or leave --peer out";
    complains(&["run", "pod-killed", "--peer", "curator"], says);
}

#[test]
fn a_candidate_of_curators_is_run_over_an_ensemble() {
    let output = run(&[
        "run",
        "pod-killed",
        "--backend",
        "zookeeper",
        "--peer",
        "curator",
        "--seeds",
        "0..2",
    ]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("a model of curator"), "{printed}");
}

#[test]
fn a_comparison_ends_well_when_all_rows_agree() {
    let output = run(&["compare", "--runs", "2"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.ends_with("All rows agree with what was measured.\n"));
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
fn what_the_model_finds_is_told_traced_and_drawn() {
    let (trace, page) = (file("way.jsonl"), file("way.html"));
    let model = ["model", "--bug", "name-is-enough"];
    let files = [
        "--trace",
        trace.to_str().unwrap(),
        "--report",
        page.to_str().unwrap(),
    ];
    let output = run(&[&model[..], &files].concat());
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    for says in ["FOUND SingleLeader", "what happens", "the candidates start"] {
        assert!(printed.contains(says), "{says}\n{printed}");
    }
    let records = fs::read_to_string(&trace).unwrap();
    assert!(records.lines().count() > 10);
    for line in records.lines() {
        assert!(line.starts_with("{\"at\":"), "{line}");
    }
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("name-is-enough"));
    let told = text(&run(&[&model[..], &["--text"]].concat()).stdout);
    assert!(told.contains("VIOLATION of single-leader"), "{told}");
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
