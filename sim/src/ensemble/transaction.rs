use std::time::Duration;

use tenure_backends::zookeeper::simulated::{Stat, Step};

use super::connection::ConnectionId;
use crate::executor::NodeId;

/// What the leader has put in order, for all servers to apply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Transaction {
    pub(crate) change: Change,
    /// Who waits for what becomes of it; nobody where a server made it by itself.
    pub(crate) origin: Option<Origin>,
    pub(crate) session: i64,
    pub(crate) zxid: i64,
}

/// A request of a client, as the servers know it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Origin {
    pub(crate) connection: ConnectionId,
    /// Its number on that connection.
    pub(crate) number: u64,
    /// On whose machine the client is.
    pub(crate) node: NodeId,
    /// What the client's process is called.
    pub(crate) party: u32,
    /// What the client calls the call that it is a part of.
    pub(crate) tag: u32,
}

/// What a transaction does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// A session begins.
    Open { timeout: Duration },
    /// It ends, and its ephemeral nodes with it.
    Close,
    /// One step of a client.
    One(Step),
    /// All of them or none.
    Multi(Vec<Step>),
    /// A container that has no children is deleted.
    Reap(String),
}

/// What a request is answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Children(Vec<String>),
    Data(Vec<u8>, Stat),
    Done,
    Exists(Option<Stat>),
    Made(String, Stat),
    Set(Stat),
}
