//! Candidates that lead, follow and tell about it.

use rustix::process::Signal;
use serde_json::json;
use tenure_testkit::PodStatus;

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::{send, wait_for, wait_until};
use crate::server::{Place, leases};

const LABEL: &str = "/metadata/labels/example.org~1role";

#[test]
fn one_leads_and_the_next_leads_when_its_process_is_told_to_end() {
    let place = Place::new("handover");
    place.succeed("init");
    let mut first = place.candidate("p-1", &[]);
    place.wait_for_leader("p-1");
    let _second = place.candidate("p-2", &[]);
    wait_until("a token that is told", || place.status()["token"].is_u64());
    let token = place.status()["token"].as_u64().unwrap();
    send(first.pid(), Signal::TERM);
    assert_eq!(first.status(), Some(143));
    place.wait_for_leader("p-2");
    wait_until("a larger token", || {
        place.status()["token"].as_u64() > Some(token)
    });
}

#[test]
fn a_leader_that_is_asked_to_resign_or_to_pause_does() {
    let place = Place::new("requests");
    place.succeed("init");
    let _candidate = place.candidate("p-1", &[]);
    wait_until("a token that is told", || place.status()["token"].is_u64());
    place.succeed("pause");
    wait_until("a pause that is heeded", || {
        place.status()["state"] == "free"
    });
    assert_eq!(place.status()["request"]["kind"], "pause");
    place.succeed("resume");
    place.wait_for_leader("p-1");
}

#[test]
fn a_token_is_pending_until_the_first_renewal_and_nobody_is_asked_meanwhile() {
    let place = Place::new("pending");
    // A renewal that is a minute away leaves the time to look.
    place.succeed("init");
    let _candidate = place.candidate("p-1", &["--timing", "frugal"]);
    place.wait_for_leader("p-1");
    let shown = place.status();
    assert_eq!(
        (&shown["token"], &shown["token_pending"]),
        (&json!(null), &json!(true))
    );
    let (status, told) = place.fail("resign", &[]);
    assert_eq!(status, 69, "{told}");
    assert!(told.contains("not told before its first renewal"), "{told}");
}

#[test]
fn the_leaders_pod_has_the_label_while_it_leads_and_no_other_has() {
    let place = Place::new("label");
    place.succeed("init");
    for pod in ["p-1", "p-2"] {
        place.namespace.create_pod(pod, &json!({}));
    }
    // What a former process has left.
    let left = json!({ "metadata": { "labels": { "example.org/role": "leader" } } });
    place.namespace.patch_pod("p-2", &left).unwrap();
    let label = |pod: &str| place.namespace.pod(pod).unwrap().pointer(LABEL).cloned();
    let options = ["--leader-label", "example.org/role=leader"];
    let mut first = place.candidate("p-1", &options);
    wait_until("the label", || label("p-1") == Some(json!("leader")));
    let _second = place.candidate("p-2", &options);
    wait_until("the end of a label that was left", || {
        label("p-2").is_none()
    });
    send(first.pid(), Signal::TERM);
    assert_eq!(first.status(), Some(143));
    assert_eq!(
        label("p-1"),
        None,
        "it is gone before the Lease is released"
    );
    wait_until("the next one's label", || {
        label("p-2") == Some(json!("leader"))
    });
}

#[test]
fn work_is_done_without_the_right_to_label_and_the_right_is_named() {
    let place = Place::new("unlabelled");
    place.namespace.create_pod("p-1", &json!({}));
    place.succeed("init");
    let least = place.with_rights(&[leases(&["get", "create", "update"])]);
    let log = place.folder().join("log");
    let mut tenure = least.tenure("run");
    tenure
        .args(["--timing", "fast", "--pod-name", "p-1", "--once"])
        .args(["--leader-label", "role=leader", "--", "sleep", "1"])
        .stderr(std::fs::File::create(&log).unwrap());
    let mut candidate = Candidate::of(&mut tenure);
    assert_eq!(candidate.status(), Some(0), "the work is done");
    let told = std::fs::read_to_string(log).unwrap();
    assert!(told.contains("allow verb patch on pods"), "{told}");
}

#[test]
fn pods_that_are_running_and_ready_are_told_as_members() {
    let place = Place::new("members");
    place.succeed("init");
    for pod in ["p-1", "p-2", "p-3"] {
        place.namespace.create_pod(pod, &json!({ "app": "report" }));
    }
    let status = PodStatus::running("containerd://1", "2026-01-01T00:00:00Z");
    for pod in ["p-1", "p-2"] {
        place.namespace.report_pod(pod, &status);
    }
    let _candidate = place.candidate("p-1", &["--members", "app=report"]);
    let shown = wait_for("a leader", || {
        let shown = place.status_with(&["--members", "app=report"]);
        shown["leader"].is_object().then_some(shown)
    });
    let names: Vec<_> = shown["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["name"])
        .collect();
    assert_eq!(names, ["p-1", "p-2"]);
}

#[test]
fn a_leader_whose_container_the_kubelet_reports_as_ended_is_followed_at_once() {
    let place = Place::new("kubelet");
    place.succeed("init");
    let now = || jiff::Timestamp::now().to_string();
    place.namespace.create_pod("p-1", &json!({}));
    let mut status = PodStatus::of_this_machine("containerd://1");
    place.namespace.report_pod("p-1", &status);
    // Nobody waits for so long a lease here: who leads within a minute was told by the kubelet.
    let options = ["--lease", "600s", "--renew", "2s"];
    let proof = ["--timing", "standard", "--death-proof", "kubelet"];
    let options = [&options[..], &proof, &["--container", "worker"]].concat();
    let first = place.candidate("p-1", &options);
    wait_until("the container in the Lease", || {
        let lease = place.namespace.lease("kubelet");
        lease.is_some_and(|lease| {
            let named = &lease["metadata"]["annotations"]["tenure/container"];
            named
                .as_str()
                .is_some_and(|text| text.contains("containerd://1"))
        })
    });
    let _second = place.candidate("p-2", &options);
    drop(first);
    status.ended = Some((now(), None));
    place.namespace.report_pod("p-1", &status);
    place.wait_for_leader("p-2");
}
