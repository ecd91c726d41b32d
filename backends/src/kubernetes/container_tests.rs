use serde_json::{Value, json};
use tenure_core::{Incarnation, WallTime};

use super::container::{Container, Look, look};
use super::record::{Draft, Lease};
use super::{annotations, time};

const POD_UID: &str = "3f1c9f60-5f0d-4d8e-9a51-0c7f4ad1b2c3";
const BEGAN: &str = "2026-11-28T10:00:00.300000Z";

fn began() -> WallTime {
    WallTime::from_unix_micros(time::micros_of(BEGAN).unwrap())
}

/// A Lease whose leader, in container `c1` of pod `report-0`, began to lead at 10:00:05.
fn lease() -> Lease {
    let mut draft = Draft::new("nightly", "jobs");
    let holder = Incarnation::from_bits(7);
    let named = format!("{holder} {POD_UID} report-0 worker containerd://c1");
    draft.annotate(annotations::CONTAINER, Some(named));
    let mut object: Value = serde_json::from_slice(&draft.to_bytes()).unwrap();
    object["metadata"]["uid"] = json!("lease");
    object["metadata"]["resourceVersion"] = json!("1");
    object["spec"] = json!({
        "holderIdentity": format!("report-0_{holder}"),
        "acquireTime": "2026-11-28T10:00:05.000000Z",
        "renewTime": "2026-11-28T10:00:05.000000Z",
        "leaseDurationSeconds": 15,
    });
    Lease::parse(object).unwrap()
}

fn ended(id: &str, at: &str) -> Value {
    json!({ "terminated": { "containerID": id, "exitCode": 137, "finishedAt": at, "reason": "Error" } })
}

fn running(at: &str) -> Value {
    json!({ "running": { "startedAt": at } })
}

fn pod(status: Value) -> Value {
    json!({
        "metadata": { "name": "report-0", "uid": POD_UID },
        "spec": {},
        "status": { "phase": "Running", "containerStatuses": [status] },
    })
}

fn is_dead(pod: &Value) -> bool {
    let lease = lease();
    Container::of(&lease).unwrap().is_dead(pod, &lease)
}

#[test]
fn only_the_kubelets_word_on_this_very_container_is_proof() {
    let at = "2026-11-28T10:01:00Z";
    let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    let status = |id: &str, state: Value, last: Value| json!({ "name": "worker", "containerID": id, "state": state, "lastState": last });
    let none = json!({});
    for (proof, what, status) in [
        (
            true,
            "ended",
            status(
                "containerd://c1",
                ended("containerd://c1", at),
                none.clone(),
            ),
        ),
        (
            true,
            "restarted in place",
            status("containerd://c2", running(at), ended("containerd://c1", at)),
        ),
        (
            true,
            "waiting to restart",
            status("containerd://c1", waiting, ended("containerd://c1", at)),
        ),
        (
            false,
            "runs",
            status("containerd://c1", running(at), none.clone()),
        ),
        (
            false,
            "another runs",
            status("containerd://c3", running(at), ended("containerd://c2", at)),
        ),
        (
            false,
            "another ended",
            status("containerd://c2", ended("containerd://c2", at), none),
        ),
        (false, "nothing told", json!({ "name": "worker" })),
    ] {
        assert_eq!(is_dead(&pod(status)), proof, "{what}");
    }
}

#[test]
fn nothing_else_about_pod_or_node_is_proof() {
    let at = "2026-11-28T10:01:00Z";
    let status = |name: &str, state: Value| json!({ "name": name, "containerID": "containerd://c1", "state": state });
    let dead = pod(status("worker", ended("containerd://c1", at)));
    assert!(is_dead(&dead));

    let mut another_pod = dead.clone();
    another_pod["metadata"]["uid"] = json!("another");
    assert!(!is_dead(&another_pod), "a pod of the same name, made anew");

    for key in ["hostPID", "shareProcessNamespace"] {
        let mut shared = dead.clone();
        shared["spec"][key] = json!(true);
        assert!(!is_dead(&shared), "{key}: work may outlive the container");
    }

    let mut lost = dead.clone();
    let lost_status = &mut lost["status"]["containerStatuses"][0];
    lost_status["state"]["terminated"]["reason"] = json!("ContainerStatusUnknown");
    assert!(!is_dead(&lost), "the kubelet has lost sight of it");

    let mut failed = pod(status("worker", running(at)));
    failed["status"]["phase"] = json!("Failed");
    failed["status"]["reason"] = json!("NodeLost");
    assert!(!is_dead(&failed), "written by who cannot know");

    let other_container = pod(status("sidecar", ended("containerd://c1", at)));
    assert!(!is_dead(&other_container));

    let before = pod(status(
        "worker",
        ended("containerd://c1", "2026-11-28T10:00:03Z"),
    ));
    assert!(!is_dead(&before), "it ended before this leadership began");
    let same_second = pod(status(
        "worker",
        ended("containerd://c1", "2026-11-28T10:00:05Z"),
    ));
    assert!(is_dead(&same_second));
    let mut untold = dead;
    untold["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = Value::Null;
    assert!(!is_dead(&untold), "when it ended is not told");
}

#[test]
fn a_sidecar_that_is_an_init_container_counts_too() {
    let at = "2026-11-28T10:01:00Z";
    let mut pod =
        pod(json!({ "name": "main", "containerID": "containerd://m", "state": running(at) }));
    pod["status"]["initContainerStatuses"] = json!([
        { "name": "worker", "containerID": "containerd://c2", "state": running(at), "lastState": ended("containerd://c1", at) }
    ]);
    assert!(is_dead(&pod));
}

fn found(pod: &Value, container: Option<&str>) -> Look {
    look(pod, "report-0", container, Some(began()))
}

#[test]
fn the_own_container_is_the_one_that_runs_since_this_process_began() {
    let status = |state: Value| json!({ "name": "worker", "containerID": "containerd://c2", "state": state });
    let named = format!("{POD_UID} report-0 worker containerd://c2");
    for started in ["2026-11-28T10:00:00Z", "2026-11-28T10:00:03Z"] {
        assert_eq!(
            found(&pod(status(running(started))), None),
            Look::Found(named.clone()),
            "{started}"
        );
    }
    for (what, state) in [
        (
            "its predecessor, in a status that is late",
            running("2026-11-28T09:59:59Z"),
        ),
        (
            "its predecessor, since when the clock was set back",
            running("2026-11-28T10:00:04Z"),
        ),
        (
            "one that has ended",
            ended("containerd://c2", "2026-11-28T10:00:01Z"),
        ),
        ("one that never ran", json!({ "waiting": {} })),
    ] {
        let found = found(&pod(status(state)), None);
        assert!(matches!(found, Look::NotYet(_)), "{what}: {found:?}");
    }
}

#[test]
fn a_pod_that_shares_its_processes_never_proves_anything() {
    let mut pod =
        pod(json!({ "name": "worker", "containerID": "containerd://c2", "state": running(BEGAN) }));
    pod["spec"]["shareProcessNamespace"] = json!(true);
    assert!(matches!(found(&pod, None), Look::Never(why) if why.contains("shareProcessNamespace")));
    pod["spec"] = json!({ "hostPID": true });
    assert!(matches!(found(&pod, None), Look::Never(_)));
}

#[test]
fn of_several_containers_one_has_to_be_named() {
    let status =
        |name: &str, id: &str| json!({ "name": name, "containerID": id, "state": running(BEGAN) });
    let mut pod = pod(status("worker", "containerd://c2"));
    let statuses = pod["status"]["containerStatuses"].as_array_mut().unwrap();
    statuses.push(status("proxy", "containerd://p"));
    assert!(matches!(found(&pod, None), Look::Never(why) if why.contains("say which one")));
    let named = format!("{POD_UID} report-0 proxy containerd://p");
    assert_eq!(found(&pod, Some("proxy")), Look::Found(named));
    assert!(matches!(found(&pod, Some("nobody")), Look::NotYet(_)));
}
