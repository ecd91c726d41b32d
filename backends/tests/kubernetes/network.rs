//! What a bad way to the API server costs.

use std::time::Duration;

use serde_json::{Value, json};
use tenure_backends::kubernetes::{Cluster, LeaseLock};
use tenure_core::backend::{Hint, LockState};
use tenure_core::testing::Contender;
use tenure_core::{Effect, ElectionName, ErrorKind, Version};
use tenure_testkit::{Flow, Namespace, Proxy, TestCluster, WATCH_RULES};

use crate::scene::{NAME, contender, contender_on, leads, pause, renews, told_undisturbed, wait};

/// How long a request may take here.
const LIMIT: Duration = Duration::from_millis(700);
/// A watch that has told nothing for so long is late.
const LATE: Duration = Duration::from_millis(1_100);

async fn behind(namespace: &Namespace<'_>, proxy: &Proxy) -> Cluster {
    let account = namespace.account(WATCH_RULES);
    let builder = Cluster::builder().config(account.config(proxy.port()));
    builder.request_timeout(LIMIT).open().await.unwrap()
}

/// A namespace of its own, and the cluster behind a proxy.
async fn by_proxy() -> (Namespace<'static>, Proxy, Cluster) {
    let namespace = TestCluster::shared().namespace();
    let proxy = Proxy::to(namespace.cluster.api().port());
    let cluster = behind(&namespace, &proxy).await;
    (namespace, proxy, cluster)
}

#[test]
fn a_reply_that_never_comes_is_an_unknown_outcome_and_its_connection_is_dropped() {
    wait(async {
        let (_namespace, proxy, cluster) = by_proxy().await;
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        let before = proxy.connections();
        proxy.flow(Flow::Pass, Flow::Hold);
        let renewal = leader.renewal(hold);
        let error = leader.lock.renew(&renewal).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Timeout, Effect::Unknown)
        );
        proxy.heal();
        let seen = leader.observe().await.unwrap();
        assert_eq!(
            proxy.connections(),
            before + 1,
            "the dead one is not used again"
        );
        let LockState::Held(held) = seen.lock else {
            panic!("{seen:?}")
        };
        assert_eq!(held.nonce, renewal.nonce, "it had arrived");
    });
}

#[test]
fn an_api_server_that_nobody_reaches_has_changed_nothing() {
    wait(async {
        let (_namespace, proxy, cluster) = by_proxy().await;
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        proxy.cut();
        // What was open ends first.
        let _ = leader.observe().await;
        let error = renews(&leader, hold).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        proxy.heal();
        renews(&leader, hold).await.unwrap();
    });
}

#[test]
fn an_api_server_without_its_store_answers_nothing_in_time() {
    wait(async {
        let servers = TestCluster::start();
        let namespace = servers.namespace();
        let proxy = Proxy::to(servers.api().port());
        let cluster = behind(&namespace, &proxy).await;
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        servers.freeze_etcd();
        let renewal = leader.renewal(hold);
        let error = leader.lock.renew(&renewal).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{error}");
        leader.observe().await.unwrap_err();
        servers.thaw_etcd();
        let seen = loop {
            match leader.observe().await {
                Ok(seen) => break seen,
                Err(_) => pause(Duration::from_millis(100)).await,
            }
        };
        let version = seen.version.unwrap();
        assert!(version >= hold.version);

        servers.api().restart();
        let after = loop {
            match leader.observe().await {
                Ok(seen) => break seen,
                Err(_) => pause(Duration::from_millis(100)).await,
            }
        };
        assert!(matches!(after.lock, LockState::Held(held) if held.holder.is(&leader.candidate)));
    });
}

/// The lock of one of many elections.
fn job(cluster: &Cluster, number: u32) -> LeaseLock {
    let name = ElectionName::new(&format!("job-{number}")).unwrap();
    cluster.lock(name).unwrap()
}

/// Edits a Lease as kubectl does, and says the version that it has become.
fn edit_lease(namespace: &Namespace<'_>, name: &str, edit: &Value) -> Version {
    let edited = namespace.patch_lease(name, edit).unwrap();
    let version = edited["metadata"]["resourceVersion"].as_str();
    Version(version.unwrap().parse().unwrap())
}

/// Waits until the watch has told something about the lock itself.
async fn told(contender: &Contender) -> tenure_core::backend::Observation {
    loop {
        if let Hint::Seen(seen) = contender.lock.changed().await {
            return seen;
        }
    }
}

#[test]
fn watches_and_requests_share_no_connection() {
    wait(async {
        let (_namespace, proxy, cluster) = by_proxy().await;
        let leader = contender(&cluster, "report-0", 1);
        let follower = contender(&cluster, "report-1", 2);
        let hold = leads(&leader).await.hold;
        assert_eq!(proxy.connections(), 1);
        let seen = told(&follower).await;
        assert_eq!(seen.version, Some(hold.version));
        for _ in 0..5 {
            follower.observe().await.unwrap();
        }
        // A request that finds its predecessor's connection not yet back in the pool opens another.
        let connections = proxy.connections();
        assert!(
            (2..=3).contains(&connections),
            "{connections}: one for the watch, the rest for requests"
        );
    });
}

#[test]
fn many_leases_are_watched_on_few_connections() {
    wait(async {
        let (_namespace, proxy, cluster) = by_proxy().await;
        let candidate =
            |number: u32| contender_on(job(&cluster, number), "report-0", u128::from(number) + 1);
        let candidates: Vec<Contender> = (0..30).map(candidate).collect();
        let mut holds = Vec::new();
        for candidate in &candidates {
            holds.push(leads(candidate).await.hold);
        }
        for candidate in &candidates {
            while candidate.lock.changed().await != Hint::Watching(true) {}
        }
        let watching = proxy.connections();
        // Each is told of its own Lease, and of no other.
        for (number, (candidate, hold)) in (0..).zip(candidates.iter().zip(&holds)) {
            let rival = contender_on(job(&cluster, number), "report-1", 1000);
            let taken = leads(&rival).await.hold;
            let seen = loop {
                let seen = told(candidate).await;
                if seen.version > Some(hold.version) {
                    break seen;
                }
            };
            assert_eq!(seen.version, Some(taken.version));
        }
        assert!(watching <= 8 + 4, "{watching} connections for 30 elections");
        assert!(proxy.connections() <= watching + 4);
    });
}

#[test]
fn a_lease_without_our_label_is_watched_too() {
    wait(async {
        let (namespace, proxy, cluster) = by_proxy().await;
        let candidate = |number: u32| {
            let object = json!({ "metadata": { "name": format!("job-{number}") }, "spec": {} });
            namespace.create_lease(&object).unwrap();
            contender_on(job(&cluster, number), "report-0", u128::from(number) + 1)
        };
        let candidates: Vec<Contender> = (0..12).map(candidate).collect();
        for candidate in &candidates {
            while candidate.lock.changed().await != Hint::Watching(true) {}
        }
        // The watch of all does not tell of them. Their own do, while there are few.
        for candidate in &candidates {
            candidate.observe().await.unwrap();
        }
        for (number, candidate) in candidates.iter().enumerate() {
            if number >= 8 {
                assert_eq!(candidate.lock.changed().await, Hint::Watching(false));
                continue;
            }
            while candidate.lock.changed().await != Hint::Watching(true) {}
            let edit = json!({ "metadata": { "labels": { "team": "billing" } } });
            let edited = edit_lease(&namespace, &format!("job-{number}"), &edit);
            while told(candidate).await.version != Some(edited) {}
        }
        assert!(proxy.connections() <= 8 + 8 + 4);

        // Whoever takes it labels it, and then it is told with the others.
        for (number, candidate) in (0..).zip(&candidates) {
            let rival = contender_on(job(&cluster, number), "report-1", 1000);
            let mut hold = leads(&rival).await.hold;
            while told(candidate).await.version != Some(hold.version) {}
            hold = renews(&rival, hold).await.unwrap();
            while told(candidate).await.version != Some(hold.version) {}
        }
    });
}

#[test]
fn whoever_joins_a_watch_that_works_does_not_disturb_it() {
    wait(async {
        let (_namespace, _proxy, cluster) = by_proxy().await;
        let candidates: Vec<Contender> = (0..9)
            .map(|number| contender_on(job(&cluster, number), "report-0", u128::from(number) + 1))
            .collect();
        for candidate in &candidates {
            leads(candidate).await;
            while candidate.lock.changed().await != Hint::Watching(true) {}
        }
        // This one was written before, and nobody writes it now.
        let rival = contender_on(job(&cluster, 9), "report-1", 1000);
        let hold = leads(&rival).await.hold;
        let late = contender_on(job(&cluster, 9), "report-0", 10);
        assert_eq!(late.lock.changed().await, Hint::Watching(true));
        late.observe().await.unwrap();
        pause(LATE).await;
        late.observe().await.unwrap();
        let hold = renews(&rival, hold).await.unwrap();
        told_undisturbed(&late, hold.version).await;
    });
}

#[test]
fn a_watch_that_hangs_is_opened_again_whoever_has_made_the_lease() {
    wait(async {
        let (namespace, proxy, cluster) = by_proxy().await;
        let object = json!({ "metadata": { "name": NAME }, "spec": {} });
        namespace.create_lease(&object).unwrap();
        let watcher = contender(&cluster, "report-0", 1);
        while watcher.lock.changed().await != Hint::Watching(true) {}
        proxy.hang();
        let edit = json!({ "metadata": { "labels": { "team": "billing" } } });
        let edited = edit_lease(&namespace, NAME, &edit);
        // The first read shows what the watch should tell, the second that it has not.
        let seen = watcher.observe().await.unwrap();
        assert_eq!(seen.version, Some(edited));
        pause(LATE).await;
        watcher.observe().await.unwrap();
        while watcher.lock.changed().await != Hint::Watching(false) {}
        while watcher.lock.changed().await != Hint::Watching(true) {}
        let edit = json!({ "spec": { "holderIdentity": "somebody" } });
        let edited = edit_lease(&namespace, NAME, &edit);
        while told(&watcher).await.version != Some(edited) {}
    });
}

#[test]
fn a_watch_that_died_silently_is_opened_again() {
    wait(async {
        let (namespace, proxy, cluster) = by_proxy().await;
        let watcher = contender(&cluster, "report-0", 1);
        let hold = leads(&watcher).await.hold;
        while watcher.lock.changed().await != Hint::Watching(true) {}
        // Everything that is open hangs; new connections do not.
        proxy.flow(Flow::Pass, Flow::Hold);
        let direct = Proxy::to(namespace.cluster.api().port());
        let rival = contender(&behind(&namespace, &direct).await, "report-1", 2);
        let taken = leads(&rival).await.hold;
        assert!(taken.version > hold.version);
        let _ = watcher.observe().await;
        proxy.reset();
        proxy.heal();
        let seen = loop {
            let seen = told(&watcher).await;
            if seen.version > Some(hold.version) {
                break seen;
            }
        };
        assert_eq!(seen.version, Some(taken.version));
    });
}
