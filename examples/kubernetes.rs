//! A piece of work that runs in one process at a time, over a Lease of a Kubernetes cluster.
//!
//! Start it in two terminals, with a kubeconfig of any cluster, and end the one that works, however you like. In a pod it uses the service
//! account.
//!
//! ```console
//! cargo run --example kubernetes --features kubernetes -- example
//! kubectl get lease example --output yaml
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use tenure::kubernetes::Cluster;
use tenure::{ElectionName, Leadership, Timing};

/// How many units of work there are.
const UNITS: usize = 20;

/// Does one unit a second, for as long as this process leads.
async fn work(leadership: Leadership) -> usize {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for done in 0..UNITS {
        seconds.tick().await;
        // A unit that would outlast the leadership is not begun.
        if leadership.stop_requested().is_some()
            || !leadership.is_valid_for(Duration::from_millis(100))
        {
            return done;
        }
        println!("unit {done} with token {}", leadership.token());
    }
    UNITS
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1);
    let name = ElectionName::new(name.as_deref().unwrap_or("example"))?;
    let cluster = Cluster::infer().await?;
    println!("waiting for the Lease {}/{name}", cluster.namespace());
    let mut election = tenure::election(cluster.lock(name)?)?
        .timing(Timing::fast())
        .build()?;
    let done = election.run(work).await?;
    println!("{done} units are done, and the Lease is free again");
    Ok(())
}
