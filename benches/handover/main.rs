//! How long nobody leads when a leader is killed, and when it gives its lock back: with real processes on one file lock.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

#[path = "../harness/campaign.rs"]
mod campaign;
mod candidate;
mod crowd;
#[path = "../harness/mod.rs"]
mod harness;

use std::time::Duration;

use crowd::Crowd;
use harness::{Samples, Table};

/// How many handovers of each kind are timed.
const TIMES: usize = 200;
const SIZES: [usize; 3] = [2, 10, 50];
/// For which number of candidates there is something to reach.
const TARGET_SIZE: usize = 10;

fn main() {
    if candidate::run_if_asked() {
        return;
    }
    let mut table = Table::default();
    for (name, what, most) in [
        (
            "crash_to_next_leader",
            "crash to next leader",
            Duration::from_millis(20),
        ),
        (
            "release_to_next_leader",
            "release to next leader",
            Duration::from_millis(10),
        ),
    ] {
        if !harness::wanted(name) {
            continue;
        }
        println!("\n{name}: until another candidate's work runs");
        for size in SIZES {
            let samples = Samples::new(handovers(name, size));
            println!("{}", samples.line(&format!("{what}, n = {size}")));
            let p99 = samples.percentile(99);
            let limit = format!("≤ {} ms", most.as_millis());
            let target = (size == TARGET_SIZE).then_some((limit.as_str(), p99 <= most));
            table.row(
                &format!("{what}, n = {size}, p99"),
                harness::shown(p99),
                target,
            );
        }
    }
    table.print();
}

fn handovers(name: &str, size: usize) -> Vec<Duration> {
    let directory = harness::directory();
    let mut crowd = Crowd::gather(directory.path(), size);
    (0..TIMES)
        .map(|_| match name {
            "crash_to_next_leader" => crowd.kill_the_leader(),
            _ => crowd.ask_the_leader_to_leave(),
        })
        .collect()
}
