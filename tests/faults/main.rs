//! Real processes of the real program under real faults: however they die, stop or hang, the job never runs twice at once.
//!
//! `TENURE_FAULTS=3000 tools/test --test faults` does ten times as many faults as usual, `TENURE_FAULTS_SEED=…` the same faults again,
//! and `TENURE_PROGRAM=…` takes a program that is there already.

#![allow(dead_code, reason = "what happens to Leases is another test's")]

mod checker;
mod checker_tests;
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
mod witness_tests;

mod storms {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use crate::checker::{Fires, Policy};
    use crate::cluster::Lock;
    use crate::fault::{FIRING, FULL_DISK, LOCK_FILE, PROCESSES};
    use crate::process;
    use crate::trial::{RUN, Trial, folder};

    #[test]
    fn one_job_runs_at_a_time_whatever_dies_or_stops() {
        let trial = Trial::continuous(RUN, "one job at a time", PROCESSES, 54);
        trial.run(|_| Policy::Continuous);
    }

    #[test]
    fn a_vanished_lock_file_costs_a_lease_but_never_makes_a_second_job() {
        let trial = Trial::continuous(RUN, "vanishing lock file", LOCK_FILE, 8);
        trial.run(|_| Policy::Continuous);
    }

    #[test]
    fn each_fire_runs_at_most_once_whoever_dies() {
        let trial = Trial::firing(RUN, "at-most-once", "fires at most once", FIRING, 14);
        trial.run(|lost_max| Policy::EachSecond(Fires::AtMostOnce { lost_max }));
    }

    #[test]
    fn each_fire_runs_at_least_once_whoever_dies() {
        let trial = Trial::firing(RUN, "at-least-once", "fires at least once", FIRING, 14);
        trial.run(|_| Policy::EachSecond(Fires::AtLeastOnce));
    }

    #[test]
    fn a_full_disk_costs_time_but_never_a_second_job() {
        let trial = Trial::continuous(RUN, "full disk", FULL_DISK, 10);
        let folder = folder();
        let disk = SmallDisk::mount(&folder.path().join("disk"));
        let lock = Lock::File(disk.0.join("locks"));
        trial.run_in(folder.path(), lock, |_| Policy::Continuous);
        drop(disk);
        let _ = std::fs::remove_dir_all(folder.path());
    }

    /// A disk of 128 KiB, in memory.
    struct SmallDisk(PathBuf);

    impl SmallDisk {
        fn mount(place: &Path) -> Self {
            std::fs::create_dir_all(place).expect("a folder can be made");
            let mut mount = Command::new("mount");
            mount
                .args(["-t", "tmpfs", "-o", "size=128k", "tenure-faults"])
                .arg(place);
            assert!(
                process::succeeds(&mut mount),
                "no small disk could be mounted, which a full disk is tested on: run the tests as root, or as `unshare --map-root-user --mount tools/test`"
            );
            Self(place.to_path_buf())
        }
    }

    impl Drop for SmallDisk {
        fn drop(&mut self) {
            process::succeeds(Command::new("umount").arg("--lazy").arg(&self.0));
        }
    }
}
