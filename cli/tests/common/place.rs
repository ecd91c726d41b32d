//! A lock of its own for each test, and the program on it.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::{wait_for, wait_until};

/// A folder with a lock in it.
#[derive(Debug)]
pub(crate) struct Place(tempfile::TempDir);

/// A process that is ended with the test.
#[derive(Debug)]
pub(crate) struct Candidate(Child);

impl Candidate {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }

    /// Waits until it has ended.
    pub(crate) fn status(&mut self) -> Option<i32> {
        let ended = || self.0.try_wait().unwrap();
        wait_for("a candidate to end", ended).code()
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn tenure(&self, command: &str) -> Command {
        let mut tenure = Command::new(env!("CARGO_BIN_EXE_tenure"));
        tenure
            .arg(command)
            .env(
                "TENURE_LOCK",
                format!("file://{}/locks/job", self.0.path().display()),
            )
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        tenure
    }

    /// Starts `tenure run` with these options and this script as its job.
    pub(crate) fn run(&self, options: &[&str], script: &str) -> Candidate {
        self.start("run", options, script)
    }

    /// Starts a candidate with these options and this script as its job.
    pub(crate) fn start(&self, command: &str, options: &[&str], script: &str) -> Candidate {
        let mut tenure = self.tenure(command);
        let tenure = tenure.args(options).args(["--", "sh", "-c", script]);
        Candidate::of(tenure.stderr(Stdio::null()))
    }

    pub(crate) fn output(&self, command: &str, options: &[&str]) -> Output {
        self.tenure(command).args(options).output().unwrap()
    }

    /// What `tenure status --json` says.
    pub(crate) fn status(&self) -> Value {
        let output = self.output("status", &["--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn leader(&self) -> Option<String> {
        self.status()["leader"]["name"].as_str().map(str::to_owned)
    }

    pub(crate) fn wait_for_leader(&self, name: &str) {
        wait_until(&format!("{name} to lead"), || {
            self.leader().as_deref() == Some(name)
        });
    }
}
