//! What is so in a run after the records so far, worked out once for all invariants.

mod doubt;
mod lock;
mod node;
mod requests;

pub(super) use lock::Lock;
pub(super) use node::Node;
pub(super) use requests::{Fate, Request};

use tenure_core::Nanos;

use super::Facts;
use crate::TrueTime;
use crate::plan::Fault;
use crate::trace::{Deed, Life, Operation, Record, RequestId, What};
use doubt::Doubt;
use requests::Requests;

/// What is so after the records so far.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) facts: Facts,
    pub(super) nodes: Vec<Node>,
    /// The lock after the record, and before it.
    pub(super) lock: Lock,
    pub(super) lock_before: Lock,
    /// Since when everything is healed.
    pub(super) quiet_since: Option<TrueTime>,
    /// Whether the record in hand begins a leadership.
    pub(super) begins: bool,
    /// Whether the record in hand is the end of work that nobody had told to stop.
    pub(super) ended_by_itself: bool,
    /// The newest token of any leadership before the record in hand.
    pub(super) newest_token: Option<u64>,
    /// When a stranger last changed the lock in a way that loses its holder.
    pub(super) disturbed_at: Option<TrueTime>,
    /// Whether the store vouches for the end of former holders.
    pub(super) doubt: Doubt,
    requests: Requests,
    /// The request that reached the store last: what the store does next at the same moment is its doing.
    landed: Option<Landed>,
}

#[derive(Clone, Copy, Debug)]
struct Landed {
    at: TrueTime,
    request: RequestId,
    /// Whether nobody waits for it any more.
    zombie: bool,
}

impl Scene {
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            nodes: vec![Node::default(); facts.nodes.len()],
            doubt: Doubt::new(&facts),
            facts,
            lock: Lock::default(),
            lock_before: Lock::default(),
            quiet_since: None,
            begins: false,
            ended_by_itself: false,
            newest_token: None,
            disturbed_at: None,
            requests: Requests::default(),
            landed: None,
        }
    }

    /// The index of the node that a record is about, if the plan has it.
    pub(super) fn index(&self, record: &Record) -> Option<usize> {
        let index = usize::from(record.node?.0);
        (index < self.nodes.len()).then_some(index)
    }

    pub(super) fn request(&self, id: RequestId) -> Option<&Request> {
        self.requests.find(id)
    }

    /// The request that made the store write what the record in hand says, where that is known.
    pub(super) fn cause(&self, record: &Record) -> Option<&Request> {
        let landed = self.landed?;
        let request = self.requests.find(landed.request)?;
        let What::Wrote { deed, .. } = record.what else {
            return None;
        };
        let own = match deed {
            Deed::Acquired => request.operation == Operation::Acquire,
            Deed::Renewed => request.operation == Operation::Renew,
            Deed::Released => request.operation == Operation::Release,
            Deed::Expired | Deed::Requested | Deed::Foreign(_) => false,
        };
        // Several may arrive at one moment.
        let theirs = record.node.is_none_or(|node| node == request.node);
        (own && theirs && landed.at == record.at).then_some(request)
    }

    /// Since when nothing goes wrong. A queue of nodes is a session's, which is taken from its connection by the greeting of an earlier one that
    /// was given up: as long as that may be on its way, a leadership may end.
    pub(super) fn settled_since(&self) -> Option<TrueTime> {
        let late = if self.facts.nodes_in_a_queue {
            self.facts.on_its_way
        } else {
            Nanos::ZERO
        };
        self.quiet_since.map(|quiet| quiet.plus(late.into()))
    }

    /// Whether what the store did at this moment was asked by a request that nobody waits for any more.
    pub(super) fn is_by_zombie(&self, record: &Record) -> bool {
        let landed = self.landed.filter(|landed| landed.at == record.at);
        landed.is_some_and(|landed| landed.zombie)
    }

    /// Whether a candidate with this life runs now, and on which node.
    pub(super) fn node_of(&self, life: Life) -> Option<usize> {
        self.nodes.iter().position(|node| node.life == Some(life))
    }

    pub(super) fn fault(&self, fault: u32) -> Option<&Fault> {
        self.facts.faults.get(usize::try_from(fault).ok()?)
    }

    /// Takes in the next record.
    pub(super) fn take_in(&mut self, record: &Record) {
        (self.begins, self.ended_by_itself) = (false, false);
        match record.what {
            What::Quiet => self.quiet_since = Some(record.at),
            What::Wrote { .. } => self.wrote(record),
            What::Landed { request, zombie } => {
                self.landed = Some(Landed {
                    at: record.at,
                    request,
                    zombie,
                });
                if let Some(request) = self.requests.find_mut(request) {
                    request.landed = true;
                    request.landings += 1;
                }
            }
            _ => {}
        }
        let Some(index) = self.index(record) else {
            return;
        };
        self.note_request(record, index);
        if let What::WorkEnded { .. } = record.what {
            let work = self.nodes[index].work;
            self.ended_by_itself = work.is_some_and(|work| work.told.is_none());
        }
        let begins = self.nodes[index].take_in(record);
        if begins {
            self.begins = true;
        }
    }

    /// Closes the record in hand: what it began is from now on the past.
    pub(super) fn put_away(&mut self, record: &Record) {
        if self.begins
            && let What::Leads { token, .. } = record.what
        {
            self.newest_token = self.newest_token.max(Some(token));
        }
    }

    fn note_request(&mut self, record: &Record, index: usize) {
        match record.what {
            What::Sent {
                request,
                operation,
                basis,
            } => {
                let (Some(node), life) = (record.node, self.nodes[index].life) else {
                    return;
                };
                self.requests.insert(Request {
                    id: request,
                    node,
                    life,
                    operation,
                    basis,
                    sent: record.at,
                    landed: false,
                    landings: 0,
                    wrote: false,
                    fate: Fate::Open,
                });
            }
            What::Answered { request, answer } => {
                if let Some(request) = self.requests.find_mut(request) {
                    request.fate = Fate::Answered(answer);
                    let took = record.at.nanos().saturating_sub(request.sent.nanos());
                    self.nodes[index].answered_after = took;
                }
            }
            What::Abandoned { request } => {
                if let Some(request) = self.requests.find_mut(request) {
                    request.fate = Fate::Abandoned;
                }
            }
            _ => {}
        }
    }

    fn wrote(&mut self, record: &Record) {
        let What::Wrote {
            deed,
            version,
            holder,
            token,
            ..
        } = record.what
        else {
            return;
        };
        self.lock_before = self.lock;
        self.lock = Lock {
            holder,
            version,
            token,
            since: record.at,
        };
        if let Deed::Foreign(foreign) = deed
            && Lock::is_disturbed_by(foreign)
        {
            self.disturbed_at = Some(record.at);
        }
        self.doubt.see(record.at, deed);
        let cause = self.cause(record).map(|request| request.id);
        if let Some(request) = cause.and_then(|id| self.requests.find_mut(id)) {
            request.wrote = true;
        }
        // A lock that names a candidate with a token is granted to it, also where a queue has moved.
        let grants = matches!(deed, Deed::Acquired | Deed::Expired | Deed::Released);
        if grants && let Some(index) = holder.and_then(|life| self.node_of(life)) {
            // Who moves behind a holder grants it nothing.
            let before = self.nodes[index].granted.map(|(token, _)| token);
            if before != token {
                self.nodes[index].granted = token.map(|token| (token, record.at));
            }
        }
    }
}
