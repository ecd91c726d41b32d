//! A piece of work that runs in one process at a time, over a lock file.
//!
//! Start it in two terminals and end the one that works, however you like:
//!
//! ```console
//! cargo run --example file -- /var/lib/tenure/example
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use tenure::file::FileLock;
use tenure::{Leadership, Timing};

/// How many units of work there are.
const UNITS: usize = 5;

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
    let path = std::env::args().nth(1).unwrap_or_else(|| {
        let directory = std::env::temp_dir().join("tenure-example");
        directory.join("example").display().to_string()
    });
    println!("waiting for {path}");
    let mut election = tenure::election(FileLock::open(&path)?)?
        .timing(Timing::fast())
        .build()?;
    let done = election.run(work).await?;
    println!("{done} units are done, and the lock is free again");
    Ok(())
}
