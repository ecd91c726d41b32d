use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::api_server::{ADMINISTRATOR, Alone};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/// Has the real Kubernetes client send so many requests to simulated servers: a GET and a PUT of a Lease in turns, as a leader's. How
/// many were answered as they should be.
pub(super) fn requests(count: u64) -> u64 {
    Alone::run(1, 1, move |world| async move {
        let client = world.client(ADMINISTRATOR);
        let new = json!({
            "metadata": { "name": "x", "annotations": { "tenure/token": "7" } },
            "spec": { "holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z" },
        });
        send(&client, Method::POST, LEASES, Some(new)).await;
        let path = format!("{LEASES}/x");
        let mut answered = 0;
        for turn in 0..count / 2 {
            let Some(mut lease) = send(&client, Method::GET, &path, None).await else {
                continue;
            };
            answered += 1;
            let micros = turn % 1_000_000;
            lease["spec"]["renewTime"] = format!("2026-01-01T00:00:01.{micros:06}Z").into();
            if send(&client, Method::PUT, &path, Some(lease))
                .await
                .is_some()
            {
                answered += 1;
            }
        }
        answered
    })
}

async fn send(client: &Client, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
    let body = body.map(|body| body.to_string().into_bytes());
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::from(body.unwrap_or_default())).ok()?;
    let response = client.send(request).await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let bytes = response.into_body().collect_bytes().await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_that_is_measured_is_answered() {
        assert_eq!(requests(100), 100);
    }
}
