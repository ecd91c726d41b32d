mod leases;
mod others;
mod reads;

use std::fmt;

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

pub(super) const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
pub(super) const PODS: &str = "/api/v1/namespaces/default/pods";

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
    exchanges.extend(leases::one_lease(&clients.administrator).await?);
    exchanges.extend(leases::updates_without(&clients.administrator).await?);
    exchanges.extend(leases::specs(&clients.administrator).await?);
    exchanges.extend(leases::names(&clients.administrator).await?);
    exchanges.extend(reads::lists(&clients.administrator).await?);
    exchanges.extend(reads::watches(&clients.administrator).await?);
    exchanges.extend(others::pods(&clients.administrator).await?);
    exchanges.extend(others::rights(clients).await?);
    Ok(exchanges)
}

fn recorder(client: &Client) -> Recorder<'_> {
    Recorder {
        client,
        exchanges: Vec::new(),
    }
}
