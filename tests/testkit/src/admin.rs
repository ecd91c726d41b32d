//! Requests of whoever may do everything, from any thread, also inside of a runtime.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::channel;

use http::{Method, Request};
use kube::Client;
use serde_json::Value;

use crate::account;
use crate::cluster::ADMIN_TOKEN;

/// Runs what the tests ask the servers; never ends.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("testkit")
            .enable_all()
            .build()
            .unwrap()
    })
}

/// A client of one API server that may do everything.
#[derive(Clone)]
pub struct Admin {
    client: Client,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

impl Admin {
    pub(crate) fn new(port: u16, certificate: &Path) -> Self {
        let mut config = account::config(port, certificate, ADMIN_TOKEN, "default");
        config.default_retry = false;
        let _guard = runtime().enter();
        Self {
            client: Client::try_from(config).unwrap(),
        }
    }

    /// Sends one request, and waits for its answer.
    ///
    /// # Errors
    /// The API server's refusal, or why there is no answer.
    ///
    /// # Panics
    /// When `path` is none.
    pub fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let content = match *method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body.map(|body| serde_json::to_vec(body).unwrap());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .body(body.unwrap_or_default())
            .unwrap();
        let text = self.text(request)?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    fn text(&self, request: Request<Vec<u8>>) -> Result<String, String> {
        let client = self.client.clone();
        let (answer, answered) = channel();
        runtime().spawn(async move {
            let limit = std::time::Duration::from_secs(20);
            let text = tokio::time::timeout(limit, client.request_text(request)).await;
            drop(answer.send(match text {
                Ok(text) => text.map_err(|error| error.to_string()),
                Err(_) => Err("no answer in time".to_owned()),
            }));
        });
        answered.recv().unwrap()
    }

    pub(crate) fn is_ready(&self) -> bool {
        let request = Request::get("/readyz").body(Vec::new()).unwrap();
        self.text(request).is_ok_and(|text| text == "ok")
    }

    /// How many requests of `verb` about `resource` the server has counted.
    ///
    /// # Panics
    /// When it does not tell.
    pub fn request_count(&self, resource: &str, verb: &str) -> u64 {
        let counts = self.request_counts(resource);
        counts.get(verb).copied().unwrap_or(0)
    }

    /// How many requests about `resource` the server has counted, by verb.
    ///
    /// # Panics
    /// When it does not tell.
    pub fn request_counts(&self, resource: &str) -> BTreeMap<String, u64> {
        let request = Request::get("/metrics").body(Vec::new()).unwrap();
        let metrics = self.text(request).unwrap();
        let about = format!("resource=\"{resource}\"");
        let mut counts = BTreeMap::new();
        let lines = metrics
            .lines()
            .filter(|line| line.starts_with("apiserver_request_total{") && line.contains(&about));
        for line in lines {
            let verb = line
                .split_once("verb=\"")
                .and_then(|(_, rest)| rest.split('"').next());
            let count = line
                .rsplit(' ')
                .next()
                .and_then(|count| count.parse::<f64>().ok());
            let (verb, count) = (verb.unwrap(), count.unwrap());
            *counts.entry(verb.to_owned()).or_default() +=
                format!("{count:.0}").parse::<u64>().unwrap();
        }
        counts
    }
}
