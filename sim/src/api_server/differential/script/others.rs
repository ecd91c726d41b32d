use http::Method;
use kube::Client;
use serde_json::{Value, json};

use super::super::exchange::{Exchange, Trouble};
use super::{Clients, LEASES, PODS, at, lease, recorder, version, with};

pub(super) async fn pods(client: &Client) -> Result<Vec<Exchange>, Trouble> {
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

pub(super) async fn rights(clients: &Clients) -> Result<Vec<Exchange>, Trouble> {
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
    exchanges.extend(restricted(&clients.restricted, &made).await?);
    let mut to = recorder(&clients.administrator);
    to.send("delete owned", (Method::DELETE, &at("owned")), None)
        .await?;
    exchanges.append(&mut to.exchanges);
    Ok(exchanges)
}

/// What who has few rights may do, and what not.
async fn restricted(client: &Client, made: &Value) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    let new = |name: &str| lease(name, json!({ "holderIdentity": "r" }));
    to.send("get what is granted", (Method::GET, &at("owned")), None)
        .await?;
    let held = with(new("owned"), "resourceVersion", version(made).into());
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
    Ok(to.exchanges)
}
