use std::fmt;

use http::Method;
use kube::Client;
use serde_json::{Value, json};

use super::exchange::{Exchange, Recorder, Trouble};

/// Clients of one server.
#[derive(Clone)]
pub struct Clients {
    /// May do everything in the namespace `default`.
    pub administrator: Client,
    /// May `get` and `update` the Leases `owned` and `absent`, and nothing else, in the namespace `default`.
    pub restricted: Client,
    /// Shows a token that the server does not know.
    pub stranger: Client,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const PODS: &str = "/api/v1/namespaces/default/pods";

fn at(name: &str) -> String {
    format!("{LEASES}/{name}")
}

fn lease(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": name },
        "spec": spec,
    })
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object["metadata"][field] = value;
    object
}

fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
}

/// Makes every request that an election makes, and the mistakes around them, of whatever server the clients speak to. The names that
/// are used must not be there before, and are not there afterwards.
///
/// # Errors
/// When a request is not answered at all.
pub async fn run(clients: &Clients) -> Result<Vec<Exchange>, Trouble> {
    let mut exchanges = Vec::new();
    exchanges.extend(one_lease(&clients.administrator).await?);
    exchanges.extend(updates_without(&clients.administrator).await?);
    exchanges.extend(specs(&clients.administrator).await?);
    exchanges.extend(names(&clients.administrator).await?);
    exchanges.extend(lists(&clients.administrator).await?);
    exchanges.extend(watches(&clients.administrator).await?);
    exchanges.extend(pods(&clients.administrator).await?);
    exchanges.extend(rights(clients).await?);
    Ok(exchanges)
}

fn recorder(client: &Client) -> Recorder<'_> {
    Recorder {
        client,
        exchanges: Vec::new(),
    }
}

/// From its making to its removal.
async fn one_lease(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let path = at("x");
    to.send("get what is missing", (Method::GET, &path), None)
        .await?;
    to.send("delete what is missing", (Method::DELETE, &path), None)
        .await?;
    let spec = json!({
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "renewTime": "2026-01-02T03:04:05.123456+02:00",
        "acquireTime": "2026-01-02T03:04:05.000000Z",
        "leaseTransitions": 0,
        "bogus": 1,
    });
    let new = with(
        lease("x", spec),
        "annotations",
        json!({ "tenure/Token": "{}" }),
    );
    let new = with(new, "labels", json!({ "a": "b" }));
    let made = to
        .send("create", (Method::POST, LEASES), Some(&new))
        .await?;
    to.send("create again", (Method::POST, LEASES), Some(&new))
        .await?;
    to.send("get", (Method::GET, &path), None).await?;
    let mut held = made.clone();
    held["spec"]["holderIdentity"] = "b".into();
    let second = to.send("update", (Method::PUT, &path), Some(&held)).await?;
    to.send(
        "update with the old version",
        (Method::PUT, &path),
        Some(&held),
    )
    .await?;
    to.send("update with the same", (Method::PUT, &path), Some(&second))
        .await?;
    let mut touched = second.clone();
    touched["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z".into();
    touched["metadata"]["generation"] = 7.into();
    touched["metadata"]["bogus"] = 1.into();
    touched["bogus"] = json!({});
    to.send(
        "update what the server sets",
        (Method::PUT, &path),
        Some(&touched),
    )
    .await?;
    let mut bare = second.clone();
    bare["spec"] = json!({ "holderIdentity": "" });
    bare["metadata"]["labels"] = json!({});
    let emptied = to
        .send("update without most", (Method::PUT, &path), Some(&bare))
        .await?;
    let mut forgets = emptied.clone();
    forgets["metadata"]["managedFields"] = json!([]);
    let forgot = to
        .send(
            "update without managers",
            (Method::PUT, &path),
            Some(&forgets),
        )
        .await?;
    let mut owned = forgot.clone();
    owned["metadata"]["ownerReferences"] =
        json!([{ "apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u" }]);
    to.send("update with an owner", (Method::PUT, &path), Some(&owned))
        .await?;
    let patch = json!({ "spec": { "holderIdentity": "patched" } });
    to.send(
        "patch without a version",
        (Method::PATCH, &path),
        Some(&patch),
    )
    .await?;
    let patch = json!({ "metadata": { "resourceVersion": version(&made) }, "spec": { "leaseTransitions": 3 } });
    to.send(
        "patch with an old version",
        (Method::PATCH, &path),
        Some(&patch),
    )
    .await?;
    to.send("delete", (Method::DELETE, &path), None).await?;
    to.send(
        "update what was deleted",
        (Method::PUT, &path),
        Some(&second),
    )
    .await?;
    to.send(
        "patch what was deleted",
        (Method::PATCH, &path),
        Some(&patch),
    )
    .await?;
    Ok(to.exchanges)
}

/// Updates that lack what says which object is meant.
async fn updates_without(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let path = at("y");
    let held = lease(
        "y",
        json!({ "holderIdentity": "z", "leaseDurationSeconds": 3 }),
    );
    let other = with(
        held.clone(),
        "uid",
        "3f0c6b3e-0000-4000-8000-000000000000".into(),
    );
    to.send(
        "update what is missing, by uid",
        (Method::PUT, &path),
        Some(&other),
    )
    .await?;
    let old = with(held.clone(), "resourceVersion", "5".into());
    to.send(
        "update what is missing, by version",
        (Method::PUT, &path),
        Some(&old),
    )
    .await?;
    to.send("delete what an update made", (Method::DELETE, &path), None)
        .await?;
    to.send(
        "update what is missing, by nothing",
        (Method::PUT, &path),
        Some(&held),
    )
    .await?;
    to.send("update by nothing", (Method::PUT, &path), Some(&held))
        .await?;
    to.send("update by another uid", (Method::PUT, &path), Some(&other))
        .await?;
    for (step, text) in [
        ("update by version 0", "0"),
        ("update by no version", "abc"),
    ] {
        let named = with(held.clone(), "resourceVersion", text.into());
        to.send(step, (Method::PUT, &path), Some(&named)).await?;
    }
    let other_name = lease("q", json!({}));
    to.send(
        "update of another name",
        (Method::PUT, &path),
        Some(&other_name),
    )
    .await?;
    let nameless = json!({ "spec": {} });
    to.send(
        "update without a name",
        (Method::PUT, &path),
        Some(&nameless),
    )
    .await?;
    to.send("delete y", (Method::DELETE, &path), None).await?;
    Ok(to.exchanges)
}

async fn specs(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let kept = [
        ("empty holder", json!({ "holderIdentity": "" })),
        (
            "null holder",
            json!({ "holderIdentity": null, "renewTime": null }),
        ),
        (
            "strategy",
            json!({ "strategy": "OldestEmulationVersion", "preferredHolder": "x" }),
        ),
        (
            "last time",
            json!({ "renewTime": "9999-12-31T23:59:59.999999Z" }),
        ),
        (
            "first time",
            json!({ "renewTime": "0001-01-01T00:00:00.000000Z" }),
        ),
        ("no spec", Value::Null),
    ];
    for (step, spec) in kept {
        to.send(
            &format!("create, {step}"),
            (Method::POST, LEASES),
            Some(&lease("s", spec)),
        )
        .await?;
        to.send(&format!("delete, {step}"), (Method::DELETE, &at("s")), None)
            .await?;
    }
    let refused = [
        ("no duration", json!({ "leaseDurationSeconds": 0 })),
        ("negative duration", json!({ "leaseDurationSeconds": -1 })),
        ("negative transitions", json!({ "leaseTransitions": -1 })),
        (
            "two problems",
            json!({ "leaseDurationSeconds": 0, "leaseTransitions": -1 }),
        ),
        ("no time", json!({ "renewTime": "nope" })),
        (
            "nanoseconds",
            json!({ "renewTime": "2026-01-02T03:04:05.123456789Z" }),
        ),
        ("seconds", json!({ "renewTime": "2026-01-02T03:04:05Z" })),
        (
            "tenths",
            json!({ "renewTime": "2026-01-02T03:04:05.5+02:00" }),
        ),
        (
            "no zone",
            json!({ "renewTime": "2026-01-02T03:04:05.123456" }),
        ),
        (
            "no such day",
            json!({ "renewTime": "2026-02-29T03:04:05.123456Z" }),
        ),
        ("number as holder", json!({ "holderIdentity": 5 })),
        ("text as duration", json!({ "leaseDurationSeconds": "15" })),
        (
            "fraction as duration",
            json!({ "leaseDurationSeconds": 1.5 }),
        ),
        (
            "large duration",
            json!({ "leaseDurationSeconds": 99_999_999_999_i64 }),
        ),
        ("list as spec", json!([])),
    ];
    for (step, spec) in refused {
        to.send(
            &format!("create, {step}"),
            (Method::POST, LEASES),
            Some(&lease("s", spec)),
        )
        .await?;
    }
    Ok(to.exchanges)
}

async fn names(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let plain = || lease("n", json!({}));
    let post = (Method::POST, LEASES);
    let refused = [
        (
            "no name",
            json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease" }),
        ),
        ("bad name", lease("A_b", json!({}))),
        ("long name", lease(&"a".repeat(254), json!({}))),
        (
            "other kind",
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "n" } }),
        ),
        (
            "other namespace",
            with(plain(), "namespace", "other".into()),
        ),
        (
            "annotation's key",
            with(plain(), "annotations", json!({ "a b": "x" })),
        ),
        (
            "annotation's value",
            with(plain(), "annotations", json!({ "a": 5 })),
        ),
        (
            "annotations' size",
            with(plain(), "annotations", json!({ "a": "x".repeat(262_144) })),
        ),
        ("label", with(plain(), "labels", json!({ "a": "x y" }))),
        ("version", with(plain(), "resourceVersion", "5".into())),
    ];
    for (step, object) in refused {
        to.send(&format!("create, {step}"), post.clone(), Some(&object))
            .await?;
    }
    to.send_bytes("create, garbage", post.clone(), b"{nope".to_vec())
        .await?;
    let kindless =
        json!({ "metadata": { "name": "n", "annotations": { "a": "x".repeat(262_143) } } });
    to.send(
        "create, no kind and the largest annotation",
        post,
        Some(&kindless),
    )
    .await?;
    to.send("delete n", (Method::DELETE, &at("n")), None)
        .await?;
    let elsewhere = "/apis/coordination.k8s.io/v1/namespaces/nowhere/leases";
    to.send(
        "create in no namespace",
        (Method::POST, elsewhere),
        Some(&plain()),
    )
    .await?;
    to.send(
        "get in no namespace",
        (Method::GET, &format!("{elsewhere}/n")),
        None,
    )
    .await?;
    to.send("post to a name", (Method::POST, &at("n")), Some(&plain()))
        .await?;
    Ok(to.exchanges)
}

async fn lists(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    for (name, app) in [("l1", "cron"), ("l2", "cron"), ("l3", "other")] {
        let labelled = with(
            lease(name, json!({})),
            "labels",
            json!({ "test-app": app, "n": name }),
        );
        to.send(
            &format!("create {name}"),
            (Method::POST, LEASES),
            Some(&labelled),
        )
        .await?;
    }
    for query in [
        "fieldSelector=metadata.name%3Dl1",
        "fieldSelector=metadata.name%3Dnobody",
        "fieldSelector=spec.foo%3Dx",
        "labelSelector=test-app%3Dcron",
        "labelSelector=test-app%3Dcron%2Cn+in+(l2,l3)",
        "labelSelector=test-app%2Cn+notin+(l1,l3)",
        "labelSelector=test-app%2Cn%21%3Dl1",
        "labelSelector=l+in+v",
        "labelSelector=test-app%3Dcron&resourceVersion=0",
        "labelSelector=test-app%3Dcron&resourceVersion=99999999",
    ] {
        let path = format!("{LEASES}?{query}");
        to.send(&format!("list {query}"), (Method::GET, &path), None)
            .await?;
    }
    for query in [
        "resourceVersion=0",
        "resourceVersion=99999999",
        "resourceVersion=abc",
    ] {
        let path = format!("{}?{query}", at("l1"));
        to.send(&format!("get {query}"), (Method::GET, &path), None)
            .await?;
    }
    for name in ["l1", "l2", "l3"] {
        to.send(&format!("delete {name}"), (Method::DELETE, &at(name)), None)
            .await?;
    }
    Ok(to.exchanges)
}

async fn watches(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let labelled = with(
        lease("w", json!({ "holderIdentity": "a" })),
        "labels",
        json!({ "test-app": "w" }),
    );
    let path = at("w");
    let first = to
        .send("create w", (Method::POST, LEASES), Some(&labelled))
        .await?;
    let mut object = first.clone();
    object["spec"]["holderIdentity"] = "b".into();
    object = to
        .send("update w", (Method::PUT, &path), Some(&object))
        .await?;
    object["metadata"]["labels"] = json!({});
    object = to
        .send("unlabel w", (Method::PUT, &path), Some(&object))
        .await?;
    object["metadata"]["labels"] = json!({ "test-app": "w" });
    to.send("label w", (Method::PUT, &path), Some(&object))
        .await?;
    let begin = format!("{LEASES}?watch=1&timeoutSeconds=1&");
    let named = format!("{begin}fieldSelector=metadata.name%3Dw");
    let old = version(&first);
    for (step, query) in [
        ("watch by name, from now", named.clone()),
        (
            "watch by name, from now with bookmarks",
            format!("{named}&allowWatchBookmarks=true"),
        ),
        (
            "watch by name, from the cache",
            format!("{named}&resourceVersion=0"),
        ),
        (
            "watch by name, from then",
            format!("{named}&resourceVersion={old}"),
        ),
        (
            "watch by label, from then",
            format!("{begin}labelSelector=test-app%3Dw&resourceVersion={old}"),
        ),
        (
            "watch nothing",
            format!("{begin}fieldSelector=metadata.name%3Dnobody"),
        ),
        (
            "watch from no version",
            format!("{named}&resourceVersion=abc"),
        ),
        (
            "watch for no time",
            format!("{LEASES}?watch=1&timeoutSeconds=abc"),
        ),
    ] {
        to.send(step, (Method::GET, &query), None).await?;
    }
    to.send("delete w", (Method::DELETE, &path), None).await?;
    to.send(
        "watch the deletion",
        (Method::GET, &format!("{named}&resourceVersion={old}")),
        None,
    )
    .await?;
    Ok(to.exchanges)
}

async fn pods(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let path = format!("{PODS}/p");
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "p", "labels": { "test-app": "p" } },
        "spec": { "containers": [{ "name": "c", "image": "i" }] },
    });
    to.send("get a missing pod", (Method::GET, &path), None)
        .await?;
    let mut made = to
        .send("create a pod", (Method::POST, PODS), Some(&pod))
        .await?;
    made["status"] = json!({
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": null }],
        "containerStatuses": [{
            "name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
            "containerID": "containerd://1",
            "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } },
            "lastState": {},
        }],
        "qosClass": "BestEffort",
    });
    to.send(
        "report a pod's status",
        (Method::PUT, &format!("{path}/status")),
        Some(&made),
    )
    .await?;
    to.send("get a pod", (Method::GET, &path), None).await?;
    to.send(
        "list pods",
        (Method::GET, &format!("{PODS}?labelSelector=test-app%3Dp")),
        None,
    )
    .await?;
    let patch = json!({ "metadata": { "labels": { "leader": "true" } } });
    to.send("label a pod", (Method::PATCH, &path), Some(&patch))
        .await?;
    let patch = json!({ "metadata": { "labels": { "leader": null } } });
    to.send("unlabel a pod", (Method::PATCH, &path), Some(&patch))
        .await?;
    to.send(
        "watch pods",
        (
            Method::GET,
            &format!("{PODS}?watch=1&timeoutSeconds=1&labelSelector=test-app%3Dp"),
        ),
        None,
    )
    .await?;
    to.send(
        "delete a pod",
        (Method::DELETE, &format!("{path}?gracePeriodSeconds=0")),
        None,
    )
    .await?;
    to.send("get a pod that was deleted", (Method::GET, &path), None)
        .await?;
    Ok(to.exchanges)
}

async fn rights(clients: &Clients) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(&clients.stranger);
    to.send(
        "get with an unknown token",
        (Method::GET, &at("owned")),
        None,
    )
    .await?;
    let mut exchanges = to.exchanges;
    let mut to = recorder(&clients.administrator);
    let made = to
        .send(
            "create owned",
            (Method::POST, LEASES),
            Some(&lease("owned", json!({}))),
        )
        .await?;
    exchanges.append(&mut to.exchanges);
    let mut to = recorder(&clients.restricted);
    let new = |name: &str| lease(name, json!({ "holderIdentity": "r" }));
    to.send("get what is granted", (Method::GET, &at("owned")), None)
        .await?;
    let held = with(new("owned"), "resourceVersion", version(&made).into());
    to.send(
        "update what is granted",
        (Method::PUT, &at("owned")),
        Some(&held),
    )
    .await?;
    to.send("get another", (Method::GET, &at("other")), None)
        .await?;
    to.send(
        "update another",
        (Method::PUT, &at("other")),
        Some(&new("other")),
    )
    .await?;
    to.send(
        "create without the right",
        (Method::POST, LEASES),
        Some(&new("absent")),
    )
    .await?;
    to.send(
        "create by update",
        (Method::PUT, &at("absent")),
        Some(&new("absent")),
    )
    .await?;
    to.send(
        "delete without the right",
        (Method::DELETE, &at("owned")),
        None,
    )
    .await?;
    let patch = json!({ "spec": {} });
    to.send(
        "patch without the right",
        (Method::PATCH, &at("owned")),
        Some(&patch),
    )
    .await?;
    let named = format!("{LEASES}?fieldSelector=metadata.name%3Downed");
    to.send("list without the right", (Method::GET, LEASES), None)
        .await?;
    to.send(
        "list by name without the right",
        (Method::GET, &named),
        None,
    )
    .await?;
    to.send(
        "watch by name without the right",
        (Method::GET, &format!("{named}&watch=1")),
        None,
    )
    .await?;
    to.send("list pods without the right", (Method::GET, PODS), None)
        .await?;
    exchanges.append(&mut to.exchanges);
    let mut to = recorder(&clients.administrator);
    to.send("delete owned", (Method::DELETE, &at("owned")), None)
        .await?;
    exchanges.append(&mut to.exchanges);
    Ok(exchanges)
}
