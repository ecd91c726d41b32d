//! An election with candidates of both kinds.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tenure_testkit::{Cast, Curator, Ensemble, Operator, Told, until};

use crate::candidate::{self, Place, SESSION};
use crate::checker::{Policy, check};
use crate::line::{Kind, Line};

pub(crate) const NAME: &str = "nightly";
/// Whose a line of the log is.
const OURS: usize = 1;
const THEIRS: usize = 2;

/// Whose candidate stands beside ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    Camel,
    Latch,
    Selector,
}

/// One server for all tests, each below a node of its own.
pub(crate) fn servers() -> &'static Ensemble {
    static SERVERS: OnceLock<Ensemble> = OnceLock::new();
    SERVERS.get_or_init(|| Ensemble::start(1))
}

/// One election.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) base: String,
    pub(crate) cast: Cast,
    directory: tempfile::TempDir,
    pub(crate) operator: Operator,
    started: usize,
}

impl Stage {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self {
            base: format!("/stage{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            cast: Cast::new(),
            directory: tempfile::tempdir().unwrap(),
            operator: servers().operator(),
            started: 0,
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{NAME}", self.base)
    }

    fn identity(&mut self, whose: &str) -> String {
        self.started += 1;
        format!("{whose}-{}", self.started)
    }

    /// Starts a candidate of ours, and says its number.
    pub(crate) fn ours(&mut self) -> usize {
        let identity = self.identity("ours");
        let log = self.log();
        let place = Place {
            base: &self.base,
            log: &log,
            name: NAME,
            servers: &servers().direct_connect_string(),
        };
        self.cast.start(&candidate::command(place, &identity, OURS))
    }

    /// Starts a candidate of theirs, and says its number.
    pub(crate) fn theirs(&mut self, peer: Peer) -> usize {
        let (connect, path) = (servers().direct_connect_string(), self.path());
        let identity = self.identity("theirs");
        let new = match peer {
            Peer::Camel => Curator::camel,
            Peer::Latch => Curator::latch,
            Peer::Selector => Curator::selector,
        };
        let candidate = new(&connect, &path, &identity)
            .memory_mb(64)
            .with("session-timeout", SESSION.as_millis())
            .with("beat", 5)
            .with("candidate", THEIRS)
            .with("log", self.log().display());
        self.cast.start(&candidate.command())
    }

    /// Waits until the candidate does `event`.
    pub(crate) fn wait(&self, number: usize, event: &str) -> Told {
        let is = |told: &Told| told.by == number && told.event == event;
        self.cast.wait_for(is)
    }

    /// Waits until so many stand in the queue.
    pub(crate) fn wait_until_queued(&self, count: usize) {
        until("a queue", || {
            let queue = self.operator.children(&self.path()).unwrap_or_default();
            (queue.len() == count).then_some(())
        });
    }

    /// What all leaders wrote.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let log = std::fs::read_to_string(self.log()).unwrap();
        log.lines().map(|line| Line::parse(line).unwrap()).collect()
    }

    /// The log shows no two leaders at once, in `runs` leaderships with tokens that grow.
    pub(crate) fn assert_no_overlap(&self, runs: usize) {
        let lines = self.lines();
        let faults = check(&lines, Policy::Continuous);
        assert!(faults.is_empty(), "{faults:#?}");
        let starts = lines.iter().filter(|line| line.kind == Kind::Start);
        assert_eq!(starts.count(), runs);
    }
}
