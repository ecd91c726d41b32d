//! What the backend needs of ZooKeeper, and no more: one session of it, and a way to begin one.
//!
//! Two things implement it: the client of the real servers, and the simulator's.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The answer to one request. The request is on its way when the method that made this has returned, after those before it and ahead of
/// those after it; dropping the answer takes nothing back.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Failed>> + Send>>;

/// Resolves once: when what was watched has changed in any way, or when the session has ended. A connection that was lost and found again
/// resolves none by itself, but changes meanwhile do.
pub type Event = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the servers keep about a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stat {
    /// The transaction that made the node: larger for each node than for all that were made before it, anywhere.
    pub czxid: i64,
    /// The session that the node ends with; 0 if with none.
    pub ephemeral_owner: i64,
    /// How often its data was set.
    pub version: i32,
}

/// How a node ends, and whether the server completes its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// The server deletes it some time after its last child.
    Container,
    /// It ends with the session.
    Ephemeral,
    /// It ends with the session, and its name ends in ten digits that grow for each child of its parent.
    EphemeralSequential,
    /// It stays.
    Persistent,
}

/// What [`Session::children_and_data`] has read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The names of the children.
    pub children: Result<Vec<String>, Failed>,
    /// The other nodes, in the order in which they were asked for.
    pub data: Vec<Result<(Vec<u8>, Stat), Failed>>,
}

impl Snapshot {
    /// Waits for the answers to requests that were sent one by one.
    pub(crate) async fn gather<D: Future<Output = Result<(Vec<u8>, Stat), Failed>>>(
        children: impl Future<Output = Result<Vec<String>, Failed>>,
        data: Vec<D>,
    ) -> Self {
        let mut snapshot = Self {
            children: children.await,
            data: Vec::with_capacity(data.len()),
        };
        for answer in data {
            snapshot.data.push(answer.await);
        }
        snapshot
    }
}

/// A part of a [`Session::multi`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// There is such a node; with this version, if one is given.
    Check {
        /// The node.
        path: String,
        /// Its version.
        version: Option<i32>,
    },
    /// A node is made.
    Create {
        /// The node.
        path: String,
        /// Its data.
        data: Vec<u8>,
        /// How it ends.
        mode: Mode,
    },
    /// A node is deleted, if it has this version.
    Delete {
        /// The node.
        path: String,
        /// Its version.
        version: Option<i32>,
    },
    /// A node's data is set, if it has this version.
    Set {
        /// The node.
        path: String,
        /// The new data.
        data: Vec<u8>,
        /// The version before.
        version: Option<i32>,
    },
}

/// Whether there is a connection, as the client sees it. Proves nothing about the session: a server that is cut off from its leader goes on
/// answering.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// To some server of the ensemble.
    Connected,
    /// None now; one is being sought.
    Disconnected,
    /// The session has ended and will not come back.
    Ended(Ending),
}

/// How a session came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// The servers, or the client by its own clock, have given it up.
    Expired,
    /// The servers do not believe who the client says it is.
    Refused,
    /// It was closed, or the client cannot go on.
    Closed,
}

/// Why a request has no answer of the kind that was hoped for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failed {
    /// The node has another version. (Of a multi: one of them, and nothing was done.)
    BadVersion,
    /// The session has ended. Nothing of it is left once the servers say so; until then the request may have been applied.
    Ended(Ending),
    /// The connection was lost before the answer. It may have been applied, and may yet be.
    Lost,
    /// There is no such node, or no parent for it.
    NoNode,
    /// The ACL of the node forbids it.
    NoRights,
    /// There is such a node already.
    NodeExists,
    /// The node has children.
    NotEmpty,
    /// Anything else that the servers or the client say; nothing was applied.
    Other(String),
    /// The servers ask for fewer requests; nothing was applied.
    Throttled,
    /// No server answered at all, so that there is no session.
    Unreachable(String),
    /// The servers do not know such an operation.
    Unsupported,
}

impl Failed {
    /// Whether the servers have understood the request and will not do it, whoever's turn it is.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::NoRights | Self::Other(_) | Self::Unsupported)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadVersion => f.write_str("the node has changed"),
            Self::Ended(Ending::Closed) => f.write_str("the session was closed"),
            Self::Ended(Ending::Expired) => f.write_str("the session has expired"),
            Self::Ended(Ending::Refused) => {
                f.write_str("the servers refuse this client's credentials")
            }
            Self::Lost => f.write_str("the connection was lost"),
            Self::NoNode => f.write_str("there is no such node"),
            Self::NoRights => f.write_str("the node's ACL forbids it"),
            Self::NodeExists => f.write_str("the node exists already"),
            Self::NotEmpty => f.write_str("the node has children"),
            Self::Other(says) | Self::Unreachable(says) => f.write_str(says),
            Self::Throttled => f.write_str("the servers ask for fewer requests"),
            Self::Unsupported => f.write_str("the servers do not know this operation"),
        }
    }
}

impl std::error::Error for Failed {}

/// One session. Paths are absolute, and all below the base that the user named or beside it: nothing is added to them.
pub trait Session: fmt::Debug + Send + Sync + 'static {
    /// Its number: what the [`Stat::ephemeral_owner`] of its nodes says.
    fn id(&self) -> i64;

    /// After how long without a sign of life the servers end it: what they granted, not what was asked for.
    fn timeout(&self) -> Duration;

    /// Whether there is a connection now.
    fn state(&self) -> State;

    /// The number of the connection of now: another one than before, if there was a time without one.
    fn connection(&self) -> u64;

    /// Resolves with the next state that is not `known`; at once, if it is another one already.
    fn state_after(&self, known: State) -> Pin<Box<dyn Future<Output = State> + Send>>;

    /// Makes a node. Answers with its path, which has the digits of a sequential one, and what the servers keep about it.
    fn create(&self, path: &str, data: &[u8], mode: Mode) -> Pending<(String, Stat)>;

    /// Deletes a node, if it has this version.
    fn delete(&self, path: &str, version: Option<i32>) -> Pending<()>;

    /// Sets a node's data, if it has this version.
    fn set(&self, path: &str, data: &[u8], version: Option<i32>) -> Pending<Stat>;

    /// Reads a node from the server that the client is connected to.
    fn get(&self, path: &str) -> Pending<(Vec<u8>, Stat)>;

    /// Looks whether there is a node, and watches it, also one that is not there yet.
    fn exists_and_watch(&self, path: &str) -> Pending<(Option<Stat>, Event)>;

    /// Reads a node and watches it. Where there is none, nothing is watched.
    fn get_and_watch(&self, path: &str) -> Pending<(Vec<u8>, Stat, Event)>;

    /// Names the children of a node, in no order.
    fn children(&self, path: &str) -> Pending<Vec<String>>;

    /// Names the children of a node, and watches for others.
    fn children_and_watch(&self, path: &str) -> Pending<(Vec<String>, Event)>;

    /// Names the children of a node and reads others: all as it is at one moment, where the servers can say that, in one request.
    fn children_and_data(&self, of: &str, others: &[&str]) -> Pending<Snapshot> {
        let children = self.children(of);
        let data: Vec<_> = others.iter().map(|path| self.get(path)).collect();
        Box::pin(async move { Ok(Snapshot::gather(children, data).await) })
    }

    /// Does all of it or none.
    fn multi(&self, steps: Vec<Step>) -> Pending<()>;

    /// Lets the server catch up with its leader, so that the reads after it show what was confirmed before it.
    fn sync(&self, path: &str) -> Pending<()>;

    /// Ends the session, in the background: its ephemeral nodes go with it, at once if a server hears of it.
    fn close(&self);

    /// Resolves when a closed session has told the servers so, or can tell them no more.
    fn closed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

/// Servers that sessions can be had from.
pub trait Servers: fmt::Debug + Send + Sync + 'static {
    /// Begins a session with a timeout of about `timeout`, after one attempt at each server at the most.
    fn connect(&self, timeout: Duration) -> Pending<Arc<dyn Session>>;
}
