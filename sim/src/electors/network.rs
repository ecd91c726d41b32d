use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::gate::Gate;
use crate::executor::NodeId;
use crate::plan::{Direction, Fault, Span};
use crate::random::{Purpose, Stream};

/// When a connection first sends again what was lost; twice as late each time.
const SENT_AGAIN_AFTER: Duration = Duration::from_millis(200);
const SENDS_MOST: u32 = 6;

/// The links between nodes and their store. Clones are the same network.
#[derive(Clone, Debug)]
pub(crate) struct Network(Arc<Mutex<Vec<Link>>>);

#[derive(Debug)]
struct Link {
    draw: Stream,
    gate: Gate,
    state: LinkState,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct LinkState {
    clogged: bool,
    duplicated_per_mille: u64,
    replies: Way,
    requests: Way,
}

/// What is wrong with one direction of a link.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Way {
    cut: bool,
    delay: Span,
    lost_per_mille: u64,
    slow: Option<Span>,
}

/// What happens to one request and its reply, drawn when the request is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Route {
    /// How long the request takes; nothing when it is lost.
    pub(crate) request: Option<Duration>,
    /// After how long the request arrives once more.
    pub(crate) again: Option<Duration>,
    /// How long the reply takes; nothing when it is lost.
    pub(crate) reply: Option<Duration>,
    /// After how long the sender learns that something was lost; nothing when it hears nothing at all.
    pub(crate) told: Option<Duration>,
}

impl LinkState {
    /// Adds what a fault that is under way does to the link of the node that it strikes.
    pub(crate) fn add(&mut self, fault: &Fault) {
        match *fault {
            Fault::Clog { .. } => self.clogged = true,
            Fault::Cut { direction, .. } => self.each(direction, |way| way.cut = true),
            Fault::Delay { by, direction, .. } => {
                self.each(direction, |way| way.delay = way.delay.max(by));
            }
            Fault::Duplicate { per_mille, .. } => self.duplicated_per_mille = per_mille.into(),
            Fault::Lossy {
                direction,
                per_mille,
                ..
            } => self.each(direction, |way| way.lost_per_mille = per_mille.into()),
            Fault::Slow {
                direction, most, ..
            } => self.each(direction, |way| way.slow = Some(most)),
            _ => {}
        }
    }

    fn each(&mut self, direction: Direction, change: impl Fn(&mut Way)) {
        if direction != Direction::Replies {
            change(&mut self.requests);
        }
        if direction != Direction::Requests {
            change(&mut self.replies);
        }
    }
}

impl Network {
    pub(crate) fn new(seed: u64, nodes: usize) -> Self {
        let nodes = u64::try_from(nodes).expect("a count fits 64 bits");
        let links = (0..nodes).map(|node| Link {
            draw: Stream::new(seed, node, Purpose::Network),
            gate: Gate::default(),
            state: LinkState::default(),
        });
        Self(Arc::new(Mutex::new(links.collect())))
    }

    /// What will happen to a request that `node` sends now.
    pub(crate) fn route(&self, node: NodeId) -> Route {
        let mut links = self.lock();
        let Link { draw, state, .. } = &mut links[usize::from(node.0)];
        // Always the same number of draws, so that a change of one link's state does not shift the rest.
        let there = state.requests.latency(draw);
        let back = state.replies.latency(draw);
        let later = Way::default().latency(draw);
        let lost = draw.happens(state.requests.lost_per_mille);
        let reply_lost = draw.happens(state.replies.lost_per_mille);
        let again = draw.happens(state.duplicated_per_mille);
        let told = draw.happens(500);
        Route {
            request: (!lost && !state.requests.cut).then_some(there),
            again: again.then_some(there + later * 3),
            reply: (!reply_lost).then_some(back),
            told: told.then_some(later),
        }
    }

    /// How long something takes on a connection that sends again what is lost: later than what went before it arrives nothing by itself.
    pub(crate) fn carry(&self, node: NodeId, direction: Direction) -> Duration {
        let mut links = self.lock();
        let Link { draw, state, .. } = &mut links[usize::from(node.0)];
        let way = match direction {
            Direction::Replies => state.replies,
            Direction::Both | Direction::Requests => state.requests,
        };
        let mut takes = way.latency(draw);
        let mut again = SENT_AGAIN_AFTER;
        for _ in 0..SENDS_MOST {
            if !draw.happens(way.lost_per_mille) {
                break;
            }
            takes += again;
            again *= 2;
        }
        takes
    }

    /// Whether anything passes.
    pub(crate) fn passes(&self, node: NodeId, direction: Direction) -> bool {
        let state = self.lock()[usize::from(node.0)].state;
        let way = match direction {
            Direction::Replies => state.replies,
            Direction::Both | Direction::Requests => state.requests,
        };
        !state.clogged && !way.cut
    }

    /// Waits while the link is clogged.
    pub(crate) async fn pass(&self, node: NodeId) {
        let gate = self.lock()[usize::from(node.0)].gate.clone();
        gate.pass().await;
    }

    pub(crate) fn lets_requests(&self, node: NodeId) -> bool {
        !self.lock()[usize::from(node.0)].state.requests.cut
    }

    pub(crate) fn lets_replies(&self, node: NodeId) -> bool {
        !self.lock()[usize::from(node.0)].state.replies.cut
    }

    pub(crate) fn set(&self, node: usize, state: LinkState) {
        let gate = {
            let link = &mut self.lock()[node];
            link.state = state;
            link.gate.clone()
        };
        gate.set_closed(state.clogged);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Link>> {
        self.0
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }
}

impl Way {
    /// Mostly short, with a long tail; anything up to what a slow link takes.
    fn latency(self, draw: &mut Stream) -> Duration {
        let tail = draw.happens(20);
        let micros = draw.within(100..=3_000);
        let usual = if tail { micros * 100 } else { micros };
        let nanos = match self.slow {
            Some(most) => (micros - 100) * (most.nanos() / 2_900),
            None => usual * 1_000,
        };
        Duration::from_nanos(nanos.saturating_add(self.delay.nanos()))
    }
}
