//! The simulator: events a second on each tier, threads, memory, and how long the smoke campaign takes.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

use std::num::NonZeroU32;

use tenure_sim::speed;

/// The section's name on the command line.
const NAME: &str = "simulator";

fn main() {
    let mut names = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    if !names.all(|name| NAME.contains(&name)) {
        return;
    }
    println!("{NAME}: what, measured, to reach");
    speed::measure(NonZeroU32::MIN, |measurement| {
        let verdict = if measurement.reached {
            "reached"
        } else {
            "MISSED"
        };
        println!(
            "{}: {}, to reach: {}, {verdict}",
            measurement.what, measurement.measured, measurement.goal
        );
    });
}
