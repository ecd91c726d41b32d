//! The demo's candidates: real processes of this very program.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::guard::EXECUTABLE;

/// The lease is short so that the demo is; any timing behaves alike.
const TIMING: [&str; 6] = [
    "--lease",
    "3s",
    "--renew",
    "500ms",
    "--stop-timeout",
    "500ms",
];

/// What a candidate's process is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Running,
    Stopped,
    Gone,
}

#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) condition: Condition,
    pub(super) name: String,
    process: Child,
}

/// The files of one demo.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) directory: PathBuf,
}

impl Stage {
    pub(super) fn lock(&self) -> PathBuf {
        self.directory.join("demo")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.directory.join("journal.log")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }
}

impl Candidate {
    pub(super) fn start(stage: &Stage, name: &str) -> io::Result<Self> {
        let log = File::create(stage.log(name))?;
        let mut command = Command::new(EXECUTABLE);
        // What the caller's environment says about other elections must not reach this one.
        for (variable, _) in std::env::vars_os() {
            if variable
                .to_str()
                .is_some_and(|variable| variable.starts_with("TENURE_"))
            {
                command.env_remove(variable);
            }
        }
        command
            .arg("cron")
            .arg("--lock")
            .arg(url(&stage.lock()))
            .args([
                "--candidate",
                name,
                "--schedule",
                "* * * * * *",
                "--missed",
                "all",
            ])
            .args(TIMING)
            .arg("--")
            .arg(std::env::current_exe()?)
            .arg("demo-job")
            .arg(stage.journal())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Ok(Self {
            condition: Condition::Running,
            name: name.to_owned(),
            process: command.spawn()?,
        })
    }

    /// Looks whether the process has ended.
    pub(super) fn look(&mut self) -> io::Result<Condition> {
        if self.condition != Condition::Gone && self.process.try_wait()?.is_some() {
            self.condition = Condition::Gone;
        }
        Ok(self.condition)
    }

    pub(super) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        // A process that was not waited for keeps its number, so the signal cannot reach a stranger.
        if self.look()? == Condition::Gone {
            return Ok(());
        }
        let Some(process) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        else {
            return Ok(());
        };
        kill_process(process, signal)?;
        if signal == Signal::STOP {
            self.condition = Condition::Stopped;
        } else if signal == Signal::CONT {
            self.condition = Condition::Running;
        }
        Ok(())
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        // Its guard ends its job.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}
