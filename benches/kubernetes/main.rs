//! Elections on a real API server, which is started here, beside client-go's and beside bare requests.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

mod bare;
#[path = "../harness/campaign.rs"]
mod campaign;
mod candidate;
mod crash;
mod crowd;
mod death;
mod handover;
#[path = "../harness/mod.rs"]
mod harness;
mod many;
mod renewal;
mod requests;
mod scene;
mod start;

use harness::Section;

const SECTIONS: [Section; 7] = [
    ("graceful_handover", handover::run),
    ("start_to_leader", start::run),
    ("renewal_processor", renewal::run),
    ("death_proved_by_kubelet", death::run),
    ("crash_to_next_leader_by_lease", crash::run),
    ("requests_per_second", requests::run),
    ("many_elections", many::run),
];

fn main() {
    if let Some(task) = candidate::asked_for() {
        candidate::run(&task);
        return;
    }
    harness::run(&SECTIONS);
}
