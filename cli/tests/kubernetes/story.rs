//! The whole story: a service of three pods whose cron job runs on one of them, while its pods are deleted one after the other.

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::json;
use tenure_testkit::PodStatus;

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::{send, wait_until};
use crate::server::Place;

/// One run of the job: the second that it was scheduled for, and the token that it had.
type Run = (i64, u64);

fn runs(place: &Place) -> Vec<Run> {
    let log = std::fs::read_to_string(place.folder().join("log")).unwrap_or_default();
    let run = |line: &str| {
        let (scheduled, token) = line.split_once(' ').unwrap();
        (scheduled.parse().unwrap(), token.parse().unwrap())
    };
    log.lines().map(run).collect()
}

/// A pod, and the process that runs in it.
struct Pod<'a> {
    name: &'static str,
    place: &'a Place,
    process: Candidate,
}

impl<'a> Pod<'a> {
    fn start(place: &'a Place, name: &'static str) -> Self {
        place
            .namespace
            .create_pod(name, &json!({ "app": "report" }));
        let mut tenure = place.tenure("cron");
        tenure
            .args([
                "--timing",
                "fast",
                "--pod-name",
                name,
                "--members",
                "app=report",
            ])
            .args([
                "--schedule",
                "* * * * * *",
                "--missed",
                "all",
                "--",
                "sh",
                "-c",
            ])
            .arg("echo \"$TENURE_SCHEDULED_UNIX $TENURE_TOKEN\" >> log");
        let process = Candidate::of(&mut tenure);
        let status = PodStatus::running("containerd://1", "2026-01-01T00:00:00Z");
        place.namespace.report_pod(name, &status);
        Self {
            name,
            place,
            process,
        }
    }

    /// As the API server and the kubelet do it: the pod goes, and its process gets SIGTERM.
    fn delete(mut self) {
        self.place.namespace.delete_pod(self.name);
        send(self.process.pid(), Signal::TERM);
        assert_eq!(self.process.status(), Some(143));
    }
}

fn wait_for_members(place: &Place, names: &[&str]) {
    wait_until(&format!("the members {names:?}"), || {
        let shown = place.status_with(&["--members", "app=report"]);
        let members = shown["members"].as_array().cloned().unwrap_or_default();
        members
            .iter()
            .filter_map(|member| member["name"].as_str())
            .eq(names.iter().copied())
    });
}

fn wait_for_runs(place: &Place, more: usize) {
    let before = runs(place).len();
    wait_until("runs of the job", || runs(place).len() >= before + more);
}

#[test]
fn a_cron_job_of_three_pods_runs_once_each_second_while_its_pods_are_deleted() {
    let place = Place::new("nightly");
    place.succeed("init");
    let first = Pod::start(&place, "report-0");
    place.wait_for_leader("report-0");
    let second = Pod::start(&place, "report-1");
    let third = Pod::start(&place, "report-2");
    wait_for_members(&place, &["report-0", "report-1", "report-2"]);
    wait_for_runs(&place, 2);

    first.delete();
    wait_until("another leader", || {
        let leader = place.status()["leader"]["name"].clone();
        leader == "report-1" || leader == "report-2"
    });
    wait_for_members(&place, &["report-1", "report-2"]);
    wait_for_runs(&place, 2);
    let (leads, follows) = if place.status()["leader"]["name"] == "report-1" {
        (second, third)
    } else {
        (third, second)
    };
    leads.delete();
    place.wait_for_leader(follows.name);
    wait_for_runs(&place, 2);
    follows.delete();

    let runs = runs(&place);
    let mut by_second: BTreeMap<i64, usize> = BTreeMap::new();
    for (scheduled, _) in &runs {
        *by_second.entry(*scheduled).or_default() += 1;
    }
    assert!(
        by_second.values().all(|count| *count == 1),
        "a fire ran twice: {runs:?}"
    );
    let (from, to) = (runs[0].0, runs[runs.len() - 1].0);
    let lost: Vec<i64> = (from..=to)
        .filter(|second| !by_second.contains_key(second))
        .collect();
    assert!(lost.is_empty(), "fires were lost: {lost:?} of {runs:?}");
    assert!(
        runs.is_sorted_by_key(|(_, token)| *token),
        "tokens only grow: {runs:?}"
    );
    let tokens: std::collections::BTreeSet<u64> = runs.iter().map(|(_, token)| *token).collect();
    assert!(tokens.len() >= 3, "each leader had its own: {runs:?}");
}
