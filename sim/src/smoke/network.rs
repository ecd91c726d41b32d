use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::plan::Direction;
use crate::executor::NodeId;
use crate::random::{Purpose, Stream};

/// The links between nodes and their store.
#[derive(Clone, Debug)]
pub(super) struct Network(Arc<Mutex<BTreeMap<NodeId, Link>>>);

#[derive(Debug)]
struct Link {
    cut: Option<Direction>,
    draw: Stream,
    loss_per_mille: u64,
    slow_ms: Option<u64>,
}

/// What happens to one request and its reply, drawn when the request is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Route {
    /// How long the request takes; nothing when it is lost.
    pub(super) request: Option<Duration>,
    /// After how long the request arrives once more.
    pub(super) again: Option<Duration>,
    /// How long the reply takes; nothing when it is lost.
    pub(super) reply: Option<Duration>,
    /// After how long the sender learns that something was lost; nothing when it hears nothing at all.
    pub(super) reset: Option<Duration>,
}

impl Network {
    pub(super) fn new(seed: u64, nodes: impl Iterator<Item = NodeId>) -> Self {
        let links = nodes.map(|node| {
            let link = Link {
                cut: None,
                draw: Stream::new(seed, u64::from(node.0), Purpose::Network),
                loss_per_mille: 0,
                slow_ms: None,
            };
            (node, link)
        });
        Self(Arc::new(Mutex::new(links.collect())))
    }

    /// What will happen to a request that `node` sends now.
    pub(super) fn route(&self, node: NodeId) -> Route {
        let mut links = self.lock();
        let link = link(&mut links, node);
        // Always the same number of draws, so that a change of one link's state does not shift the rest.
        let (there, back, reset) = (link.latency(), link.latency(), link.latency());
        let lost = link.draw.happens(link.loss_per_mille);
        let reply_lost = link.draw.happens(link.loss_per_mille);
        let again = link.draw.happens(link.loss_per_mille / 4);
        let told = link.draw.happens(500);
        Route {
            request: (!lost && link.lets_requests()).then_some(there),
            again: again.then_some(there + reset * 3),
            reply: (!reply_lost).then_some(back),
            reset: told.then_some(reset),
        }
    }

    pub(super) fn lets_requests(&self, node: NodeId) -> bool {
        link(&mut self.lock(), node).lets_requests()
    }

    pub(super) fn lets_replies(&self, node: NodeId) -> bool {
        link(&mut self.lock(), node).lets_replies()
    }

    pub(super) fn set_cut(&self, node: NodeId, cut: Option<Direction>) {
        link(&mut self.lock(), node).cut = cut;
    }

    pub(super) fn set_loss(&self, node: NodeId, per_mille: u64) {
        link(&mut self.lock(), node).loss_per_mille = per_mille;
    }

    pub(super) fn set_slow(&self, node: NodeId, slow_ms: Option<u64>) {
        link(&mut self.lock(), node).slow_ms = slow_ms;
    }

    pub(super) fn heal(&self) {
        for link in self.lock().values_mut() {
            link.cut = None;
            link.loss_per_mille = 0;
            link.slow_ms = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Link>> {
        self.0
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }
}

fn link(links: &mut BTreeMap<NodeId, Link>, node: NodeId) -> &mut Link {
    links.get_mut(&node).expect("every node has a link")
}

impl Link {
    fn lets_requests(&self) -> bool {
        !matches!(self.cut, Some(Direction::Both | Direction::Requests))
    }

    fn lets_replies(&self) -> bool {
        !matches!(self.cut, Some(Direction::Both | Direction::Replies))
    }

    /// Mostly short, with a long tail; up to what a slow link takes.
    fn latency(&mut self) -> Duration {
        let tail = self.draw.happens(20);
        let micros = self.draw.within(100..=3_000);
        match self.slow_ms {
            Some(most) => Duration::from_micros(micros * most / 3),
            None if tail => Duration::from_micros(micros * 100),
            None => Duration::from_micros(micros),
        }
    }
}
