use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use tenure_backends::host::SystemClock;
use tenure_backends::kubernetes::Cluster;
use tenure_backends::kubernetes::kube::{self, Config, config::KubeConfigOptions};
use tenure_core::testing::conformance::{Ability, Fixture, TestLock, Trouble};
use tenure_core::{Clock, ElectionName, LockBackend};

#[derive(Debug)]
struct Server;

struct Lease {
    admin: kube::Client,
    cluster: Cluster,
    name: String,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

fn trouble(error: impl std::fmt::Display) -> Trouble {
    Trouble::new(error.to_string())
}

impl Lease {
    fn path(&self) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/{}",
            self.name
        )
    }
    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Trouble> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(
                "content-type",
                if method == "PATCH" {
                    "application/merge-patch+json"
                } else {
                    "application/json"
                },
            )
            .body(
                body.map(|b| serde_json::to_vec(&b).unwrap())
                    .unwrap_or_default(),
            )
            .map_err(trouble)?;
        self.admin.request(request).await.map_err(trouble)
    }
    async fn patch(&self, body: Value) -> Result<(), Trouble> {
        self.send("PATCH", &self.path(), Some(body)).await.map(drop)
    }
}

#[async_trait]
impl Fixture for Server {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        static N: AtomicU64 = AtomicU64::new(0);
        let config = Config::from_kubeconfig(&KubeConfigOptions::default())
            .await
            .map_err(trouble)?;
        let admin = kube::Client::try_from(config.clone()).map_err(trouble)?;
        let cluster = Cluster::builder()
            .config(config)
            .open()
            .await
            .map_err(trouble)?;
        Ok(Box::new(Lease {
            admin,
            cluster,
            name: format!(
                "t{}-{}",
                std::process::id(),
                N.fetch_add(1, Ordering::Relaxed)
            ),
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let pods = "members are pods, which nobody enlists";
        let version =
            "the token is the version of the acquiring write, which only its answer tells";
        vec![
            (Ability::Enlist, pods),
            (Ability::TellTokenAtOnce, version),
            (Ability::LoseReply, ""),
            (Ability::LoseRequest, ""),
        ]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(SystemClock::new()))
    }
}

#[async_trait]
impl TestLock for Lease {
    async fn handle(&self, _number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let lock = self
            .cluster
            .lock(ElectionName::new(&self.name).unwrap())
            .map_err(trouble)?;
        Ok(Arc::new(lock))
    }

    async fn crash(&self, _number: usize) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.send("DELETE", &self.path(), None).await.map(drop)
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        self.patch(json!({"metadata": {"labels": {"edited": "yes"}}}))
            .await
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        self.patch(json!({"spec": {"holderIdentity": null}})).await
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        let mut object = self.send("GET", &self.path(), None).await?;
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
        let path = self.path();
        let (collection, _) = path.rsplit_once('/').unwrap();
        self.send("POST", collection, Some(object)).await.map(drop)
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        self.patch(json!({"spec": {"holderIdentity": "???", "renewTime": null, "leaseDurationSeconds": null}})).await
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        self.patch(json!({"spec": {"holderIdentity": holder}}))
            .await
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .unwrap()
        .block_on(future)
}

tenure_core::conformance_tests!(wait, Server);
