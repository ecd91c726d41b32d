//! Processes that end with this one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use rustix::process::{Pid, Signal, kill_process};

type Request = (Command, Sender<std::io::Result<Child>>);

/// A child's death signal comes when the *thread* that started it ends, so one thread that never ends starts them all.
fn starter() -> &'static Sender<Request> {
    static STARTER: OnceLock<Sender<Request>> = OnceLock::new();
    STARTER.get_or_init(|| {
        let (requests, waiting) = channel::<Request>();
        std::thread::Builder::new()
            .name("starter".to_owned())
            .spawn(move || {
                for (mut command, started) in waiting {
                    drop(started.send(command.spawn()));
                }
            })
            .unwrap();
        requests
    })
}

/// Where it is: looked for once, since how long a candidate takes to start is measured.
fn setpriv() -> &'static Path {
    static SETPRIV: OnceLock<PathBuf> = OnceLock::new();
    SETPRIV.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&path).map(|folder| folder.join("setpriv"));
        places
            .find(|place| place.exists())
            .unwrap_or_else(|| PathBuf::from("setpriv"))
    })
}

/// Starts a process that the kernel kills when this one ends. `pipe` says where its input comes from and its output goes.
pub(crate) fn start_bound(command: &Command, pipe: impl FnOnce(&mut Command)) -> Child {
    let mut bound = Command::new(setpriv());
    bound
        .args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        bound.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    pipe(&mut bound);
    let (started, child) = channel();
    starter().send((bound, started)).unwrap();
    let child = child.recv().unwrap();
    child.unwrap_or_else(|error| {
        panic!(
            "setpriv (of util-linux), which starts processes here, could not be started: {error}"
        )
    })
}

/// A server's process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, which the kernel kills when this process ends. What it says goes to a file in `directory`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        directory: &Path,
        name: &str,
    ) -> Self {
        let log = directory.join(format!("{name}.log"));
        let output = File::options()
            .append(true)
            .create(true)
            .open(&log)
            .unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(directory);
        let child = start_bound(&command, |command| {
            command
                .stdin(Stdio::null())
                .stdout(output.try_clone().unwrap())
                .stderr(output);
        });
        Self {
            child,
            name: name.to_owned(),
            log,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        // It may have ended.
        let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What went wrong, if it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<String> {
        // Somebody who adopts orphans may have taken its status.
        let status = match self.child.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(5)..].join("\n");
        Some(format!("{} ended ({status}): {last}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}
