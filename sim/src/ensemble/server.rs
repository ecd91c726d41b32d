use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::connection::{ConnectionId, Kind, Lane, WatchId};
use super::lost::Lost;
use super::tracker::Tracker;
use super::transaction::{Change, Origin, Transaction};
use super::tree::Tree;
use crate::TrueTime;
use crate::clock::Counter;

/// One server of the ensemble.
#[derive(Debug)]
pub(super) struct Server {
    /// Whether its process runs.
    pub(super) alive: bool,
    pub(super) applied: usize,
    /// What it is to apply, and when, where it is behind.
    pub(super) applies: VecDeque<(TrueTime, usize)>,
    pub(super) committed: usize,
    pub(super) connections: BTreeSet<ConnectionId>,
    pub(super) counter: Counter,
    /// Grows with each change of its role: timers of earlier ones mean nothing.
    pub(super) generation: u64,
    /// Whether nothing passes between it and the other servers.
    pub(super) isolated: bool,
    /// How far it is behind in applying.
    pub(super) lag: Duration,
    pub(super) log: Vec<Arc<Transaction>>,
    /// What its replica lacks.
    pub(super) lost: Lost,
    /// Whether its process stands still.
    pub(super) paused: bool,
    pub(super) role: Role,
    /// What waits until so much is applied.
    pub(super) syncs: Vec<(usize, Origin)>,
    pub(super) tree: Tree,
    pub(super) watches: BTreeMap<String, Vec<Watch>>,
}

#[derive(Debug)]
pub(super) enum Role {
    Following {
        /// When the leader was heard last.
        heard: TrueTime,
        leader: usize,
        /// The sessions that were heard of since the leader's last ping.
        touched: BTreeSet<i64>,
    },
    Leading(Box<Leading>),
    Looking,
}

/// What a leader knows.
#[derive(Debug)]
pub(super) struct Leading {
    /// How much of the log each follower has.
    pub(super) acknowledged: BTreeMap<usize, usize>,
    pub(super) beats: u64,
    /// When each follower was heard last.
    pub(super) heard: BTreeMap<usize, TrueTime>,
    pub(super) newest: i64,
    /// Over which connection each session goes.
    pub(super) owners: BTreeMap<i64, ConnectionId>,
    /// Who waits until so much is committed.
    pub(super) syncs: Vec<(usize, usize, Origin)>,
    pub(super) tracker: Tracker,
}

/// A watch that was left with a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Watch {
    pub(super) connection: ConnectionId,
    pub(super) id: WatchId,
    pub(super) kind: Kind,
}

/// What servers tell each other.
#[derive(Debug)]
pub(super) enum Peer {
    // To the leader.
    Acknowledge {
        logged: usize,
    },
    Forward {
        change: Change,
        origin: Origin,
        session: i64,
    },
    Pong {
        touched: BTreeSet<i64>,
    },
    Revalidate {
        connection: ConnectionId,
        session: i64,
    },
    Sync(Origin),
    // To a follower.
    Commit {
        upto: usize,
    },
    Ping,
    Propose(Arc<Transaction>),
    Refuse(Origin),
    Revalidated {
        connection: ConnectionId,
        session: i64,
        valid: bool,
    },
    Synced(Origin),
}

pub(super) type Channels = BTreeMap<(usize, usize), Lane<Peer>>;

impl Server {
    pub(super) fn new(rate_ppm: i64) -> Self {
        Self {
            alive: true,
            applied: 0,
            applies: VecDeque::new(),
            committed: 0,
            connections: BTreeSet::new(),
            counter: Counter::new(0, rate_ppm),
            generation: 0,
            isolated: false,
            lag: Duration::ZERO,
            log: Vec::new(),
            lost: Lost::default(),
            paused: false,
            role: Role::Looking,
            syncs: Vec::new(),
            tree: Tree::default(),
            watches: BTreeMap::new(),
        }
    }

    /// Whether it lets clients in: it leads, or follows somebody.
    pub(super) fn serves(&self) -> bool {
        self.alive && !matches!(self.role, Role::Looking)
    }

    /// Whether other servers reach it.
    pub(super) fn is_reached(&self) -> bool {
        self.alive && !self.paused && !self.isolated
    }

    pub(super) fn last_zxid(&self) -> i64 {
        self.log.last().map_or(0, |transaction| transaction.zxid)
    }

    /// Takes out the watches on `path` of these kinds.
    pub(super) fn fired(&mut self, path: &str, kinds: &[Kind]) -> Vec<Watch> {
        let Some(watches) = self.watches.get_mut(path) else {
            return Vec::new();
        };
        let all = std::mem::take(watches);
        let (fired, kept): (Vec<_>, _) = all
            .into_iter()
            .partition(|watch| kinds.contains(&watch.kind));
        if kept.is_empty() {
            self.watches.remove(path);
        } else {
            *watches = kept;
        }
        fired
    }

    pub(super) fn watch(&mut self, path: &str, watch: Watch) {
        self.watches.entry(path.to_owned()).or_default().push(watch);
    }
}
