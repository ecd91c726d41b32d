use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::TrueTime;

/// Which kind of lock the candidates of a run contend for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// A record that followers age.
    Leased,
    /// A lock that ends with its process at once, as a kernel's.
    Process,
    /// A lock that a server ends when it has not heard from its session for the lease duration.
    Session,
}

/// Everything that a run does to its candidates: plain data, made before it starts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// When the run ends, in nanoseconds of true time.
    pub end: u64,
    /// What goes wrong, in the order of time.
    pub faults: Vec<PlannedFault>,
    /// The candidates' machines.
    pub nodes: Vec<NodePlan>,
    /// From when on everything is healed and nothing goes wrong any more.
    pub quiet_from: u64,
    /// How much faster than true time the server that counts sessions runs, in millionths.
    pub server_rate_ppm: i64,
    /// The kind of lock.
    pub store: StoreKind,
}

impl Plan {
    /// From when on everything is healed.
    pub fn quiet_from(&self) -> TrueTime {
        TrueTime::from_nanos(self.quiet_from)
    }

    /// When the run ends.
    pub fn end(&self) -> TrueTime {
        TrueTime::from_nanos(self.end)
    }
}

/// One candidate's machine, and its work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodePlan {
    /// The lease duration that its candidate is configured with, in milliseconds.
    pub lease_ms: u64,
    /// How much faster than true time its oscillator runs at first, in millionths.
    pub rate_ppm: i64,
    /// How long its work takes to stop when it is told to, in milliseconds.
    pub stop_takes_ms: u64,
    /// What its clocks show at the start, in milliseconds.
    pub uptime_ms: u64,
    /// What its wall clock shows at the start, in seconds since 1970.
    pub wall_s: u64,
    /// After how long its work ends by itself, in milliseconds; nothing when it does not.
    pub work_lasts_ms: Option<u64>,
}

/// A fault and when it begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlannedFault {
    /// When, in nanoseconds of true time.
    pub at: u64,
    /// What.
    pub fault: Fault,
    /// For how long, in milliseconds, where it is something that ends.
    pub lasts_ms: u64,
}

impl PlannedFault {
    /// When it begins.
    pub fn at(&self) -> TrueTime {
        TrueTime::from_nanos(self.at)
    }

    /// For how long.
    pub fn lasts(&self) -> Duration {
        Duration::from_millis(self.lasts_ms)
    }
}

/// Which way a link is cut.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Nothing passes.
    Both,
    /// Requests arrive, replies do not.
    Replies,
    /// Requests do not arrive.
    Requests,
}

/// What goes wrong. `node` is an index into [`Plan::nodes`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The process is killed; another is started when the time is over.
    Crash {
        /// On which node.
        node: usize,
    },
    /// The link to the store is cut.
    Cut {
        /// Which way.
        direction: Direction,
        /// Of which node.
        node: usize,
    },
    /// The store's lock is changed by somebody who is no candidate.
    Foreign(Foreign),
    /// The candidate is made ineligible.
    Ineligible {
        /// Which.
        node: usize,
    },
    /// Requests and replies are lost.
    Lossy {
        /// On which node's link.
        node: usize,
        /// How many of a thousand, each way.
        per_mille: u64,
    },
    /// The store tells nobody of changes.
    NoHints,
    /// An operator leaves a pause in the lock, and a resume when the time is over.
    OperatorPause,
    /// An operator asks the sitting leader to resign, through the lock.
    OperatorResign,
    /// The process is stopped, as by SIGSTOP.
    Pause {
        /// On which node.
        node: usize,
    },
    /// The oscillator changes its rate.
    Rate {
        /// Of which node.
        node: usize,
        /// To so many millionths faster than true time.
        ppm: i64,
    },
    /// The store refuses everything.
    Refuse,
    /// The candidate resigns, if it leads.
    Resign {
        /// Which.
        node: usize,
    },
    /// The candidate is shut down in good order; another is started when the time is over.
    ShutDown {
        /// Which.
        node: usize,
    },
    /// A time service slews the clocks of a node.
    Slew {
        /// Of which node.
        node: usize,
        /// By so many millionths.
        ppm: i64,
    },
    /// Requests and replies take long, often longer than anybody waits.
    Slow {
        /// At the most, in milliseconds.
        most_ms: u64,
        /// On which node's link.
        node: usize,
    },
    /// The wall clock is set.
    StepWall {
        /// By so many seconds.
        by_s: i64,
        /// On which node.
        node: usize,
    },
    /// The machine is suspended.
    Suspend {
        /// Which.
        node: usize,
    },
}

/// What somebody who is no candidate does to the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// Makes the record unreadable.
    Corrupt,
    /// Deletes the lock.
    Delete,
    /// Sets a label.
    EditLabel,
    /// Takes the holder out of the record.
    Empty,
    /// Writes a stranger's name over the holder's.
    Overwrite,
    /// Deletes the record and creates one that says the same.
    Recreate,
}
