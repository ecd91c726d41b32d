use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::cluster::{CANDIDATES, Cluster, Lock};
use crate::fault::{Fault, Mix, Stop, Victim};
use crate::process::{self, Status, signal};
use crate::program::program;
use crate::random::Random;
use crate::wait::{Stopwatch, pause};

/// Fault after fault, on one cluster.
#[derive(Debug)]
pub(crate) struct Storm {
    pub(crate) cluster: Cluster,
    counts: BTreeMap<Fault, usize>,
    name: &'static str,
    random: Random,
}

impl Storm {
    pub(crate) fn over(cluster: Cluster, name: &'static str, seed: u64) -> Self {
        Self {
            cluster,
            counts: BTreeMap::new(),
            name,
            random: Random::from_seed(seed),
        }
    }

    /// Does `count` faults of `mix`, and tells how far it is.
    pub(crate) fn rage(mut self, mix: Mix, count: usize) -> (Cluster, BTreeMap<Fault, usize>) {
        let stopwatch = Stopwatch::start();
        for done in 0..count {
            self.await_a_moment();
            let fault = Fault::choose(mix, &mut self.random);
            let newest = self.cluster.newest_start().map(ToString::to_string);
            self.cluster
                .note(&format!("{fault:?} at {}", newest.unwrap_or_default()));
            self.strike(fault);
            *self.counts.entry(fault).or_default() += 1;
            if (done + 1) % 20 == 0 || done + 1 == count {
                let starts = self.cluster.starts();
                let seconds = stopwatch.elapsed().as_secs();
                tell(&format!(
                    "{}: {} of {count} faults, {starts} runs of the job, {seconds} s",
                    self.name,
                    done + 1
                ));
            }
        }
        (self.cluster, self.counts)
    }

    /// Waits for a run that lives, and a little longer; now and then strikes at any moment.
    fn await_a_moment(&mut self) {
        if self.random.below(5) != 0 {
            self.cluster.wait_for_a_run();
        }
        if matches!(self.cluster.lock(), Lock::Nodes(_)) {
            // Each death of a leader costs as many fires as a session has seconds.
            self.cluster.let_catch_up();
        }
        let pause_ms = self.random.below(120);
        self.tend_for(Duration::from_millis(pause_ms));
    }

    pub(crate) fn tend_for(&mut self, duration: Duration) {
        let stopwatch = Stopwatch::start();
        loop {
            self.cluster.tend();
            let Some(rest) = duration.checked_sub(stopwatch.elapsed()) else {
                return;
            };
            pause(rest.min(Duration::from_millis(20)));
        }
    }

    /// A victim. The leader is whose job has started last.
    pub(crate) fn candidate(&mut self, victim: Victim) -> usize {
        let leader = self
            .cluster
            .newest_start()
            .map_or(0, |start| start.candidate);
        match victim {
            Victim::Follower => {
                let others = u64::try_from(CANDIDATES - 1).expect("a small number");
                let distance = usize::try_from(self.random.below(others)).expect("a small number");
                (leader + 1 + distance) % CANDIDATES
            }
            Victim::Leader => leader,
        }
    }

    /// The process of a victim.
    fn pid(&mut self, victim: Victim) -> i32 {
        let candidate = self.candidate(victim);
        self.cluster.pid(candidate)
    }

    /// The first process of the newest run.
    fn job(&self) -> Option<i32> {
        self.cluster.newest_start().map(|start| start.pid)
    }

    /// The leader's processes that are neither program nor job: whatever guards the job.
    fn guards(&mut self) -> Vec<i32> {
        let program = self.pid(Victim::Leader);
        let job = self.job();
        let mut guards = process::children(program);
        guards.extend(job.and_then(Status::of).map(|status| status.parent));
        let ours = i32::try_from(std::process::id()).expect("a process id fits");
        guards.retain(|pid| *pid != program && *pid != ours && *pid > 1 && Some(*pid) != job);
        if self.outlives_its_guards() {
            // One whose program has died is the last that can end the job.
            guards.retain(|pid| Status::of(*pid).is_some_and(|status| status.parent == program));
        }
        guards
    }

    fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::DeleteLockFile => self.remove_lock_file(),
            Fault::Ensemble(fault) => self.strike_ensemble(fault),
            Fault::FillDisk => self.fill_disk(),
            Fault::KillGuard => self.kill_guards(),
            Fault::KillJob => {
                self.signal_all(|storm| storm.job().into_iter().collect(), Signal::KILL)
            }
            Fault::KillProgram(victim) => {
                self.signal_all(|storm| vec![storm.pid(victim)], Signal::KILL)
            }
            Fault::KillProgramAndGuard => self.kill_program_and_guards(),
            Fault::ReplaceLockFile => {
                self.remove_lock_file();
                File::create(self.cluster.lock_file()).expect("a lock file can be made");
            }
            Fault::Resign => self.resign(),
            Fault::Server(fault) => self.strike_servers(fault),
            Fault::StopGuard(stop) => {
                let guards = self.guards();
                self.stop(&guards, stop);
            }
            Fault::StopGuardKillProgram => {
                let guards = self.guards();
                let program = self.pid(Victim::Leader);
                // A program that still runs continues its guard at once.
                signal(program, Signal::STOP);
                guards.iter().for_each(|pid| signal(*pid, Signal::STOP));
                signal(program, Signal::KILL);
                self.stop(&guards, Stop::Short);
            }
            Fault::StopProgram(victim, stop) => {
                let program = self.pid(victim);
                self.stop(&[program], stop);
            }
            Fault::TerminateAll => self.signal_all(Self::programs, Signal::TERM),
            Fault::TerminateProgram(victim) => {
                self.signal_all(|storm| vec![storm.pid(victim)], Signal::TERM)
            }
        }
    }

    fn programs(&mut self) -> Vec<i32> {
        (0..CANDIDATES)
            .map(|candidate| self.cluster.pid(candidate))
            .collect()
    }

    /// Only the program can end what its guard leaves behind. Where the lock ages, it is given the time for it: what outlives both is excluded
    /// from the claim, and the next fault may be the program's death.
    fn kill_guards(&mut self) {
        let newest = self.cluster.newest_start().map(|start| start.run.token);
        self.signal_all(Self::guards, Signal::KILL);
        if let (Some(token), true) = (newest, self.outlives_its_guards()) {
            self.cluster.await_end_of(token);
        }
    }

    /// Whether the job no longer keeps the lock when program and guard have died, as it does where the lock ages.
    fn outlives_its_guards(&self) -> bool {
        !matches!(self.cluster.lock(), Lock::File(_))
    }

    /// What these leave of the job keeps the lock for as long as it lives, so somebody has to end it.
    fn kill_program_and_guards(&mut self) {
        let newest = self.cluster.newest_start().map(|start| start.run.token);
        let mut pids = self.guards();
        pids.push(self.pid(Victim::Leader));
        pids.iter().for_each(|pid| signal(*pid, Signal::KILL));
        let wait_ms = self.random.below(500);
        self.tend_for(Duration::from_millis(wait_ms));
        if let Some(token) = newest {
            self.cluster.kill_run(token);
        }
    }

    fn signal_all(&mut self, choose: impl FnOnce(&mut Self) -> Vec<i32>, with: Signal) {
        for pid in choose(self) {
            signal(pid, with);
        }
    }

    /// For how long something is stopped.
    pub(crate) fn length(&mut self, stop: Stop) -> Duration {
        let deadline_ms = match self.cluster.lock() {
            Lock::File(_) | Lock::Lease(_) => 3_500,
            Lock::Nodes(_) => 8_500,
        };
        Duration::from_millis(match stop {
            Stop::Long => deadline_ms + self.random.below(2_500),
            Stop::Short => self.random.below(700),
        })
    }

    fn stop(&mut self, pids: &[i32], stop: Stop) {
        let duration = self.length(stop);
        pids.iter().for_each(|pid| signal(*pid, Signal::STOP));
        self.tend_for(duration);
        pids.iter().for_each(|pid| signal(*pid, Signal::CONT));
    }

    fn remove_lock_file(&self) {
        // It may be gone already, and not yet made again.
        let _ = fs::remove_file(self.cluster.lock_file());
    }

    fn resign(&self) {
        let mut command = Command::new(program());
        if let Lock::Lease(servers) = self.cluster.lock() {
            command.env("KUBECONFIG", servers.operators_kubeconfig());
        }
        command
            .args(["resign", "--lock", &self.cluster.lock_url()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // It may come too late for the leader that it is meant for, and says so.
        let _ = process::succeeds(&mut command);
    }

    fn fill_disk(&mut self) {
        let path = self.cluster.locks().join("ballast");
        if let Ok(mut ballast) = File::create(&path) {
            while ballast.write(&[0; 512]).is_ok_and(|bytes| bytes > 0) {}
        }
        let duration_ms = self.random.below(4_000);
        self.tend_for(Duration::from_millis(duration_ms));
        fs::remove_file(&path).expect("the ballast can be removed");
    }
}

/// Says something at once, also when the output of tests is captured.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
