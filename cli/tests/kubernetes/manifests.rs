//! What is in `deploy/kubernetes`, taken as kustomize takes it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use tenure_testkit::TestCluster;

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::wait_until;
use crate::server::{Place, make};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes")
}

/// Objects that a kustomization makes, and the files that it is made of.
#[derive(Default, Debug)]
struct Rendered {
    files: BTreeSet<PathBuf>,
    objects: Vec<Value>,
}

impl Rendered {
    fn of(folder: &str) -> Self {
        let mut rendered = Self::default();
        rendered.take(&root().join(folder));
        rendered
    }

    fn read(&mut self, path: &Path) -> Value {
        let text = std::fs::read_to_string(path).unwrap();
        self.files.insert(path.canonicalize().unwrap());
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Takes a file with an object, or a folder with a kustomization, of which only what is used here is understood.
    fn take(&mut self, path: &Path) {
        if path.is_file() {
            let object = self.read(path);
            self.objects.push(object);
            return;
        }
        let kustomization = self.read(&path.join("kustomization.yaml"));
        let known = ["apiVersion", "kind", "resources", "components", "patches"];
        let mut keys = kustomization.as_object().unwrap().keys();
        assert!(
            keys.all(|key| known.contains(&key.as_str())),
            "{} has what is not understood: {kustomization}",
            path.display()
        );
        let list = |key| kustomization[key].as_array().into_iter().flatten();
        for name in list("resources").chain(list("components")) {
            self.take(&path.join(name.as_str().unwrap()));
        }
        for patch in list("patches") {
            let steps = self.read(&path.join(patch["path"].as_str().unwrap()));
            self.patch(&patch["target"], &steps);
        }
    }

    /// Applies a patch of RFC 6902 that only adds to lists.
    fn patch(&mut self, target: &Value, steps: &Value) {
        let aimed_at = |object: &&mut Value| {
            object["kind"] == target["kind"] && object["metadata"]["name"] == target["name"]
        };
        let mut aimed_at = self.objects.iter_mut().filter(aimed_at);
        let object = aimed_at.next().unwrap_or_else(|| panic!("no {target}"));
        for step in steps.as_array().unwrap() {
            assert_eq!(step["op"], "add");
            let list = step["path"].as_str().unwrap().strip_suffix("/-").unwrap();
            let list = object.pointer_mut(list).unwrap().as_array_mut().unwrap();
            list.push(step["value"].clone());
        }
    }

    fn of_kind(&self, kind: &str) -> &Value {
        let mut found = self.objects.iter().filter(|object| object["kind"] == kind);
        found.next().unwrap_or_else(|| panic!("there is no {kind}"))
    }

    /// Makes all objects, as strictly as the server can be.
    fn make(&self, namespace: &str) {
        for object in &self.objects {
            let kind = object["kind"].as_str().unwrap();
            let version = object["apiVersion"].as_str().unwrap();
            let prefix = if version == "v1" { "/api" } else { "/apis" };
            let cluster = ["ClusterRole", "ClusterRoleBinding", "FlowSchema"].contains(&kind);
            let place = if cluster {
                String::new()
            } else {
                format!("/namespaces/{namespace}")
            };
            let plural = format!("{}s", kind.to_lowercase());
            make(&format!("{prefix}/{version}{place}/{plural}"), object);
        }
    }

    fn container(&self) -> &Value {
        &self.of_kind("Deployment")["spec"]["template"]["spec"]["containers"][0]
    }

    /// Runs the container's command as the Deployment would, in the pod `pod`.
    fn run(&self, place: &Place, pod: &str, log: &Path) -> Candidate {
        let container = self.container();
        let mut tenure = std::process::Command::new(env!("CARGO_BIN_EXE_tenure"));
        let arguments = container["args"].as_array().unwrap();
        tenure
            .args(arguments.iter().map(|text| text.as_str().unwrap()))
            .envs(environment(container, pod))
            .env("KUBECONFIG", place.folder().join("kubeconfig"))
            .current_dir(place.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(log).unwrap());
        Candidate::of(&mut tenure)
    }
}

/// What a container has in its environment, in a pod of this name.
fn environment(container: &Value, pod: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let variables = container["env"].as_array().unwrap().iter();
    let value = |variable: &Value| {
        let field = variable.pointer("/valueFrom/fieldRef/fieldPath");
        match field.and_then(Value::as_str) {
            None => text(&variable["value"]).unwrap(),
            Some("metadata.name") => pod.to_owned(),
            Some(other) => panic!("{other} is not known here"),
        }
    };
    variables
        .map(|variable| (text(&variable["name"]).unwrap(), value(variable)))
        .collect()
}

/// One namespace with all of a kustomization, seen by its service account.
fn deployed(election: &'static str, rendered: &Rendered) -> Place {
    let place = Place::new(election);
    rendered.make(&place.namespace.name);
    place
}

fn leads(admin: &Place, account: &Place, rendered: &Rendered) -> String {
    let log = account.folder().join("log");
    let lock = format!("kubernetes://{}/report", admin.namespace.name);
    admin.json("init", &["--lock", &lock]);
    let _candidate = rendered.run(account, "p-1", &log);
    wait_until("a leader", || {
        admin.json("status", &["--lock", &lock])["leader"]["name"] == "p-1"
    });
    wait_until("a renewal", || {
        admin.json("status", &["--lock", &lock])["token"].is_u64()
    });
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn the_least_role_is_enough_to_lead_and_to_watch() {
    let rendered = Rendered::of("base");
    let admin = deployed("base", &rendered);
    let log = leads(&admin, &admin.as_service_account("report"), &rendered);
    assert!(!log.contains("lacks the right"), "{log}");
}

#[test]
fn all_components_together_have_the_rights_that_they_need() {
    let rendered = Rendered::of("");
    let admin = deployed("whole", &rendered);
    let template = &rendered.of_kind("Deployment")["spec"]["template"];
    admin
        .namespace
        .create_pod("p-1", &template["metadata"]["labels"]);
    let log = leads(&admin, &admin.as_service_account("report"), &rendered);
    assert!(!log.contains("lacks the right"), "{log}");

    let service = rendered.of_kind("Service")["spec"]["selector"].clone();
    let chosen = |labels: &Value| {
        let wanted = service.as_object().unwrap();
        wanted.iter().all(|(key, value)| labels[key] == *value)
    };
    // It stays on a pod whose process was killed.
    let labels = &admin.namespace.pod("p-1").unwrap()["metadata"]["labels"];
    assert!(chosen(labels), "{labels}");
    let members = environment(rendered.container(), "p-1");
    let members = members.iter().find(|(name, _)| name == "TENURE_MEMBERS");
    let (key, value) = members.unwrap().1.split_once('=').unwrap();
    assert_eq!(template["metadata"]["labels"][key], value);

    let path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/tenure-leader-election";
    wait_until("a priority level that exists", || {
        let admin = TestCluster::shared().admin();
        let schema = admin.call(&Method::GET, path, None).unwrap();
        let conditions = schema["status"]["conditions"].as_array().cloned();
        conditions
            .unwrap_or_default()
            .iter()
            .any(|condition| condition["type"] == "Dangling" && condition["status"] == "False")
    });
}

#[test]
fn the_role_that_camels_users_have_is_enough() {
    let mut rendered = Rendered::of("camel");
    let place = Place::new("camel");
    // The binding names the namespace that it is meant for.
    for object in &mut rendered.objects {
        if let Some(subject) = object.pointer_mut("/subjects/0") {
            subject["namespace"] = json!(place.namespace.name);
        }
    }
    rendered.make(&place.namespace.name);
    let mut base = Rendered::of("base");
    base.objects
        .retain(|object| object["kind"] == "ServiceAccount");
    base.make(&place.namespace.name);
    let log = leads(
        &place,
        &place.as_service_account("report"),
        &Rendered::of("base"),
    );
    assert!(log.contains("polling instead"), "{log}");
}

#[test]
fn every_file_is_part_of_what_is_tested() {
    let mut reached = Rendered::of("").files;
    reached.append(&mut Rendered::of("camel").files);
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(
                    reached.contains(&path.canonicalize().unwrap()),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn a_pod_has_the_time_to_end_that_its_timing_may_take() {
    let rendered = Rendered::of("");
    let container = rendered.container();
    let timings = [
        "--timing",
        "--lease",
        "--renew",
        "--stop-timeout",
        "--drain-timeout",
        "--drift",
    ];
    let arguments = container["args"].as_array().unwrap().iter();
    let mut arguments = arguments.map(|text| text.as_str().unwrap());
    assert!(
        arguments.all(|text| !timings.contains(&text)),
        "the timing is in the environment"
    );
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tenure"))
        .args(["guarantees", "--kind", "leased", "--json"])
        .envs(environment(container, "p-1"))
        .output()
        .unwrap();
    let guarantees: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ms = |name: &str| guarantees[name].as_u64().unwrap();
    let takes = ms("drain_timeout_ms") + ms("stop_timeout_ms") + ms("request_timeout_ms");
    let pod = &rendered.of_kind("Deployment")["spec"]["template"]["spec"];
    assert_eq!(
        pod["terminationGracePeriodSeconds"],
        takes.div_ceil(1000) + 1
    );
}
