//! The example of a controller on a real API server: one of two reconciles, and the other goes on when it is killed.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use http::Method;
use serde_json::{Value, json};
use tenure_testkit::{Namespace, Rule, TestCluster, until};

const RIGHTS: &[Rule] = &[
    Rule {
        group: "coordination.k8s.io",
        resource: "leases",
        verbs: &["get", "create", "update", "watch"],
    },
    Rule {
        group: "",
        resource: "configmaps",
        verbs: &["get", "list", "watch", "update"],
    },
];

/// Builds the example; cargo does nothing when it is up to date.
fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", "tenure"])
        .args(["--features", "kubernetes", "--example", "controller"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the example could not be built");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap()
}

/// A process of the example, which is killed with the test.
#[derive(Debug)]
struct Controller {
    child: Child,
    log: PathBuf,
}

impl Controller {
    fn start(program: &Path, kubeconfig: &Path, log: PathBuf) -> Self {
        let child = Command::new(program)
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The ConfigMap that is to be greeted.
struct Greeting<'a> {
    namespace: &'a Namespace<'a>,
}

impl Greeting<'_> {
    fn call(&self, method: &Method, name: &str, body: Option<&Value>) -> Value {
        let namespace = &self.namespace.name;
        let path = format!("/api/v1/namespaces/{namespace}/configmaps{name}");
        let answer = self.namespace.cluster.admin().call(method, &path, body);
        answer.unwrap()
    }

    fn make(&self) {
        let object = json!({
            "metadata": { "name": "ada", "labels": { "example": "greeting" } },
            "data": { "name": "Ada" },
        });
        self.call(&Method::POST, "", Some(&object));
    }

    fn damage(&self) {
        let damage = json!({ "data": { "greeting": "goodbye" } });
        self.call(&Method::PATCH, "/ada", Some(&damage));
    }

    /// The token that the right greeting was written under, once it is there.
    fn wait_for_token(&self) -> u64 {
        until("a greeting", || {
            let seen = self.call(&Method::GET, "/ada", None);
            let token = seen["metadata"]["annotations"]["example/token"].as_str()?;
            (seen["data"]["greeting"] == "hello, Ada").then(|| token.parse().unwrap())
        })
    }
}

#[test]
fn only_the_leader_reconciles_and_the_next_one_heals_what_it_left() {
    let program = build();
    let cluster = TestCluster::shared();
    let namespace = cluster.namespace();
    let folder = tempfile::tempdir().unwrap();
    let account = namespace.account(RIGHTS);
    let kubeconfig = account.kubeconfig(folder.path(), cluster.api().port());
    let start = |name: &str| Controller::start(&program, &kubeconfig, folder.path().join(name));
    let controls = |controller: &Controller| controller.said().contains("controlling");

    let mut first = start("first");
    until("a leader", || controls(&first).then_some(()));
    let second = start("second");
    let greeting = Greeting {
        namespace: &namespace,
    };
    greeting.make();
    let token = greeting.wait_for_token();
    greeting.damage();
    assert_eq!(greeting.wait_for_token(), token, "the same leader heals");
    assert!(!controls(&second), "two control:\n{}", second.said());

    first.kill();
    greeting.damage();
    let next = greeting.wait_for_token();
    assert!(next > token, "{next} does not come after {token}");
    assert!(second.said().contains("greeted ada"), "{}", second.said());
}
