use std::collections::VecDeque;
use std::time::Duration;

use tenure_backends::zookeeper::simulated::Failed;

use super::transaction::{Answer, Change, Origin};
use crate::TrueTime;
use crate::executor::NodeId;

/// One connection of a client to a server. Each way keeps its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ConnectionId(pub(super) u64);

/// Whose session it is, or is to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ClientId(pub(super) u64);

/// A watch, by the number that its client has given it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct WatchId(pub(super) u64);

/// What is on its way, in the order of its sending.
#[derive(Debug)]
pub(super) struct Lane<T> {
    last: TrueTime,
    queue: VecDeque<(TrueTime, T)>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            last: TrueTime::START,
            queue: VecDeque::new(),
        }
    }
}

impl<T> Lane<T> {
    /// Sends something that takes so long, and longer if something before it does. When it arrives.
    pub(super) fn send(&mut self, now: TrueTime, takes: Duration, what: T) -> TrueTime {
        self.last = self.last.max(now.plus(takes));
        self.queue.push_back((self.last, what));
        self.last
    }

    /// What has arrived, one after the other.
    pub(super) fn take(&mut self, now: TrueTime) -> Option<T> {
        let arrived = self.queue.front().is_some_and(|(at, _)| *at <= now);
        let (_, what) = arrived.then(|| self.queue.pop_front()).flatten()?;
        Some(what)
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }
}

/// What a client sends.
#[derive(Debug)]
pub(super) enum Up {
    /// It has closed its end.
    Bye,
    /// It wants a session, or to go on with one; it has seen everything up to this transaction.
    Hello {
        session: Option<i64>,
        timeout: Duration,
        zxid: i64,
    },
    Ping,
    Request {
        body: Body,
        number: u64,
        tag: u32,
    },
    /// What it has watched before, as of what it has seen.
    Watches {
        watches: Vec<(WatchId, String, Kind)>,
        zxid: i64,
    },
}

/// What a server sends.
#[derive(Debug)]
pub(super) enum Down {
    /// It has closed its end.
    Bye,
    Event(WatchId),
    /// There is no such session any more.
    Expired,
    Pong,
    Reply {
        answer: Result<Answer, Failed>,
        number: u64,
        zxid: i64,
    },
    Welcome {
        session: i64,
        timeout: Duration,
    },
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Read {
        ask: Ask,
        path: String,
        watch: Option<WatchId>,
    },
    Sync,
    Write(Change),
}

/// What is read of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    Children,
    Data,
    Exists,
}

/// What a watch waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Other children, or the end of the node.
    Children,
    /// Other data, or the end of the node.
    Data,
    /// The making of the node.
    Exists,
}

/// A connection, with both of its ends.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: ClientId,
    pub(super) down: Lane<Down>,
    pub(super) node: NodeId,
    /// Whether the server has not closed it.
    pub(super) open: bool,
    /// What the client's process is called.
    pub(super) party: u32,
    /// What the server has received and not answered yet.
    pub(super) requests: VecDeque<Waiting>,
    pub(super) server: usize,
    /// The session, once the server has let the client in.
    pub(super) session: Option<i64>,
    /// What the client calls the request that opens it.
    pub(super) tag: u32,
    pub(super) up: Lane<Up>,
}

/// A request that a server works at. Reads wait for the writes before them.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) body: Body,
    pub(super) done: Option<Result<Answer, Failed>>,
    pub(super) origin: Origin,
}
