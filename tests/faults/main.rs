//! Real processes of the real program under real faults: however they die, stop or hang, the job never runs twice at once.
//!
//! `TENURE_FAULTS=3000 tools/test --test faults` does ten times as many faults as usual, `TENURE_FAULTS_SEED=…` the same faults again,
//! and `TENURE_PROGRAM=…` takes a program that is there already.

mod checker;
mod checker_tests;
mod cluster;
mod fault;
mod job;
mod line;
mod process;
mod program;
mod random;
mod storm;
mod wait;
mod witness;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use checker::{Fires, Policy, check};
use cluster::{Cluster, Task};
use fault::{FIRING, FULL_DISK, Fault, LOCK_FILE, Mix, PROCESSES};
use storm::{Storm, tell};

/// How many faults all tests together do, unless `TENURE_FAULTS` says otherwise.
const FAULTS: usize = 330;

/// Short leases, so that many faults fit into a short time: deadline 2.4 s after a renewal.
const RUN: &[&str] = &[
    "run",
    "--lease",
    "3s",
    "--renew",
    "500ms",
    "--stop-timeout",
    "500ms",
    "--drain-timeout",
    "300ms",
];

/// One test: what runs, what happens to it, and what must hold.
struct Trial {
    jobs: &'static str,
    command: Vec<&'static str>,
    mix: Mix,
    name: &'static str,
    /// How many of a hundred faults are this trial's.
    share: usize,
}

impl Trial {
    fn faults(&self) -> usize {
        let all = env::var("TENURE_FAULTS")
            .ok()
            .and_then(|count| count.parse().ok());
        (all.unwrap_or(FAULTS) * self.share).div_ceil(100)
    }

    /// The same on the disk that the project is on.
    fn run(&self, policy: impl FnOnce(usize) -> Policy) {
        let folder = folder();
        self.run_in(folder.path(), folder.path().join("locks"), policy);
        let _ = std::fs::remove_dir_all(folder.path());
    }

    /// Lets the faults happen to a cluster whose lock is in `locks`, and checks the log by the policy that `policy` makes of how many fires may be lost.
    fn run_in(&self, folder: &Path, locks: PathBuf, policy: impl FnOnce(usize) -> Policy) {
        let seed = env::var("TENURE_FAULTS_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(wait::fresh_seed);
        tell(&format!("{}: TENURE_FAULTS_SEED={seed}", self.name));
        let task = Task {
            locks,
            jobs: self.jobs,
            command: self.command.clone(),
        };
        let cluster = Cluster::start(folder, task);
        let (mut cluster, counts) =
            Storm::over(cluster, self.name, seed).rage(self.mix, self.faults());
        cluster.wait_for_a_run();
        let story = cluster.story();
        let lines = cluster.shut_down();
        let may_lose =
            |(fault, count): (&Fault, &usize)| if fault.may_lose_a_fire() { *count } else { 0 };
        let faults = check(&lines, policy(counts.iter().map(may_lose).sum()));
        assert!(
            faults.is_empty(),
            "seed {seed}: {}\n{counts:?}\n{story}",
            faults.join("\n")
        );
        tell(&format!(
            "{}: {} lines checked, nothing wrong",
            self.name,
            lines.len()
        ));
    }
}

/// A folder on the disk that the project is on, removed when the test has passed.
fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("faults-")
        .disable_cleanup(true)
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("a folder can be made")
}

#[test]
fn one_job_runs_at_a_time_whatever_dies_or_stops() {
    let trial = Trial {
        jobs: "all",
        command: RUN.to_vec(),
        mix: PROCESSES,
        name: "one job at a time",
        share: 54,
    };
    trial.run(|_| Policy::Continuous);
}

#[test]
fn a_vanished_lock_file_costs_a_lease_but_never_makes_a_second_job() {
    let trial = Trial {
        jobs: "all",
        command: RUN.to_vec(),
        mix: LOCK_FILE,
        name: "vanishing lock file",
        share: 8,
    };
    trial.run(|_| Policy::Continuous);
}

#[test]
fn each_fire_runs_at_most_once_whoever_dies() {
    let trial = Trial {
        jobs: "brief",
        command: cron("at-most-once"),
        mix: FIRING,
        name: "fires at most once",
        share: 14,
    };
    trial.run(|lost_max| Policy::EachSecond(Fires::AtMostOnce { lost_max }));
}

#[test]
fn each_fire_runs_at_least_once_whoever_dies() {
    let trial = Trial {
        jobs: "brief",
        command: cron("at-least-once"),
        mix: FIRING,
        name: "fires at least once",
        share: 14,
    };
    trial.run(|_| Policy::EachSecond(Fires::AtLeastOnce));
}

#[test]
fn a_full_disk_costs_time_but_never_a_second_job() {
    let trial = Trial {
        jobs: "all",
        command: RUN.to_vec(),
        mix: FULL_DISK,
        name: "full disk",
        share: 10,
    };
    let folder = folder();
    let disk = SmallDisk::mount(&folder.path().join("disk"));
    trial.run_in(folder.path(), disk.0.join("locks"), |_| Policy::Continuous);
    drop(disk);
    let _ = std::fs::remove_dir_all(folder.path());
}

/// A fire each second, and none is left out.
fn cron(fires: &'static str) -> Vec<&'static str> {
    let schedule = [
        "--schedule",
        "* * * * * *",
        "--missed",
        "all",
        "--fires",
        fires,
    ];
    [&["cron"], &RUN[1..], &schedule].concat()
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
