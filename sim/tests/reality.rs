//! The simulated API server answers as the real one does.

use http::Method;
use kube::Client;
use serde_json::{Value, json};
use tenure_sim::api_server::differential::{Clients, Difference, compare, run, simulated};
use tenure_testkit::{TestCluster, until};

/// Who may do little, under the name that the simulated server knows it by.
const RESTRICTED: &str = "restricted";

/// A difference that is known, and why it is left.
struct Known {
    /// In the answer to what.
    step: &'static str,
    /// The end of the place in the answer.
    place: &'static str,
    why: &'static str,
}

const KNOWN: &[Known] = &[Known {
    step: "create, strategy",
    place: "/metadata/managedFields",
    why: "fields that the server drops have an owner all the same, which nobody reads",
}];

/// Lets a service account do everything, and a user of the name `restricted` what the script wants of it. The account may speak for that
/// user.
fn grant(cluster: &TestCluster, account: (&str, &str)) {
    let admin = cluster.admin();
    let (namespace, name) = account;
    let make = |path: &str, object: Value| {
        let made = admin.call(&Method::POST, path, Some(&object));
        made.expect("the administrator may make it")
    };
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let role = |kind: &str, name: &str| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name });
    make(
        &format!("{rbac}/clusterrolebindings"),
        json!({
            "metadata": { "name": "all" },
            "roleRef": role("ClusterRole", "cluster-admin"),
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": namespace }],
        }),
    );
    make(
        &format!("{rbac}/namespaces/default/roles"),
        json!({
            "metadata": { "name": RESTRICTED },
            "rules": [{
                "apiGroups": ["coordination.k8s.io"],
                "resources": ["leases"],
                "resourceNames": ["owned", "absent"],
                "verbs": ["get", "update"],
            }],
        }),
    );
    make(
        &format!("{rbac}/namespaces/default/rolebindings"),
        json!({
            "metadata": { "name": RESTRICTED },
            "roleRef": role("Role", RESTRICTED),
            "subjects": [role("User", RESTRICTED)],
        }),
    );
    let users = [
        (
            format!("system:serviceaccount:{namespace}:{name}"),
            "delete",
        ),
        (RESTRICTED.to_owned(), "update"),
    ];
    for (user, verb) in users {
        let attributes = json!({
            "namespace": "default", "group": "coordination.k8s.io", "resource": "leases", "name": "owned", "verb": verb,
        });
        let review = json!({ "spec": { "user": user, "resourceAttributes": attributes } });
        until("rights that were granted", || {
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let answer = admin.call(&Method::POST, path, Some(&review));
            let answer = answer.expect("the administrator may ask");
            (answer["status"]["allowed"] == true).then_some(())
        });
    }
}

fn clients(cluster: &TestCluster) -> Clients {
    let namespace = cluster.namespace();
    let mut account = namespace.account(&[]);
    grant(cluster, (&namespace.name, &account.name));
    let port = cluster.api().port();
    let mut config = account.config(port);
    config.default_namespace = "default".to_owned();
    config.default_retry = false;
    let mut restricted = config.clone();
    restricted.auth_info.impersonate = Some(RESTRICTED.to_owned());
    account.token = "a token that nobody has issued".to_owned();
    let mut stranger = account.config(port);
    stranger.default_retry = false;
    let client = |config| Client::try_from(config).expect("the configuration is complete");
    Clients {
        administrator: client(config),
        restricted: client(restricted),
        stranger: client(stranger),
    }
}

#[test]
fn the_simulated_server_answers_the_same_script_as_the_real_one_does() {
    let cluster = TestCluster::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let real = runtime
        .block_on(async { run(&clients(&cluster)).await })
        .unwrap();
    let simulated = simulated(1).unwrap();
    assert!(real.len() > 100, "{}", real.len());
    let is_known = |known: &Known, found: &Difference| {
        known.step == found.step && found.place.ends_with(known.place)
    };
    let found = compare(&simulated, &real);
    let unknown = found
        .iter()
        .filter(|found| !KNOWN.iter().any(|known| is_known(known, found)));
    let unknown: Vec<String> = unknown.map(ToString::to_string).collect();
    assert!(
        unknown.is_empty(),
        "the model and the real server answer differently (model / real):\n{}",
        unknown.join("\n")
    );
    for known in KNOWN {
        let (step, place, why) = (known.step, known.place, known.why);
        assert!(
            found.iter().any(|found| is_known(known, found)),
            "{step}: {place}: no longer a difference: take it out of the list ({why})"
        );
    }
}
