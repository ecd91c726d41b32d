//! A piece of work that runs in one process at a time, over nodes of a ZooKeeper ensemble.
//!
//! Start it in two terminals, with any ensemble, such as the one of `deploy/zookeeper`, and end the one that works, however you like.
//!
//! ```console
//! cargo run --example zookeeper --features zookeeper -- localhost:2181,localhost:2182,localhost:2183
//! zkCli.sh -server localhost:2181 ls /tenure/example
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use tenure::zookeeper::Ensemble;
use tenure::{ElectionName, Leadership};

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
    let servers = std::env::args().nth(1);
    let servers = servers.as_deref().unwrap_or("localhost:2181");
    let ensemble = Ensemble::builder().connect_string(servers).open().await?;
    println!(
        "a session that ends {:?} after the last sign of life",
        ensemble.session_timeout()
    );
    let lock = ensemble.lock(ElectionName::new("example")?)?;
    // Without a timing of its own the election is timed by the session that the servers have granted.
    let mut election = tenure::election(lock)?.build()?;
    let done = election.run(work).await?;
    println!("{done} units are done, and the place in the queue is given up");
    ensemble.close().await;
    Ok(())
}
