//! Whole elections on the real server.

use std::time::Duration;

use serde_json::{Value, json};
use tenure_backends::host;
use tenure_backends::kubernetes::Cluster;
use tenure_core::elector::{Backoff, Told};
use tenure_core::{Control, Event, StopReason, Timing};
use tenure_testkit::{CAMEL_RULES, Flow, Namespace, Proxy, TestCluster, WATCH_RULES};

use crate::scene::{NAME, cluster_behind, election, part, place, wait};

/// A candidate that runs for ever, and what it tells.
struct Candidate {
    control: Control,
    events: tenure_core::elector::Events,
}

fn timing() -> Timing {
    Timing::builder()
        .lease_duration(Duration::from_secs(4))
        .renew_interval(Duration::from_secs(1))
        .build()
        .unwrap()
}

fn candidate(cluster: &Cluster) -> Candidate {
    let lock = cluster.lock(election()).unwrap();
    let mut election = host::election(lock)
        .unwrap()
        .timing(timing())
        .build()
        .unwrap();
    let control = election.control();
    let events = control.events();
    #[expect(clippy::disallowed_methods, reason = "the test's own runtime")]
    tokio::spawn(async move {
        let work = |leadership: tenure_core::Leadership| async move {
            leadership.cancelled().await;
            Ok::<(), String>(())
        };
        drop(election.run_forever(Backoff::STANDARD, work).await);
    });
    Candidate { control, events }
}

impl Candidate {
    async fn next(&mut self) -> Event {
        loop {
            if let Told::Event(event) = self.events.next().await.unwrap() {
                return event;
            }
        }
    }

    async fn starts(&mut self) {
        while !matches!(self.next().await, Event::Started { .. }) {}
    }

    async fn stops(&mut self) -> StopReason {
        loop {
            if let Event::Stopped { reason, .. } = self.next().await {
                return reason;
            }
        }
    }
}

async fn open(namespace: &Namespace<'_>, proxy: &Proxy, rules: &[tenure_testkit::Rule]) -> Cluster {
    cluster_behind(&namespace.account(rules), proxy).await
}

#[test]
fn a_leader_stops_as_soon_as_the_watch_shows_another_holder() {
    wait(async {
        let (namespace, cluster) = place().await;
        let mut leader = candidate(&cluster);
        leader.starts().await;
        let steal = json!({ "spec": { "holderIdentity": "somebody-else" } });
        namespace.patch_lease(NAME, &steal).unwrap();
        let reason = leader.stops().await;
        assert!(
            matches!(&reason, StopReason::Usurped { by } if by.as_str() == "somebody-else"),
            "{reason:?}"
        );
    });
}

#[test]
fn a_leader_stops_when_its_lease_is_deleted_or_emptied() {
    for deletes in [true, false] {
        wait(async {
            let (namespace, cluster) = place().await;
            let mut leader = candidate(&cluster);
            leader.starts().await;
            if deletes {
                namespace.delete_lease(NAME).unwrap();
            } else {
                let empty = json!({ "spec": { "holderIdentity": Value::Null } });
                namespace.patch_lease(NAME, &empty).unwrap();
            }
            let reason = leader.stops().await;
            assert_eq!(reason, StopReason::LockVanished);
            // It may lead again, after it has waited for whoever might still believe.
            leader.starts().await;
        });
    }
}

#[test]
fn a_partitioned_leader_stops_by_itself_and_another_one_leads() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let port = namespace.cluster.api().port();
        let (near, far) = (Proxy::to(port), Proxy::to(port));
        let mut leader = candidate(&open(&namespace, &near, WATCH_RULES).await);
        leader.starts().await;
        let mut other = candidate(&open(&namespace, &far, CAMEL_RULES).await);
        near.flow(Flow::Hold, Flow::Hold);
        assert_eq!(leader.stops().await, StopReason::DeadlinePassed);
        other.starts().await;
        near.heal();
        // What was on its way arrives late, and takes nothing back.
        other.control.resign();
        other.stops().await;
        leader.starts().await;
    });
}

#[test]
fn a_lagging_api_server_deposes_nobody() {
    wait(async {
        let servers = TestCluster::start();
        let lagging = servers.another_api();
        let namespace = servers.namespace();
        let account = namespace.account(WATCH_RULES);
        let (front, back) = (Proxy::to(servers.api().port()), Proxy::to(lagging.port()));
        let config = |proxy: &Proxy, certificate| {
            let mut account = account.clone();
            account.trust(certificate);
            Cluster::builder()
                .config(account.config(proxy.port()))
                .open()
        };
        let leader = config(&front, servers.api().certificate()).await.unwrap();
        let mut leader = candidate(&leader);
        leader.starts().await;
        let mut follower = candidate(&config(&back, lagging.certificate()).await.unwrap());
        while !matches!(
            follower.next().await,
            Event::LeaderChanged { leader: Some(_) }
        ) {}
        // The follower's server stands still while the leader renews by the other one, for longer than a lease.
        lagging.freeze();
        for _ in 0..6 {
            while !matches!(part(&namespace, "/spec/renewTime"), Value::String(_)) {}
            crate::scene::pause(Duration::from_secs(1)).await;
        }
        assert!(leader.control.view().token.is_some(), "nobody took it");
        lagging.thaw();
        // What it shows first is old.
        crate::scene::pause(Duration::from_secs(5)).await;
        assert!(leader.control.view().token.is_some(), "and nobody does now");
        assert!(follower.control.view().token.is_none());
        leader.control.resign();
        leader.stops().await;
        follower.starts().await;
    });
}
