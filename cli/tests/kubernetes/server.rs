//! A namespace of its own for each test on a real API server, and the program in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use http::Method;
use serde_json::{Value, json};
use tenure_testkit::{Account, Namespace, Proxy, Rule, TestCluster};

use crate::common::place::Candidate;
use crate::common::program::Program;

/// What somebody needs for whom nothing is to be missing.
const ALL: &[Rule] = &[
    leases(&["get", "list", "watch", "create", "update"]),
    Rule {
        group: "",
        resource: "pods",
        verbs: &["get", "list", "watch", "patch"],
    },
];

/// These verbs on Leases.
pub(crate) const fn leases(verbs: &'static [&'static str]) -> Rule {
    Rule {
        group: "coordination.k8s.io",
        resource: "leases",
        verbs,
    }
}

/// A namespace with one election, seen by somebody with certain rights.
#[derive(Debug)]
pub(crate) struct Place {
    account: Account,
    election: &'static str,
    folder: tempfile::TempDir,
    pub(crate) namespace: Rc<Namespace<'static>>,
}

/// Makes an object, as strictly as the server can be.
pub(crate) fn make(path: &str, object: &Value) {
    let path = format!("{path}?fieldValidation=Strict");
    let made = TestCluster::shared()
        .admin()
        .call(&Method::POST, &path, Some(object));
    made.unwrap_or_else(|refusal| panic!("{path}: {refusal}\n{object:#}"));
}

impl Place {
    /// A new namespace, seen by who may do everything that the program ever does.
    pub(crate) fn new(election: &'static str) -> Self {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(ALL);
        Self::seen_by(election, Rc::new(namespace), account)
    }

    fn seen_by(
        election: &'static str,
        namespace: Rc<Namespace<'static>>,
        account: Account,
    ) -> Self {
        let place = Self {
            account,
            election,
            folder: tempfile::tempdir().unwrap(),
            namespace,
        };
        place.write_kubeconfig(TestCluster::shared().api().port());
        place
    }

    /// The same, by way of a proxy.
    pub(crate) fn by_way_of(&self, proxy: &Proxy) -> Self {
        let place = self.with_token(&self.account.token);
        place.write_kubeconfig(proxy.port());
        place
    }

    fn write_kubeconfig(&self, port: u16) {
        let kubeconfig = self.kubeconfig(port).to_string();
        std::fs::write(self.kubeconfig_path(), kubeconfig).unwrap();
    }

    fn kubeconfig_path(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// A kubeconfig with two contexts for the namespace.
    fn kubeconfig(&self, port: u16) -> Value {
        let api = TestCluster::shared().api();
        let context = |name| {
            json!({ "name": name, "context": {
                "cluster": "test", "user": "test", "namespace": self.namespace.name,
            }})
        };
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "clusters": [{ "name": "test", "cluster": {
                "server": format!("https://127.0.0.1:{port}"),
                "certificate-authority": api.certificate(),
            }}],
            "users": [{ "name": "test", "user": { "token": self.account.token } }],
            "contexts": [context("main"), context("odd@name/x")],
        })
    }

    /// The same, seen by who has this token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        let mut account = self.account.clone();
        account.token = token.to_owned();
        Self::seen_by(self.election, Rc::clone(&self.namespace), account)
    }

    /// The same, seen by a service account that somebody else has made.
    pub(crate) fn as_service_account(&self, name: &str) -> Self {
        let mut account = self.account.clone();
        account.name = name.to_owned();
        self.with_token(&self.namespace.token(&account))
    }

    /// The same, seen by who may do no more than this.
    pub(crate) fn with_rights(&self, rules: &[Rule]) -> Self {
        let account = self.namespace.account(rules);
        Self::seen_by(self.election, Rc::clone(&self.namespace), account)
    }

    /// Lets its account make Leases in all namespaces.
    pub(crate) fn allow_everywhere(&self) {
        let name = &self.namespace.name;
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let rule = json!({ "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create"] });
        let role = json!({ "metadata": { "name": name }, "rules": [rule] });
        make(&format!("{rbac}/clusterroles"), &role);
        let subject =
            json!({ "kind": "ServiceAccount", "name": self.account.name, "namespace": name });
        let role =
            json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name });
        let binding =
            json!({ "metadata": { "name": name }, "roleRef": role, "subjects": [subject] });
        make(&format!("{rbac}/clusterrolebindings"), &binding);
    }

    /// Makes the token worthless.
    pub(crate) fn revoke_token(&self) {
        self.namespace.revoke_tokens(&self.account);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A candidate in a pod of this name, whose job takes its time.
    pub(crate) fn candidate(&self, pod: &str, options: &[&str]) -> Candidate {
        let mut tenure = self.tenure("run");
        tenure.args(["--pod-name", pod]);
        if !options.contains(&"--timing") {
            tenure.args(["--timing", "fast"]);
        }
        tenure.args(options).args(["--", "sleep", "600"]);
        Candidate::of(&mut tenure)
    }
}

impl Program for Place {
    fn tenure(&self, command: &str) -> Command {
        let mut tenure = Command::new(env!("CARGO_BIN_EXE_tenure"));
        tenure
            .arg(command)
            .env("KUBECONFIG", self.kubeconfig_path())
            .env(
                "TENURE_LOCK",
                format!("kubernetes://{}/{}", self.namespace.name, self.election),
            )
            .current_dir(self.folder())
            .stdin(Stdio::null());
        tenure
    }
}
