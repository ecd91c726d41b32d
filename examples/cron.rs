//! A job that fires by a schedule, on one of many processes, each fire once.
//!
//! Start it in two terminals and kill the one that fires: the other goes on with the next fire. It ends by itself after five.
//!
//! ```console
//! cargo run --example cron --features cron -- /var/lib/tenure/example-cron
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenure::Timing;
use tenure::cron::{Job, JobFailed, Jobs, Missed, Policy, Schedule};
use tenure::elector::Backoff;
use tenure::file::FileLock;

/// How many fires this process sees before it ends.
const FIRES: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| {
        let directory = std::env::temp_dir().join("tenure-example");
        directory.join("cron").display().to_string()
    });
    println!("waiting for {path}");
    let mut election = tenure::election(FileLock::open(&path)?)?
        .timing(Timing::fast())
        .build()?;

    // What nobody could start is caught up with, up to ten fires; what was started is never started again.
    let policy = Policy {
        missed: Missed::All {
            at_most: NonZeroU8::new(10).ok_or("ten is not zero")?,
        },
        ..Policy::cautious()
    };
    let control = election.control();
    let fired = Arc::new(AtomicUsize::new(0));
    let job = Job::new(
        "hello",
        Schedule::utc("* * * * * *")?,
        policy,
        move |fire| {
            let count = fired.fetch_add(1, Ordering::Relaxed) + 1;
            println!("fire of {} with token {}", fire.scheduled(), fire.token());
            if count == FIRES {
                control.shut_down();
            }
            async { Ok::<(), JobFailed>(()) }
        },
    );
    let mut jobs = Jobs::new();
    jobs.register(job)?;

    let backoff = Backoff::STANDARD;
    election
        .run_forever(backoff, |leadership| jobs.clone().run(leadership))
        .await?;
    Ok(())
}
