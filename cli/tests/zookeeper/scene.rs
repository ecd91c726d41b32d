//! A base path of its own for each test on one real server, and the program on an election below it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tenure_testkit::{Ensemble, Server, Settings};

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::wait_until;

pub(crate) const ELECTION: &str = "nightly";

/// One server for all tests. Its sessions are between 2 and 20 s.
pub(crate) fn ensemble() -> &'static Ensemble {
    static ENSEMBLE: OnceLock<Ensemble> = OnceLock::new();
    ENSEMBLE.get_or_init(|| {
        let tick = Duration::from_secs(1);
        Settings::new(1).tick_time(tick).start()
    })
}

pub(crate) fn server() -> &'static Server {
    ensemble().server(1)
}

/// One election.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) base: String,
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            base: format!("/test{number}"),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The node that is contended for.
    pub(crate) fn path(&self) -> String {
        format!("{}/{ELECTION}", self.base)
    }

    pub(crate) fn url(&self) -> String {
        format!("zookeeper://127.0.0.1:{}{}", server().port(), self.path())
    }

    /// A file with this password in it.
    pub(crate) fn password(&self, password: &str) -> String {
        let path = self.folder().join(password);
        std::fs::write(&path, password).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A candidate whose job takes its time. What it logs is in a file of its name.
    pub(crate) fn candidate(&self, name: &str, options: &[&str]) -> Candidate {
        let log = std::fs::File::create(self.folder().join(name)).unwrap();
        let mut tenure = self.tenure("run");
        tenure
            .args(["--candidate", name])
            .args(options)
            .args(["--", "sleep", "600"])
            .stderr(log);
        Candidate::of(&mut tenure)
    }

    /// What a candidate has logged so far.
    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// A candidate that is in the queue by now.
    pub(crate) fn candidate_in_queue(&self, name: &str) -> Candidate {
        let candidate = self.candidate(name, &[]);
        wait_until(&format!("{name} in the queue"), || {
            self.queue().iter().any(|one| one == name)
        });
        candidate
    }

    /// Who is in the queue, in the order that `tenure status` shows.
    pub(crate) fn queue(&self) -> Vec<String> {
        names(&self.status()["queue"])
    }
}

impl Program for Place {
    fn tenure(&self, command: &str) -> Command {
        let mut tenure = Command::new(env!("CARGO_BIN_EXE_tenure"));
        tenure
            .arg(command)
            .env("TENURE_LOCK", self.url())
            .current_dir(self.folder())
            .stdin(Stdio::null());
        tenure
    }
}

/// The names in a list of members.
pub(crate) fn names(members: &Value) -> Vec<String> {
    let members = members.as_array().unwrap();
    let name = |member: &Value| member["name"].as_str().unwrap().to_owned();
    members.iter().map(name).collect()
}
