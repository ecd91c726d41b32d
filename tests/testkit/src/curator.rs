use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::cast::boottime;
use crate::directory::built;

/// The classes of tests/curator, and what they stand on: built now, if they are not there yet.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| built(&["curator"]))
}

/// How far the clock that all processes of a machine share is ahead of the one that Java has.
fn offset() -> Duration {
    let monotonic = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(monotonic.tv_sec).unwrap();
    let monotonic = Duration::new(seconds, u32::try_from(monotonic.tv_nsec).unwrap());
    // They are read one after the other, and differ only by how long the machine has slept.
    let ahead = boottime().saturating_sub(monotonic);
    match ahead < Duration::from_millis(1) {
        true => Duration::ZERO,
        false => ahead,
    }
}

/// How a candidate of Curator or Camel takes part, or what is measured of Curator. What is left out is its default.
#[derive(Clone, Debug)]
pub struct Curator {
    arguments: Vec<String>,
    memory_mb: u32,
}

impl Curator {
    fn new(mode: &str, connect: &str, path: &str) -> Self {
        let this = Self {
            arguments: vec![mode.to_owned()],
            memory_mb: 256,
        };
        let this = this.with("connect", connect).with("path", path);
        this.with("boottime-offset", offset().as_nanos())
    }

    /// A `LeaderSelector` that stands again whenever it has led, called `id`, in the election `path`.
    pub fn selector(connect: &str, path: &str, id: &str) -> Self {
        Self::new("selector", connect, path).with("id", id)
    }

    /// A `LeaderLatch`.
    pub fn latch(connect: &str, path: &str, id: &str) -> Self {
        Self::new("latch", connect, path).with("id", id)
    }

    /// A route of Camel on its ZooKeeper cluster service; `path` is base path and namespace in one.
    pub fn camel(connect: &str, path: &str, id: &str) -> Self {
        Self::new("camel", connect, path).with("id", id)
    }

    /// So many `LeaderSelector`s in one JVM, each the leader of an election of its own, until its input ends. It tells threads and heap.
    pub fn many(connect: &str, path: &str, count: usize) -> Self {
        Self::new("many", connect, path).with("count", count)
    }

    /// Handovers between `count` contenders, of the recipe `selector` or `latch`. It tells microseconds from each release to the next leader.
    pub fn handover(connect: &str, path: &str, recipe: &str, count: usize, rounds: usize) -> Self {
        let this = Self::new("handover", connect, path).with("recipe", recipe);
        this.with("count", count).with("rounds", rounds)
    }

    /// Starts of a client and a candidate on a free lock, of the recipe `selector` or `latch`. It tells microseconds until it leads.
    pub fn start(connect: &str, path: &str, recipe: &str, rounds: usize) -> Self {
        let this = Self::new("start", connect, path).with("recipe", recipe);
        this.with("rounds", rounds)
    }

    /// Sets an option of tests/curator.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.arguments.push(format!("--{name}={value}"));
        self
    }

    /// How large the heap may grow.
    #[must_use]
    pub fn memory_mb(mut self, megabytes: u32) -> Self {
        self.memory_mb = megabytes;
        self
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let programs = programs().display();
        let mut command = Command::new("java");
        command
            .arg(format!("-Xmx{}m", self.memory_mb))
            .args(["-XX:+UseSerialGC", "-Xshare:auto", "-cp"])
            .arg(format!("{programs}/classes:{programs}/jars/*"))
            .arg("tenure.Main")
            .args(&self.arguments);
        command
    }
}
