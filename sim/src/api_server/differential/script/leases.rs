use http::Method;
use kube::Client;
use serde_json::{Value, json};

use super::super::exchange::{Exchange, Recorder, Trouble};
use super::{LEASES, at, lease, recorder, version, with};

/// From its making to its removal.
pub(super) async fn one_lease(client: &Client) -> Result<Vec<Exchange>, Trouble> {
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
    edits(&mut to, &made, &second).await?;
    to.send("delete", (Method::DELETE, &path), None).await?;
    to.send(
        "update what was deleted",
        (Method::PUT, &path),
        Some(&second),
    )
    .await?;
    let patch = json!({ "spec": {} });
    to.send(
        "patch what was deleted",
        (Method::PATCH, &path),
        Some(&patch),
    )
    .await?;
    Ok(to.exchanges)
}

/// Changes of what the server sets, of everything but the name, and without a version.
async fn edits(to: &mut Recorder<'_>, made: &Value, second: &Value) -> Result<(), Trouble> {
    let path = at("x");
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
    let patch = json!({ "metadata": { "resourceVersion": version(made) }, "spec": { "leaseTransitions": 3 } });
    to.send(
        "patch with an old version",
        (Method::PATCH, &path),
        Some(&patch),
    )
    .await?;
    Ok(())
}

/// Updates that lack what says which object is meant.
pub(super) async fn updates_without(client: &Client) -> Result<Vec<Exchange>, Trouble> {
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

pub(super) async fn specs(client: &Client) -> Result<Vec<Exchange>, Trouble> {
    let mut to = recorder(client);
    for (step, spec) in kept_specs() {
        to.send(
            &format!("create, {step}"),
            (Method::POST, LEASES),
            Some(&lease("s", spec)),
        )
        .await?;
        to.send(&format!("delete, {step}"), (Method::DELETE, &at("s")), None)
            .await?;
    }
    for (step, spec) in refused_specs() {
        to.send(
            &format!("create, {step}"),
            (Method::POST, LEASES),
            Some(&lease("s", spec)),
        )
        .await?;
    }
    Ok(to.exchanges)
}

/// What the server takes.
fn kept_specs() -> Vec<(&'static str, Value)> {
    vec![
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
    ]
}

/// What it does not.
fn refused_specs() -> Vec<(&'static str, Value)> {
    vec![
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
    ]
}

pub(super) async fn names(client: &Client) -> Result<Vec<Exchange>, Trouble> {
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
