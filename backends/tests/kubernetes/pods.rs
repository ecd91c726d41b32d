//! Members, and what a kubelet's word is worth.

use std::time::Duration;

use serde_json::json;
use tenure_backends::kubernetes::{Cluster, DeathProof};
use tenure_core::backend::{Hint, LockState, Observation};
use tenure_core::testing::Contender;
use tenure_testkit::{CAMEL_RULES, Namespace, PodStatus, Rule, TestCluster, WATCH_RULES};

use crate::scene::{builder, contender, contender_on, election, leads, now, pause, renews, wait};

const CONTAINER: &str = "containerd://one";

fn names(members: &[tenure_core::backend::Member]) -> Vec<&str> {
    members.iter().map(|member| &*member.name).collect()
}

#[test]
fn members_are_the_chosen_pods_that_run_and_are_ready() {
    for rules in [WATCH_RULES, CAMEL_RULES] {
        wait(async {
            let namespace = TestCluster::shared().namespace();
            let account = namespace.account(rules);
            for (name, app) in [
                ("report-0", "report"),
                ("report-1", "report"),
                ("other-0", "other"),
            ] {
                namespace.create_pod(name, &json!({ "app": app }));
            }
            let running = PodStatus::of_this_machine(CONTAINER);
            namespace.report_pod("report-0", &running);
            namespace.report_pod("other-0", &running);
            let builder = builder(&namespace, &account)
                .members("app in (report)")
                .members_interval(Duration::from_millis(300));
            let candidate = contender(&builder.open().await.unwrap(), "report-0", 1);
            assert_eq!(
                names(&candidate.lock.members().await.unwrap()),
                ["report-0"]
            );

            namespace.report_pod("report-1", &running);
            told_of_members(&candidate, &["report-0", "report-1"]).await;
            let mut not_ready = running;
            not_ready.ready = false;
            namespace.report_pod("report-0", &not_ready);
            told_of_members(&candidate, &["report-1"]).await;
            namespace.delete_pod("report-1");
            told_of_members(&candidate, &[]).await;
        });
    }
}

/// Waits for hints until the members are these.
async fn told_of_members(candidate: &Contender, wanted: &[&str]) {
    loop {
        while candidate.lock.changed().await != Hint::MembersChanged {}
        if names(&candidate.lock.members().await.unwrap()) == wanted {
            return;
        }
    }
}

#[test]
fn without_a_selector_no_pod_is_asked_for() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(&WATCH_RULES[..1]);
        let cluster = builder(&namespace, &account).open().await.unwrap();
        let candidate = contender(&cluster, "report-0", 1);
        assert_eq!(candidate.lock.members().await.unwrap(), []);
        assert!(!candidate.lock.description().tells_members);
        leads(&candidate).await;
    });
}

/// A cluster as the process in that pod sees it.
async fn from_pod(namespace: &Namespace<'_>, rules: &[Rule], pod: &str) -> Cluster {
    let account = namespace.account(rules);
    let builder = builder(namespace, &account)
        .pod_name(pod)
        .members("app=report")
        .death_proof(DeathProof::Kubelet { container: None });
    builder.open().await.unwrap()
}

fn report(namespace: &Namespace<'_>, pod: &str, status: &PodStatus) {
    if namespace.pod(pod).is_none() {
        namespace.create_pod(pod, &json!({ "app": "report" }));
    }
    namespace.report_pod(pod, status);
}

/// A leader in pod `report-0` whose record names its container.
async fn named_leader(namespace: &Namespace<'_>, rules: &[Rule]) -> Contender {
    report(
        namespace,
        "report-0",
        &PodStatus::of_this_machine(CONTAINER),
    );
    report(
        namespace,
        "report-1",
        &PodStatus::of_this_machine("containerd://two"),
    );
    let cluster = from_pod(namespace, rules, "report-0").await;
    // Nobody can believe to lead yet, so that it has nobody to wait for.
    let lock = cluster.lock(election()).unwrap();
    lock.initialize().await.unwrap();
    let leader = contender_on(lock, "report-0", 1);
    let mut hold = leads(&leader).await.hold;
    loop {
        hold = renews(&leader, hold).await.unwrap();
        let named = crate::scene::part(namespace, "/metadata/annotations/tenure~1container");
        if named
            .as_str()
            .is_some_and(|named| named.ends_with(CONTAINER))
        {
            return leader;
        }
        pause(Duration::from_millis(100)).await;
    }
}

fn is_vouched_for(seen: &Observation) -> bool {
    matches!(&seen.lock, LockState::Vacant { identity, mark: Some(mark) } if mark.identity == *identity)
}

#[test]
fn a_leader_whose_container_has_ended_is_followed_at_once() {
    for rules in [WATCH_RULES, CAMEL_RULES] {
        wait(async {
            let namespace = TestCluster::shared().namespace();
            let leader = named_leader(&namespace, rules).await;
            let follower = contender(
                &from_pod(&namespace, rules, "report-1").await,
                "report-1",
                2,
            );
            let held = follower.observe().await.unwrap();
            assert!(
                held.holder()
                    .is_some_and(|holder| holder.is(&leader.candidate)),
                "{held:?}"
            );

            let mut ended = PodStatus::of_this_machine(CONTAINER);
            ended.ended = Some((now(), Some("containerd://three".to_owned())));
            report(&namespace, "report-0", &ended);
            // By the watch, or once its renewal is overdue.
            let seen = loop {
                let hint = follower.lock.changed().await;
                let seen = follower.observe().await.unwrap();
                if hint == Hint::Changed && is_vouched_for(&seen) {
                    break seen;
                }
            };
            let claim = follower.claim(seen.version);
            let acquired = follower.lock.acquire(&claim).await.unwrap();
            assert!(
                matches!(acquired, tenure_core::backend::Acquired::Granted(_)),
                "{acquired:?}"
            );
            // The new leader's record names its own container.
            let named = crate::scene::part(&namespace, "/metadata/annotations/tenure~1container");
            assert!(
                !named.as_str().unwrap_or_default().ends_with(CONTAINER),
                "{named}"
            );
        });
    }
}

#[test]
fn a_pod_that_vanished_or_is_not_ready_is_no_proof() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let leader = named_leader(&namespace, WATCH_RULES).await;
        let cluster = from_pod(&namespace, WATCH_RULES, "report-1").await;
        let mut not_ready = PodStatus::of_this_machine(CONTAINER);
        not_ready.ready = false;
        report(&namespace, "report-0", &not_ready);
        let holds = |seen: Observation| {
            let holder = seen.holder().cloned();
            assert!(
                holder.is_some_and(|holder| holder.is(&leader.candidate)),
                "{seen:?}"
            );
        };
        // A fresh candidate asks about a holder that it has never asked about.
        holds(contender(&cluster, "report-1", 2).observe().await.unwrap());
        let mut another = PodStatus::of_this_machine("containerd://other");
        another.ended = Some((now(), None));
        report(&namespace, "report-0", &another);
        holds(contender(&cluster, "report-1", 3).observe().await.unwrap());
        namespace.delete_pod("report-0");
        holds(contender(&cluster, "report-1", 4).observe().await.unwrap());
        // One of the same name, made anew, has ended.
        let mut anew = PodStatus::of_this_machine(CONTAINER);
        anew.ended = Some((now(), None));
        report(&namespace, "report-0", &anew);
        holds(contender(&cluster, "report-1", 5).observe().await.unwrap());
    });
}

#[test]
fn a_leader_that_still_waits_for_a_former_one_names_no_container() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        report(
            &namespace,
            "report-0",
            &PodStatus::of_this_machine(CONTAINER),
        );
        let cluster = from_pod(&namespace, WATCH_RULES, "report-0").await;
        let mut leader = contender(&cluster, "report-0", 1);
        leader.lease_duration = Duration::from_secs(1);
        // The Lease is missing: somebody may have deleted it under a leader.
        let mut hold = leads(&leader).await.hold;
        let first = hold;
        let mut named = Vec::new();
        for _ in 0..40 {
            hold = renews(&leader, hold).await.unwrap();
            let container =
                crate::scene::part(&namespace, "/metadata/annotations/tenure~1container");
            named.push(container.is_string());
            pause(Duration::from_millis(100)).await;
        }
        assert_eq!(hold.token, first.token);
        assert!(!named[0] && !named[9], "for twice its duration: {named:?}");
        assert!(named[39], "and then it does: {named:?}");
        assert!(named.is_sorted(), "{named:?}");
    });
}
