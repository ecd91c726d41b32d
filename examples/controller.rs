//! A controller with several replicas, of which one reconciles: the usual reason to elect a leader in a cluster.
//!
//! Every ConfigMap with the label `example=greeting` and a `name` in it gets a `greeting`, and gets it again when somebody changes it.
//! The controller, watches and all, begins with the leadership and stops with it.
//!
//! ```console
//! cargo run --example controller --features kubernetes
//! kubectl create configmap ada --from-literal name=Ada && kubectl label configmap ada example=greeting
//! kubectl get configmap ada --output yaml
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::watcher;
use kube::{Api, Client, Config, ResourceExt};
use tenure::elector::Backoff;
use tenure::kubernetes::Cluster;
use tenure::{ElectionName, Leadership, Timing};

/// What a write may take: what is begun under a leadership ends under it.
const WRITE: Duration = Duration::from_secs(2);
/// The token that the newest write was made under.
const TOKEN: &str = "example/token";

/// What a reconciliation needs to know.
struct Context {
    greetings: Api<ConfigMap>,
    leadership: Arc<Leadership>,
}

/// Writes the greeting that is missing or wrong.
async fn reconcile(seen: Arc<ConfigMap>, context: Arc<Context>) -> Result<Action, kube::Error> {
    let mut greeting = ConfigMap::clone(&seen);
    let token = context.leadership.token();
    let data = greeting.data.get_or_insert_with(BTreeMap::new);
    let Some(name) = data.get("name") else {
        return Ok(Action::await_change());
    };
    let wanted = format!("hello, {name}");
    if data.get("greeting") == Some(&wanted) {
        return Ok(Action::await_change());
    }
    data.insert("greeting".to_owned(), wanted);
    // The object is the fence: it keeps the newest token, and a write over a version that another leader has replaced is refused.
    let newest = greeting
        .annotations()
        .get(TOKEN)
        .and_then(|token| token.parse().ok());
    if newest.is_some_and(|newest: u64| newest > token.value())
        || !context.leadership.is_valid_for(WRITE)
    {
        return Ok(Action::requeue(WRITE));
    }
    greeting
        .annotations_mut()
        .insert(TOKEN.to_owned(), token.to_string());
    let (name, options) = (seen.name_any(), PostParams::default());
    let written = context.greetings.replace(&name, &options, &greeting);
    match tokio::time::timeout(WRITE, written).await {
        Ok(answer) => drop(answer?),
        Err(_) => return Ok(Action::requeue(WRITE)),
    }
    println!("greeted {name} with token {token}");
    Ok(Action::await_change())
}

/// Runs the controller for as long as this process leads. What it is about to do when that ends is let finish.
async fn control(leadership: Leadership, greetings: Api<ConfigMap>) {
    let leadership = Arc::new(leadership);
    let stop = Arc::clone(&leadership);
    let context = Arc::new(Context {
        greetings: greetings.clone(),
        leadership,
    });
    let again = |_: Arc<ConfigMap>, _: &kube::Error, _: Arc<Context>| Action::requeue(WRITE);
    println!("controlling with token {}", context.leadership.token());
    Controller::new(
        greetings,
        watcher::Config::default().labels("example=greeting"),
    )
    .graceful_shutdown_on(async move {
        stop.cancelled().await;
    })
    .run(reconcile, again, context)
    .for_each(async |_| ())
    .await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = Config::infer().await?;
    let cluster = Cluster::builder().config(config.clone()).open().await?;
    // A write is tried once, in its time, or not at all.
    config.default_retry = false;
    let greetings = Api::namespaced(Client::try_from(config)?, cluster.namespace());

    let lock = cluster.lock(ElectionName::new("greeter")?)?;
    let mut election = tenure::election(lock)?.timing(Timing::fast()).build()?;
    let shut_down = election.control();
    let ended = async move {
        tokio::signal::ctrl_c().await?;
        shut_down.shut_down();
        Ok(())
    };
    let campaign = election.run_forever(Backoff::STANDARD, |leadership| {
        let greetings = greetings.clone();
        async move {
            control(leadership, greetings).await;
            Ok::<(), kube::Error>(())
        }
    });
    let (campaign, ended): (_, Result<(), std::io::Error>) =
        futures_util::future::join(campaign, ended).await;
    ended?;
    Ok(campaign?)
}
