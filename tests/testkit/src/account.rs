//! Service accounts, what they may do, and how they come in.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::admin::runtime;

/// What may be done to one kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The API group, such as `coordination.k8s.io`.
    pub group: &'static str,
    /// The resource, such as `leases`.
    pub resource: &'static str,
    /// The verbs, such as `get`.
    pub verbs: &'static [&'static str],
}

const fn rule(group: &'static str, resource: &'static str, verbs: &'static [&'static str]) -> Rule {
    Rule {
        group,
        resource,
        verbs,
    }
}

/// What the users of Camel's cluster service have granted.
pub const CAMEL_RULES: &[Rule] = &[
    rule(
        "coordination.k8s.io",
        "leases",
        &["get", "create", "update", "list"],
    ),
    rule("", "pods", &["get", "list"]),
];

/// The same, and to watch both.
pub const WATCH_RULES: &[Rule] = &[
    rule(
        "coordination.k8s.io",
        "leases",
        &["get", "create", "update", "list", "watch"],
    ),
    rule("", "pods", &["get", "list", "watch"]),
];

/// A service account of a namespace.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) certificate: PathBuf,
    /// Its name.
    pub name: String,
    pub(crate) namespace: String,
    /// A token of it.
    pub token: String,
}

impl Rule {
    pub(crate) fn to_json(self) -> Value {
        json!({ "apiGroups": [self.group], "resources": [self.resource], "verbs": self.verbs })
    }
}

impl Account {
    /// Trusts this server's certificate from now on, instead of the first one's.
    pub fn trust(&mut self, certificate: PathBuf) {
        self.certificate = certificate;
    }

    /// How it comes in at `port`: an API server's, or a proxy's before it.
    pub fn config(&self, port: u16) -> Config {
        config(port, &self.certificate, &self.token, &self.namespace)
    }

    /// A kubeconfig file in `directory` that comes in at `port`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn kubeconfig(&self, directory: &Path, port: u16) -> PathBuf {
        let path = directory.join(format!("kubeconfig-{}-{port}", self.name));
        self.write_kubeconfig(&path, port);
        path
    }

    /// Writes the kubeconfig file anew: a rotated token.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_kubeconfig(&self, path: &Path, port: u16) {
        let content = kubeconfig(port, &self.certificate, &self.token, &self.namespace);
        let new = path.with_extension("new");
        std::fs::write(&new, content.to_string()).unwrap();
        std::fs::rename(&new, path).unwrap();
    }
}

fn kubeconfig(port: u16, certificate: &Path, token: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test", "namespace": namespace } }],
        "clusters": [{
            "name": "test",
            "cluster": { "server": format!("https://127.0.0.1:{port}"), "certificate-authority": certificate },
        }],
        "users": [{ "name": "test", "user": { "token": token } }],
    })
}

pub(crate) fn config(port: u16, certificate: &Path, token: &str, namespace: &str) -> Config {
    let text = kubeconfig(port, certificate, token, namespace).to_string();
    let (made, config) = channel();
    runtime().spawn(async move {
        let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        drop(made.send(config.unwrap()));
    });
    config.recv().unwrap()
}
