//! What the tests share.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tenure_backends::kubernetes::{Cluster, ClusterBuilder, LeaseLock};
use tenure_core::backend::{Grant, Hint, Hold, Renewed};
use tenure_core::testing::Contender;
use tenure_core::{ElectionName, Error, Version};
use tenure_testkit::{Account, Namespace, Proxy, TestCluster, WATCH_RULES};

pub(crate) const NAME: &str = "nightly";
/// Far more than anything here takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn election() -> ElectionName {
    ElectionName::new(NAME).unwrap()
}

/// Runs a test on a runtime of its own, but not for ever.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let limited = tokio::time::timeout(PATIENCE, future);
        limited.await.expect("a test takes less than a minute")
    })
}

/// Lets `duration` pass, between two looks at something.
#[expect(clippy::disallowed_methods, reason = "real servers need real time")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// A namespace of its own, and the cluster as an account with all rights sees it.
pub(crate) async fn place() -> (Namespace<'static>, Cluster) {
    let namespace = TestCluster::shared().namespace();
    let account = namespace.account(WATCH_RULES);
    let cluster = builder(&namespace, &account).open().await.unwrap();
    (namespace, cluster)
}

/// How the account comes in at the API server.
pub(crate) fn builder(namespace: &Namespace<'_>, account: &Account) -> ClusterBuilder {
    Cluster::builder().config(account.config(namespace.cluster.api().port()))
}

pub(crate) async fn cluster_behind(account: &Account, proxy: &Proxy) -> Cluster {
    let builder = Cluster::builder().config(account.config(proxy.port()));
    builder.open().await.unwrap()
}

/// A candidate that does what the test tells it.
pub(crate) fn contender(cluster: &Cluster, name: &str, bits: u128) -> Contender {
    contender_on(cluster.lock(election()).unwrap(), name, bits)
}

pub(crate) fn contender_on(lock: LeaseLock, name: &str, bits: u128) -> Contender {
    Contender::new(Arc::new(lock), name, bits).unwrap()
}

pub(crate) async fn leads(contender: &Contender) -> Grant {
    let grant = contender.try_lead().await.unwrap();
    grant.expect("a lock that may be taken is granted")
}

pub(crate) async fn renews(contender: &Contender, hold: Hold) -> Result<Hold, Error> {
    match contender.lock.renew(&contender.renewal(hold)).await? {
        Renewed::Confirmed(receipt) => Ok(Hold {
            version: receipt.version,
            ..hold
        }),
        Renewed::Conflict(seen) => panic!("the hold stands, but a renewal met {seen:?}"),
    }
}

/// Waits until the watch has told this version, and has not been given up meanwhile.
pub(crate) async fn told_undisturbed(contender: &Contender, version: Version) {
    loop {
        match contender.lock.changed().await {
            Hint::Seen(seen) if seen.version == Some(version) => return,
            Hint::Watching(works) => assert!(works, "a watch that was not late was given up"),
            _ => {}
        }
    }
}

/// A part of the Lease as the API server has it.
pub(crate) fn part(namespace: &Namespace<'_>, pointer: &str) -> Value {
    let lease = namespace.lease(NAME).unwrap();
    lease.pointer(pointer).cloned().unwrap_or_default()
}

/// The present, as a kubelet writes it.
pub(crate) fn now() -> String {
    let now = tenure_core::Clock::wall(&tenure_backends::host::SystemClock::new());
    tenure_core::WallTime::from_unix_seconds(now.unix_seconds()).to_string()
}
