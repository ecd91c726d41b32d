//! Real processes of the real program on nodes of real ensembles of ZooKeeper, under real faults.
//!
//! `TENURE_FAULTS=3000 tools/test --test faults_on_zookeeper` does ten times as many faults as usual, `TENURE_FAULTS_SEED=…` the same
//! faults again, and `TENURE_PROGRAM=…` takes a program that is there already.

#![allow(
    dead_code,
    reason = "what happens to files and Leases is another test's"
)]

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
    use crate::ensemble::Ensemble;
    use crate::fault::{ENSEMBLE, FIRING_ON_A_LEASE, NETWORK_OF_NODES, PROCESSES_ON_A_LEASE};
    use crate::trial::{Trial, side_by_side};

    /// A crashed leader is followed when its session has ended, so it is short: deadline 5.8 s after a heartbeat that is proven. Much of the rest is for
    /// the kill, since a busy machine may not let a guard run for half a second. All clocks here are one, so that they need no tenth to drift.
    const RUN_ON_NODES: &[&str] = &[
        "run",
        "--lease",
        "8s",
        "--renew",
        "2200ms",
        "--stop-timeout",
        "2s",
        "--drift",
        "1%",
        "--drain-timeout",
        "300ms",
    ];

    #[test]
    fn one_job_runs_at_a_time_on_nodes_whatever_becomes_of_servers_ways_and_candidates() {
        let continuous = |name, mix, share| Trial::continuous(RUN_ON_NODES, name, mix, share);
        let trials = [
            Trial {
                namesakes: true,
                ..continuous("candidates of one name on nodes", PROCESSES_ON_A_LEASE, 25)
            },
            continuous("ways to nodes", NETWORK_OF_NODES, 18),
            continuous("more ways to nodes", NETWORK_OF_NODES, 17),
            continuous("servers of nodes", ENSEMBLE, 25),
            Trial::firing(
                RUN_ON_NODES,
                "at-least-once",
                "fires on nodes",
                FIRING_ON_A_LEASE,
                15,
            ),
        ];
        side_by_side(&trials, |_| Lock::Nodes(Arc::new(Ensemble::start())));
    }
}
