use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use tenure_backends::host::SystemClock;
use tenure_core::memory::Operation;
use tenure_core::testing::conformance::{Ability, Fixture, TestLock, Trouble};
use tenure_core::{Clock, LockBackend};
use tenure_testkit::{Account, Namespace, Proxy, TestCluster, WATCH_RULES};

use crate::scene::{NAME, cluster_behind, election, wait};

#[derive(Debug)]
struct Server;

struct Lease {
    account: Account,
    namespace: Namespace<'static>,
    proxies: Mutex<BTreeMap<usize, Arc<Proxy>>>,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.namespace.name)
    }
}

fn trouble(error: impl std::fmt::Display) -> Trouble {
    Trouble::new(error.to_string())
}

impl Lease {
    fn proxy(&self, number: usize) -> Arc<Proxy> {
        Arc::clone(&self.proxies.lock().unwrap()[&number])
    }

    fn patch(&self, patch: &Value) -> Result<(), Trouble> {
        self.namespace
            .patch_lease(NAME, patch)
            .map(drop)
            .map_err(trouble)
    }
}

#[async_trait]
impl Fixture for Server {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        let namespace = TestCluster::shared().namespace();
        Ok(Box::new(Lease {
            account: namespace.account(WATCH_RULES),
            namespace,
            proxies: Mutex::default(),
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let pods = "members are pods, which nobody enlists";
        let version =
            "the token is the version of the acquiring write, which only its answer tells";
        vec![(Ability::Enlist, pods), (Ability::TellTokenAtOnce, version)]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(SystemClock::new()))
    }
}

#[async_trait]
impl TestLock for Lease {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let proxy = Arc::new(Proxy::to(self.namespace.cluster.api().port()));
        let cluster = cluster_behind(&self.account, &proxy).await;
        self.proxies.lock().unwrap().insert(number, proxy);
        Ok(Arc::new(cluster.lock(election()).map_err(trouble)?))
    }

    async fn crash(&self, _number: usize) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.namespace.delete_lease(NAME).map_err(trouble)
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        self.patch(&json!({ "metadata": { "labels": { "edited": "yes" } } }))
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        self.patch(&json!({ "spec": { "holderIdentity": null } }))
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        let mut object = self.namespace.lease(NAME).unwrap();
        self.delete_lock().await?;
        let meta = object["metadata"].as_object_mut().unwrap();
        for key in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "managedFields",
        ] {
            meta.remove(key);
        }
        self.namespace
            .create_lease(&object)
            .map(drop)
            .map_err(trouble)
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        self.patch(&json!({ "spec": { "holderIdentity": "???", "renewTime": null } }))
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        self.patch(&json!({ "spec": { "holderIdentity": holder } }))
    }

    async fn lose_next_reply(&self, number: usize, _operation: Operation) -> Result<(), Trouble> {
        self.proxy(number).lose_next_reply();
        Ok(())
    }

    async fn lose_next_request(&self, number: usize, _operation: Operation) -> Result<(), Trouble> {
        self.proxy(number).lose_next_request();
        Ok(())
    }
}

tenure_core::conformance_tests!(wait, Server);
