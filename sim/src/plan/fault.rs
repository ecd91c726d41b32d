use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Span;
use crate::api_server::Fails;

/// A fault, when it begins and for how long it lasts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedFault {
    /// When it begins, from the start of the run.
    pub at: Span,
    /// For how long, where it is something that ends. Without it, until everything is healed when the quiet time begins; a process
    /// that was ended without it stays away for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// What.
    pub what: Fault,
}

/// Whom a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// The first node that does not lead when the fault begins.
    Follower,
    /// Whoever leads when the fault begins; nobody when nobody does.
    Leader,
    /// The node with this index in the plan.
    Node(u16),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Follower => f.write_str("follower"),
            Self::Leader => f.write_str("leader"),
            Self::Node(index) => write!(f, "{index}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Node(index) => serializer.serialize_u16(*index),
            named => serializer.collect_str(named),
        }
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WhoVisitor;

        impl Visitor<'_> for WhoVisitor {
            type Value = Who;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node's index, \"leader\" or \"follower\"")
            }

            fn visit_u64<E: Error>(self, index: u64) -> Result<Who, E> {
                u16::try_from(index)
                    .map(Who::Node)
                    .map_err(|_| E::custom(format!("there is no node {index}")))
            }

            fn visit_i64<E: Error>(self, index: i64) -> Result<Who, E> {
                u16::try_from(index)
                    .map(Who::Node)
                    .map_err(|_| E::custom(format!("there is no node {index}")))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Who, E> {
                match name {
                    "follower" => Ok(Who::Follower),
                    "leader" => Ok(Who::Leader),
                    _ => Err(E::unknown_variant(name, &["leader", "follower"])),
                }
            }
        }
        deserializer.deserialize_any(WhoVisitor)
    }
}

/// Which way a link is cut, or loses.
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

/// What goes wrong. One vocabulary for all tiers and backends; what a backend does not have is left out when its plans are made, and
/// is refused with an error when a plan that was written by hand asks for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
#[non_exhaustive]
pub enum Fault {
    // Processes and machines.
    /// The process is killed, without a word to anybody; what it has sent still arrives. Another is started when the time is over.
    Crash {
        /// Whose process.
        node: Who,
    },
    /// The process is killed and its connection with it: what it has sent and has not arrived yet is lost.
    CrashCut {
        /// Whose process.
        node: Who,
    },
    /// The machine loses power: as a crash, and what was not on stable storage is lost or torn.
    PowerLoss {
        /// Which.
        node: Who,
    },
    /// The candidate is shut down in good order; another is started when the time is over.
    ShutDown {
        /// Which.
        node: Who,
    },
    /// The process is stopped, as by SIGSTOP: it does nothing, its clocks run on, its sockets and kernel locks stay.
    Pause {
        /// Whose process.
        node: Who,
    },
    /// The machine is suspended: nothing runs, and only the clock that counts suspended time goes on.
    Suspend {
        /// Which.
        node: Who,
    },
    /// The virtual machine is frozen from outside: nothing runs, and no clock of it goes on.
    Freeze {
        /// Which.
        node: Who,
    },
    /// The process gets little time: everything that it is woken for happens late.
    Starve {
        /// Whose process.
        node: Who,
        /// How late at the most.
        most: Span,
    },
    // What operators and programs do.
    /// The candidate resigns, if it leads.
    Resign {
        /// Which.
        node: Who,
    },
    /// The candidate is made ineligible.
    Ineligible {
        /// Which.
        node: Who,
    },
    /// An operator asks the sitting leader to resign, through the lock.
    OperatorResign,
    /// An operator leaves a pause in the lock, and a resume when the time is over.
    OperatorPause,
    /// The work ignores that it is told to stop. It can be aborted.
    Deaf {
        /// Whose work.
        node: Who,
    },
    /// The work panics now, if it runs.
    Panic {
        /// Whose work.
        node: Who,
    },
    // Clocks.
    /// The oscillator runs at another rate.
    Rate {
        /// Of which node.
        node: Who,
        /// So many millionths faster than true time.
        ppm: i64,
    },
    /// A time service slews all clocks of the node but the raw one.
    Slew {
        /// Of which node.
        node: Who,
        /// By so many millionths.
        ppm: i64,
    },
    /// The wall clock is set.
    StepWall {
        /// By so many seconds.
        by_s: i64,
        /// On which node.
        node: Who,
    },
    // The network between a node and the store.
    /// The link is cut: what is sent is lost, and nobody is told.
    Cut {
        /// Which way.
        direction: Direction,
        /// Of which node.
        node: Who,
    },
    /// Nothing passes, and everything arrives when the time is over.
    Clog {
        /// Of which node.
        node: Who,
    },
    /// Requests and replies are lost now and then.
    Lossy {
        /// Which way.
        direction: Direction,
        /// On which node's link.
        node: Who,
        /// How many of a thousand.
        per_mille: u16,
    },
    /// Requests arrive a second time, later.
    Duplicate {
        /// On which node's link.
        node: Who,
        /// How many of a thousand.
        per_mille: u16,
    },
    /// Requests and replies take between nothing and a long time, so that they overtake each other.
    Slow {
        /// Which way.
        direction: Direction,
        /// On which node's link.
        node: Who,
        /// At the most.
        most: Span,
    },
    /// Replies take exactly this much longer.
    Delay {
        /// By how much.
        by: Span,
        /// Which way.
        direction: Direction,
        /// On which node's link.
        node: Who,
    },
    /// All connections of the node break once: whoever waits is told so, whatever the store did.
    Reset {
        /// Of which node.
        node: Who,
    },
    // The store.
    /// The store refuses everything.
    Refuse {
        /// What it answers.
        with: Refusal,
    },
    /// The store applies writes and then answers that it timed out.
    AppliedTimeout {
        /// How many of a thousand.
        per_mille: u16,
    },
    /// The store takes requests in, does nothing until the time is over, and then applies and answers them.
    Hang,
    /// The store restarts: connections break, watches end, nothing is answered meanwhile. Sessions go on.
    Restart,
    /// What is read unauthoritatively, and what watches tell, is this much behind.
    Stale {
        /// How far.
        by: Span,
    },
    /// The store tells nobody of changes, and says nothing about it.
    NoHints,
    /// The watches end and say so; what happened meanwhile was not told.
    WatchGap,
    /// The store's lock is changed by somebody who is no candidate.
    Foreign(Foreign),
    /// The ensemble has no quorum: nothing is answered, and no session expires meanwhile.
    QuorumLoss,
    /// The ensemble elects another leader: connections break, and all sessions count from anew.
    LeaderChange,
    /// An administrator ends the node's session.
    ExpireSession {
        /// Whose.
        node: Who,
    },
    /// The disk has no room.
    DiskFull,
    // API servers, kubelets and pods.
    /// One of the API servers does not run: connections to it break, and go to another if there is one.
    ServerAway {
        /// Which, counted from 0 and over again.
        server: u8,
    },
    /// One of the API servers takes requests in, and serves them when the time is over.
    ServerHangs {
        /// Which.
        server: u8,
    },
    /// The cache of one of the API servers, and what its watches tell, is behind.
    ServerLags {
        /// How far.
        by: Span,
        /// Which.
        server: u8,
    },
    /// One of the servers of an ensemble is cut off from the others: it answers pings and reads, and drops its clients after a while.
    ServerCut {
        /// Which.
        server: u8,
    },
    /// One of the servers of an ensemble is killed while it joins, and serves a replica that lacks the leader's node, until it is started once
    /// more. Nothing happens to one that leads the others.
    ServerForgets {
        /// Which.
        server: u8,
    },
    /// Requests fail without an effect.
    Fails {
        /// How many of a thousand.
        per_mille: u16,
        /// How.
        with: Fails,
    },
    /// Writes take effect and fail all the same.
    FailsAfter {
        /// How many of a thousand.
        per_mille: u16,
        /// How.
        with: Fails,
    },
    /// Writes take effect and are not answered.
    RepliesDropped {
        /// How many of a thousand.
        per_mille: u16,
    },
    /// Requests take effect late, whoever still waits for them.
    SlowStore {
        /// How late at the most.
        most: Span,
    },
    /// The candidates may not watch.
    NoWatchRight,
    /// What has happened until now is forgotten: watches that go on from before are told so (410).
    Compaction,
    /// The node's token has expired (401), and is renewed when the time is over.
    TokenExpired {
        /// Whose.
        node: Who,
    },
    /// The kubelet reports what has become of containers later than usual.
    KubeletLate {
        /// By how much.
        by: Span,
        /// Of which node.
        node: Who,
    },
    /// The kubelet reports nothing. What runs on its node runs on.
    KubeletSilent {
        /// Of which node.
        node: Who,
    },
    /// The control plane has lost the node: its kubelet is silent, its pod is called not ready and is deleted at the end, while all that runs
    /// there runs on.
    NodeLost {
        /// Which.
        node: Who,
    },
}

/// How a store refuses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The candidate may not (403).
    Forbidden,
    /// Too many requests (429), try again after some seconds.
    Throttled,
    /// Out of order (503).
    Unavailable,
}

/// What somebody who is no candidate does to the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Foreign {
    /// Makes the record unreadable.
    Corrupt = 0,
    /// Deletes the lock.
    Delete = 1,
    /// Sets a label.
    EditLabel = 2,
    /// Takes the holder out of the record.
    Empty = 3,
    /// Writes a stranger's name over the holder's.
    Overwrite = 4,
    /// Deletes the record and creates one that says the same.
    Recreate = 5,
}

impl Fault {
    /// Whom it strikes, when it strikes one node.
    pub fn who(&self) -> Option<Who> {
        self.clone().who_mut().copied()
    }

    /// Whom it strikes, when it strikes one node, to be changed.
    pub fn who_mut(&mut self) -> Option<&mut Who> {
        match self {
            Self::Crash { node }
            | Self::CrashCut { node }
            | Self::PowerLoss { node }
            | Self::ShutDown { node }
            | Self::Pause { node }
            | Self::Suspend { node }
            | Self::Freeze { node }
            | Self::Starve { node, .. }
            | Self::Resign { node }
            | Self::Ineligible { node }
            | Self::Deaf { node }
            | Self::Panic { node }
            | Self::Rate { node, .. }
            | Self::Slew { node, .. }
            | Self::StepWall { node, .. }
            | Self::Cut { node, .. }
            | Self::Clog { node }
            | Self::Lossy { node, .. }
            | Self::Duplicate { node, .. }
            | Self::Slow { node, .. }
            | Self::Delay { node, .. }
            | Self::Reset { node }
            | Self::TokenExpired { node }
            | Self::KubeletLate { node, .. }
            | Self::KubeletSilent { node }
            | Self::NodeLost { node }
            | Self::ExpireSession { node } => Some(node),
            _ => None,
        }
    }
}
