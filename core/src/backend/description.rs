use std::time::Duration;

use crate::ElectionName;

/// How a lock ends when its holder does not release it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LockKind {
    /// A record that others may take once they have seen it unchanged for its own duration: a Kubernetes Lease, a row of a table.
    Leased,
    /// A lock that the store frees when the holder's session or process has ended: a ZooKeeper node, a kernel's file lock.
    Session,
}

/// Which acknowledged renewal proves that the store still counts the holder as alive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Proof {
    /// Each acknowledged renewal proves itself: the deadline counts from its send.
    Itself,
    /// A renewal is known to have been passed on only when another one, sent at least `gap` after the acknowledgement of the
    /// first, was acknowledged too: the deadline counts from the send of the first. (A ZooKeeper server passes its clients' signs
    /// of life on with the leader's pings, every half tick.)
    Later {
        /// How long after the acknowledgement of a renewal the proving one must be sent, as the store's own clock counts: the elector
        /// waits longer by the clock drift of both.
        gap: Duration,
    },
}

/// What a backend is, as plain data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// The backend's name, such as `file`.
    pub backend: &'static str,
    /// The election that the lock is for.
    pub election: ElectionName,
    /// The lock as a URL that people may copy: `file:///var/lib/tenure/nightly`. Never contains a secret.
    pub url: String,
    /// How the lock ends without a release.
    pub kind: LockKind,
    /// Which renewal proves that the holder is counted as alive.
    pub proof: Proof,
    /// Whether [`LockBackend::members`](super::LockBackend::members) tells anything.
    pub tells_members: bool,
}
