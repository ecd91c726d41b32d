use http::Method;
use kube::Client;
use serde_json::json;

use super::super::exchange::{Exchange, Trouble};
use super::{LEASES, at, lease, recorder, version, with};

pub(super) async fn lists(client: &Client) -> Result<Vec<Exchange>, Trouble> {
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

pub(super) async fn watches(client: &Client) -> Result<Vec<Exchange>, Trouble> {
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
