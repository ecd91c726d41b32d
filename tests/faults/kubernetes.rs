//! Real processes of the real program on a Lease of real API servers, under real faults.
//!
//! `TENURE_FAULTS=3000 tools/test --test faults_on_kubernetes` does ten times as many faults as usual, `TENURE_FAULTS_SEED=…` the same
//! faults again, and `TENURE_PROGRAM=…` takes a program that is there already.

#![allow(dead_code, reason = "what happens to files is another test's")]

mod checker;
mod cluster;
mod ensemble;
mod fault;
mod job;
mod line;
mod process;
mod program;
mod random;
mod servers;
mod storm;
mod trial;
mod wait;
mod witness;

mod storms {
    use std::sync::Arc;

    use crate::cluster::Lock;
    use crate::fault::{FIRING_ON_A_LEASE, NETWORK, PROCESSES_ON_A_LEASE, SERVERS};
    use crate::servers::Servers;
    use crate::trial::{Trial, side_by_side};

    /// The candidates of a Lease wait for it to age, so it is short: deadline 1.9 s after a renewal. Much of the rest is for the kill, since a
    /// busy machine may not let a guard run for half a second, and a Lease is not held by the job as a file is.
    const RUN_ON_A_LEASE: &[&str] = &[
        "run",
        "--lease",
        "5s",
        "--renew",
        "500ms",
        "--stop-timeout",
        "3s",
        "--drain-timeout",
        "300ms",
    ];

    #[test]
    fn one_job_runs_at_a_time_on_a_lease_whatever_becomes_of_servers_ways_and_candidates() {
        let continuous = |name, mix, share| Trial::continuous(RUN_ON_A_LEASE, name, mix, share);
        let trials = [
            Trial {
                namesakes: true,
                ..continuous(
                    "candidates of one name on a lease",
                    PROCESSES_ON_A_LEASE,
                    25,
                )
            },
            continuous("ways to a lease", NETWORK, 18),
            continuous("more ways to a lease", NETWORK, 17),
            continuous("servers of a lease", SERVERS, 25),
            Trial::firing(
                RUN_ON_A_LEASE,
                "at-least-once",
                "fires on a lease",
                FIRING_ON_A_LEASE,
                15,
            ),
        ];
        side_by_side(&trials, |folder| {
            Lock::Lease(Arc::new(Servers::start(folder)))
        });
    }
}
