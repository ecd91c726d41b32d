use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::account::{Account, Rule};
use crate::admin::Admin;
use crate::cast::boottime;
use crate::cluster::TestCluster;
use crate::wait::until;

/// A namespace of one test.
#[derive(Debug)]
pub struct Namespace<'a> {
    accounts: AtomicUsize,
    admin: Admin,
    /// The cluster that it is in.
    pub cluster: &'a TestCluster,
    /// Its name.
    pub name: String,
}

/// What a kubelet reports of a pod with one container, which is called `worker`.
#[derive(Clone, Debug)]
pub struct PodStatus {
    /// The container that is there, or was there last.
    pub container: String,
    /// When it ended, and the container that runs since, as the kubelet of a healthy node reports it.
    pub ended: Option<(String, Option<String>)>,
    /// Whether the pod is ready.
    pub ready: bool,
    /// When the container started, as RFC 3339.
    pub started: String,
}

impl<'a> Namespace<'a> {
    pub(crate) fn make(cluster: &'a TestCluster, name: String) -> Self {
        let admin = cluster.admin();
        let body = json!({ "metadata": { "name": name } });
        admin
            .call(&Method::POST, "/api/v1/namespaces", Some(&body))
            .unwrap();
        Self {
            accounts: AtomicUsize::new(0),
            admin,
            cluster,
            name,
        }
    }

    fn call(&self, method: &Method, rest: &str, body: Option<&Value>) -> Result<Value, String> {
        let (group, rest) = rest.split_once('/').unwrap();
        let root = match group {
            "core" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/v1"),
        };
        let path = format!("{root}/namespaces/{}/{rest}", self.name);
        self.admin.call(method, &path, body)
    }

    /// A service account that may do what `rules` say.
    ///
    /// # Panics
    /// As all here, when the API server refuses.
    pub fn account(&self, rules: &[Rule]) -> Account {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        let name = format!("account-{number}");
        let meta = json!({ "metadata": { "name": name } });
        self.call(&Method::POST, "core/serviceaccounts", Some(&meta))
            .unwrap();
        let role = json!({
            "metadata": { "name": name },
            "rules": rules.iter().map(|rule| rule.to_json()).collect::<Vec<_>>(),
        });
        self.call(
            &Method::POST,
            "rbac.authorization.k8s.io/roles",
            Some(&role),
        )
        .unwrap();
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": self.name }],
        });
        self.call(
            &Method::POST,
            "rbac.authorization.k8s.io/rolebindings",
            Some(&binding),
        )
        .unwrap();
        let mut account = Account {
            certificate: self.cluster.api().certificate(),
            name,
            namespace: self.name.clone(),
            token: String::new(),
        };
        account.token = self.token(&account);
        if let Some(rule) = rules.first() {
            self.wait_until_allowed(&account, *rule, true);
        }
        account
    }

    /// A new token of the account.
    pub fn token(&self, account: &Account) -> String {
        let path = format!("core/serviceaccounts/{}/token", account.name);
        let body = json!({ "spec": { "expirationSeconds": 3600 } });
        let token = self.call(&Method::POST, &path, Some(&body)).unwrap();
        token["status"]["token"].as_str().unwrap().to_owned()
    }

    /// Makes all tokens of the account worthless: it is deleted, and made anew.
    pub fn revoke_tokens(&self, account: &Account) {
        let path = format!("core/serviceaccounts/{}", account.name);
        self.call(&Method::DELETE, &path, None).unwrap();
        let meta = json!({ "metadata": { "name": account.name } });
        self.call(&Method::POST, "core/serviceaccounts", Some(&meta))
            .unwrap();
    }

    /// Grants exactly `rules` to the account, and waits until the API server knows.
    pub fn grant(&self, account: &Account, rules: &[Rule]) {
        let path = format!("rbac.authorization.k8s.io/roles/{}", account.name);
        let before = self.call(&Method::GET, &path, None).unwrap();
        let role = json!({ "rules": rules.iter().map(|rule| rule.to_json()).collect::<Vec<_>>() });
        self.call(&Method::PATCH, &path, Some(&role)).unwrap();
        // Withdrawn rights are those of the old rules that are in none of the new ones.
        for old in before["rules"].as_array().into_iter().flatten() {
            for verb in old["verbs"].as_array().into_iter().flatten() {
                let resource = old["resources"][0].as_str().unwrap();
                let verb = verb.as_str().unwrap();
                let keeps = |rule: &Rule| rule.resource == resource && rule.verbs.contains(&verb);
                if !rules.iter().any(keeps) {
                    self.wait_for(
                        account,
                        old["apiGroups"][0].as_str().unwrap(),
                        resource,
                        verb,
                        false,
                    );
                }
            }
        }
        for rule in rules {
            self.wait_until_allowed(account, *rule, true);
        }
    }

    fn wait_until_allowed(&self, account: &Account, rule: Rule, allowed: bool) {
        for verb in rule.verbs {
            self.wait_for(account, rule.group, rule.resource, verb, allowed);
        }
    }

    fn wait_for(&self, account: &Account, group: &str, resource: &str, verb: &str, allowed: bool) {
        let review = json!({
            "spec": {
                "user": format!("system:serviceaccount:{}:{}", self.name, account.name),
                "resourceAttributes": { "namespace": self.name, "group": group, "resource": resource, "verb": verb },
            },
        });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        until("a change of rights", || {
            let answer = self.admin.call(&Method::POST, path, Some(&review)).unwrap();
            let granted = answer["status"]["allowed"].as_bool().unwrap_or(false);
            (granted == allowed).then_some(())
        });
    }

    /// The Lease, if there is one.
    pub fn lease(&self, name: &str) -> Option<Value> {
        self.call(
            &Method::GET,
            &format!("coordination.k8s.io/leases/{name}"),
            None,
        )
        .ok()
    }

    /// Makes a Lease from the ground up.
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn create_lease(&self, object: &Value) -> Result<Value, String> {
        self.call(&Method::POST, "coordination.k8s.io/leases", Some(object))
    }

    /// Changes the Lease by a merge patch, as `kubectl patch` does.
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn patch_lease(&self, name: &str, patch: &Value) -> Result<Value, String> {
        self.call(
            &Method::PATCH,
            &format!("coordination.k8s.io/leases/{name}"),
            Some(patch),
        )
    }

    /// Deletes the Lease.
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn delete_lease(&self, name: &str) -> Result<(), String> {
        self.call(
            &Method::DELETE,
            &format!("coordination.k8s.io/leases/{name}"),
            None,
        )
        .map(drop)
    }

    /// Makes a pod with one container called `worker`, and says its uid. No kubelet runs it.
    pub fn create_pod(&self, name: &str, labels: &Value) -> String {
        let pod = json!({
            "metadata": { "name": name, "labels": labels },
            "spec": { "nodeName": "node-1", "containers": [{ "name": "worker", "image": "none" }] },
        });
        let pod = self.call(&Method::POST, "core/pods", Some(&pod)).unwrap();
        pod["metadata"]["uid"].as_str().unwrap().to_owned()
    }

    /// Reports the pod's status as its kubelet would.
    pub fn report_pod(&self, name: &str, status: &PodStatus) {
        let status = json!({ "status": status.to_json() });
        self.call(
            &Method::PATCH,
            &format!("core/pods/{name}/status"),
            Some(&status),
        )
        .unwrap();
    }

    /// Changes the pod by a merge patch.
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn patch_pod(&self, name: &str, patch: &Value) -> Result<Value, String> {
        self.call(&Method::PATCH, &format!("core/pods/{name}"), Some(patch))
    }

    /// The pod, if there is one.
    pub fn pod(&self, name: &str) -> Option<Value> {
        self.call(&Method::GET, &format!("core/pods/{name}"), None)
            .ok()
    }

    /// Deletes the pod at once.
    pub fn delete_pod(&self, name: &str) {
        let options = json!({ "gracePeriodSeconds": 0 });
        self.call(
            &Method::DELETE,
            &format!("core/pods/{name}"),
            Some(&options),
        )
        .unwrap();
    }
}

impl PodStatus {
    /// Of a pod whose container runs since `started`.
    pub fn running(container: &str, started: &str) -> Self {
        Self {
            container: container.to_owned(),
            ended: None,
            ready: true,
            started: started.to_owned(),
        }
    }

    /// Of a pod whose container is the whole machine, as far as a process can tell that runs in it: since the machine's first process does.
    pub fn of_this_machine(container: &str) -> Self {
        Self::running(container, &first_process_began())
    }

    fn to_json(&self) -> Value {
        let running = json!({ "running": { "startedAt": self.started } });
        let ready = if self.ready { "True" } else { "False" };
        let terminated = |at: &str| {
            json!({ "terminated": {
                "containerID": self.container, "exitCode": 137, "reason": "Error",
                "startedAt": self.started, "finishedAt": at,
            } })
        };
        let (id, state, last) = match &self.ended {
            None => (&self.container, running, json!({})),
            Some((at, None)) => (&self.container, terminated(at), json!({})),
            Some((at, Some(next))) => {
                let state = json!({ "running": { "startedAt": at } });
                (next, state, terminated(at))
            }
        };
        json!({
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": ready }],
            "containerStatuses": [{
                "name": "worker", "image": "none", "imageID": "", "ready": self.ready, "restartCount": 0,
                "containerID": id, "state": state, "lastState": last,
            }],
        })
    }
}

/// When the machine's first process began, by the wall clock, as a kubelet writes times.
fn first_process_began() -> String {
    let stat = std::fs::read_to_string("/proc/1/stat").unwrap();
    // The command's name is in parentheses and may contain anything.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: u64 = fields.split_whitespace().nth(19).unwrap().parse().unwrap();
    let per_second = rustix::param::clock_ticks_per_second();
    let after_boot = Duration::from_millis(ticks * 1_000 / per_second);
    let wall = clock_gettime(ClockId::Realtime);
    let nanos = u32::try_from(wall.tv_nsec).unwrap();
    let wall = Duration::new(u64::try_from(wall.tv_sec).unwrap(), nanos);
    let began = wall.saturating_sub(boottime().saturating_sub(after_boot));
    // The nearest second, so that it is the same one whenever this is asked.
    let second = (began + Duration::from_millis(500)).as_secs();
    let date = format!("--date=@{second}");
    let output = Command::new("date")
        .args(["--utc", &date, "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
