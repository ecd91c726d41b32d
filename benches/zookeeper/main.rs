//! Elections on a real ensemble of three servers, which is started here, beside Curator's and beside bare requests.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

mod bare;
#[path = "../harness/campaign.rs"]
mod campaign;
mod candidate;
mod contender;
mod crash;
mod handover;
#[path = "../harness/mod.rs"]
mod harness;
mod many;
mod scene;
mod start;

use harness::Section;

const SECTIONS: [Section; 4] = [
    ("graceful_handover", handover::run),
    ("start_to_leader", start::run),
    ("crash_to_next_leader", crash::run),
    ("many_elections_and_requests", many::run),
];

fn main() {
    if let Some(task) = candidate::asked_for() {
        candidate::run(&task);
        return;
    }
    harness::run(&SECTIONS);
}
