use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use http::{Method, Request};
use http_body::Body as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use super::order::Order;

/// A limit on what is read of one answer.
const BYTES_MOST: usize = 16 * 1_024 * 1_024;

/// One request of the script, and what came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Exchange {
    /// What the request is there to show.
    pub step: String,
    /// The status of the answer.
    pub code: u16,
    /// Its `Retry-After`.
    pub retry_after: Option<String>,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// Its objects: one, or the events of a watch.
    pub bodies: Vec<Value>,
    /// In which order the fields of those that are Leases are written.
    pub orders: Vec<Vec<String>>,
}

/// The script cannot go on: the server is not there, or says something that is no answer.
#[derive(Debug)]
pub struct Trouble(String);

impl Trouble {
    pub(super) fn new(step: &str, problem: impl fmt::Display) -> Self {
        Self(format!("{step}: {problem}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// Sends requests, and writes down what comes of them.
pub(super) struct Recorder<'a> {
    pub(super) client: &'a Client,
    pub(super) exchanges: Vec<Exchange>,
}

impl Recorder<'_> {
    /// Sends a request, and reads its answer to the end.
    pub(super) async fn send(
        &mut self,
        step: &str,
        request: (Method, &str),
        body: Option<&Value>,
    ) -> Result<Value, Trouble> {
        let bytes = body.map(|body| body.to_string().into_bytes());
        self.send_bytes(step, request, bytes.unwrap_or_default())
            .await
    }

    pub(super) async fn send_bytes(
        &mut self,
        step: &str,
        (method, path): (Method, &str),
        body: Vec<u8>,
    ) -> Result<Value, Trouble> {
        let trouble = |problem: &dyn fmt::Display| Trouble::new(step, problem);
        let content_type = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", content_type)
            .header("User-Agent", "differential/1")
            .body(Body::from(body))
            .map_err(|error| trouble(&error))?;
        let response = self.client.send(request).await;
        let (head, body) = response.map_err(|error| trouble(&error))?.into_parts();
        let header = |name: &str| {
            let value = head.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let read = read_to_end(body).await.map_err(|error| trouble(&error))?;
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(&read)
            .into_iter()
            .collect();
        let bodies = values.map_err(|error| trouble(&error))?;
        let is_lease = |body: &Value| body["kind"] == "Lease";
        let orders = if bodies.iter().any(is_lease) {
            orders(&read).map_err(|error| trouble(&error))?
        } else {
            Vec::new()
        };
        let first = bodies.first().cloned().unwrap_or_default();
        self.exchanges.push(Exchange {
            step: step.to_owned(),
            code: head.status.as_u16(),
            retry_after: header("retry-after"),
            content_type: header("content-type"),
            bodies,
            orders,
        });
        Ok(first)
    }
}

fn orders(read: &[u8]) -> Result<Vec<Vec<String>>, serde_json::Error> {
    let bodies = serde_json::Deserializer::from_slice(read).into_iter();
    bodies.map(|body| body.map(|Order(order)| order)).collect()
}

async fn read_to_end(mut body: Body) -> Result<Vec<u8>, kube::Error> {
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > BYTES_MOST {
            break;
        }
    }
    Ok(read)
}
