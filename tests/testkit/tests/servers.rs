//! The testkit on real servers: each server and each fault does what it says.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tenure_testkit::{CAMEL_RULES, PodStatus, TestCluster, WATCH_RULES, until};

fn lease(name: &str) -> serde_json::Value {
    json!({ "metadata": { "name": name }, "spec": { "holderIdentity": "somebody" } })
}

#[test]
fn two_api_servers_show_one_store_and_a_killed_one_keeps_it() {
    let cluster = TestCluster::start();
    let other = cluster.another_api();
    let namespace = cluster.namespace();
    namespace.create_lease(&lease("a")).unwrap();
    let path = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{}/leases/a",
        namespace.name
    );
    let seen = other.admin().call(&Method::GET, &path, None).unwrap();
    assert_eq!(seen["spec"]["holderIdentity"], "somebody");
    cluster.api().restart();
    assert!(namespace.lease("a").is_some());
    let counted = cluster.admin().request_count("leases", "GET");
    assert!(counted > 0, "its own metrics tell: {counted}");
}

#[test]
fn rights_are_those_that_were_granted() {
    let namespace = TestCluster::shared().namespace();
    let account = namespace.account(CAMEL_RULES);
    let may = |verb: &str| {
        let review = json!({ "spec": {
            "user": format!("system:serviceaccount:{}:{}", namespace.name, account.name),
            "resourceAttributes": {
                "namespace": namespace.name, "group": "coordination.k8s.io", "resource": "leases", "verb": verb,
            },
        } });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let answer = TestCluster::shared()
            .admin()
            .call(&Method::POST, path, Some(&review));
        answer.unwrap()["status"]["allowed"] == true
    };
    assert!(may("update") && !may("watch") && !may("patch") && !may("delete"));
    namespace.grant(&account, WATCH_RULES);
    assert!(may("watch"));
    namespace.grant(&account, CAMEL_RULES);
    assert!(!may("watch"));
}

#[test]
fn a_pod_has_the_status_that_its_kubelet_reports() {
    let namespace = TestCluster::shared().namespace();
    let uid = namespace.create_pod("p", &json!({ "app": "x" }));
    let mut status = PodStatus::running("containerd://1", "2026-11-28T10:00:00Z");
    status.ended = Some((
        "2026-11-28T10:01:00Z".to_owned(),
        Some("containerd://2".to_owned()),
    ));
    namespace.report_pod("p", &status);
    let pod = namespace.pod("p").unwrap();
    assert_eq!(pod["metadata"]["uid"], uid.as_str());
    let container = &pod["status"]["containerStatuses"][0];
    assert_eq!(container["containerID"], "containerd://2");
    assert_eq!(
        container["lastState"]["terminated"]["containerID"],
        "containerd://1"
    );
    namespace.delete_pod("p");
    assert!(namespace.pod("p").is_none());
}

/// In the process that is to be killed this is set.
const VICTIM: &str = "TENURE_TESTKIT_VICTIM";

#[test]
fn servers_end_with_the_process_that_started_them() {
    if std::env::var_os(VICTIM).is_some() {
        let cluster = TestCluster::start();
        let [etcd, api] = cluster.process_ids();
        let told = format!("\nservers {etcd} {api}\n");
        std::io::stdout().write_all(told.as_bytes()).unwrap();
        loop {
            std::thread::park();
        }
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "servers_end_with_the_process_that_started_them",
            "--nocapture",
        ])
        .env(VICTIM, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let told = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("servers "));
    let servers: Vec<i32> = told
        .unwrap()
        .split(' ')
        .skip(1)
        .map(|id| id.parse().unwrap())
        .collect();
    let alive = |id: &i32| {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        Path::new(&format!("/proc/{id}")).exists() && !state.contains(") Z ")
    };
    assert!(
        servers.len() == 2 && servers.iter().all(alive),
        "{servers:?}"
    );
    let id = i32::try_from(victim.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::KILL).unwrap();
    victim.wait().unwrap();
    until("the servers' end", || {
        (!servers.iter().any(alive)).then_some(())
    });
}
