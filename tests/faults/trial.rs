//! One test: what runs, what happens to it, and what must hold.

use std::env;
use std::path::Path;

use crate::checker::{Fires, Policy, check};
use crate::cluster::{Cluster, Lock, Task};
use crate::fault::{Fault, Mix};
use crate::storm::{Storm, tell};
use crate::wait;

/// How many faults all tests together do, unless `TENURE_FAULTS` says otherwise.
pub(crate) const FAULTS: usize = 330;

/// Short leases, so that many faults fit into a short time: deadline 2.4 s after a renewal.
pub(crate) const RUN: &[&str] = &[
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
pub(crate) struct Trial {
    pub(crate) jobs: &'static str,
    pub(crate) command: Vec<&'static str>,
    pub(crate) mix: Mix,
    pub(crate) namesakes: bool,
    pub(crate) name: &'static str,
    /// How many of a hundred faults are this trial's.
    pub(crate) share: usize,
}

impl Trial {
    /// Jobs that run for as long as their candidate leads.
    pub(crate) fn continuous(
        run: &[&'static str],
        name: &'static str,
        mix: Mix,
        share: usize,
    ) -> Self {
        Self {
            jobs: "all",
            command: run.to_vec(),
            mix,
            namesakes: false,
            name,
            share,
        }
    }

    /// A fire each second, and none is left out.
    pub(crate) fn firing(
        run: &[&'static str],
        fires: &'static str,
        name: &'static str,
        mix: Mix,
        share: usize,
    ) -> Self {
        Self {
            jobs: "brief",
            command: fires_of(run, fires),
            ..Self::continuous(run, name, mix, share)
        }
    }

    fn faults(&self) -> usize {
        let all = env::var("TENURE_FAULTS")
            .ok()
            .and_then(|count| count.parse().ok());
        (all.unwrap_or(FAULTS) * self.share).div_ceil(100)
    }

    /// The same on the disk that the project is on.
    pub(crate) fn run(&self, policy: impl FnOnce(usize) -> Policy) {
        let folder = folder();
        let lock = Lock::File(folder.path().join("locks"));
        self.run_in(folder.path(), lock, policy);
        let _ = std::fs::remove_dir_all(folder.path());
    }

    /// Lets the faults happen to a cluster that wants this lock, and checks the log by the policy that `policy` makes of how many fires may be lost.
    pub(crate) fn run_in(&self, folder: &Path, lock: Lock, policy: impl FnOnce(usize) -> Policy) {
        let seed = env::var("TENURE_FAULTS_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(wait::fresh_seed);
        tell(&format!("{}: TENURE_FAULTS_SEED={seed}", self.name));
        let task = Task {
            lock,
            namesakes: self.namesakes,
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

/// Runs trials on locks that `start` makes in their folders. Each waits most of its time, so they wait side by side, each with servers of
/// its own.
pub(crate) fn side_by_side(trials: &[Trial], start: impl Fn(&Path) -> Lock) {
    // All servers first: whoever waits for orphans might take the end of what starts them.
    let places: Vec<_> = trials
        .iter()
        .map(|_| {
            let folder = folder();
            let lock = start(folder.path());
            (folder, lock)
        })
        .collect();
    std::thread::scope(|scope| {
        let storms: Vec<_> = trials
            .iter()
            .zip(places)
            .map(|(trial, (folder, lock))| {
                scope.spawn(move || {
                    trial.run_in(folder.path(), lock, |_| match trial.jobs {
                        "brief" => Policy::EachSecond(Fires::AtLeastOnce),
                        _ => Policy::Continuous,
                    });
                    let _ = std::fs::remove_dir_all(folder.path());
                })
            })
            .collect();
        let failed = storms.into_iter().filter_map(|storm| storm.join().err());
        assert_eq!(failed.count(), 0, "see above which storm did what");
    });
}

/// A folder on the disk that the project is on, removed when the test has passed.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("faults-")
        .disable_cleanup(true)
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("a folder can be made")
}

/// What runs each second and leaves no fire out, with the times of `run`.
fn fires_of(run: &[&'static str], fires: &'static str) -> Vec<&'static str> {
    let schedule = [
        "--schedule",
        "* * * * * *",
        "--missed",
        "all",
        "--fires",
        fires,
    ];
    [&["cron"], &run[1..], &schedule].concat()
}
