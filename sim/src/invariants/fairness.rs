use std::collections::VecDeque;

use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::TrueTime;
use crate::plan::{Backend, Foreign};
use crate::trace::{Answer, Deed, Life, Operation, Record, RequestId, What};

/// L5: in the quiet time a queue of sessions is served in its order: whoever gets the lock has waited longest.
///
/// A candidate waits from the arrival of its first claim whose answer it has had, or from that of an earlier one whose answer was
/// lost; a breach is only what is one either way. It waits no longer when it has withdrawn, given the lock back, or lost its session,
/// and when a stranger has removed the queue.
/// Only places that were taken in the quiet time count: what went wrong before may have taken a place from somebody without a word.
#[derive(Clone, Debug)]
pub(super) struct Fairness {
    judges: bool,
    nodes: Vec<Place>,
}

/// So many claims of each candidate are remembered.
const REMEMBERED: usize = 64;

/// A candidate's place in the queue.
#[derive(Clone, Default, Debug)]
struct Place {
    life: Option<Life>,
    /// When the first claim arrived whose answer the candidate has had: it has been in the queue since then at the latest.
    since: Option<TrueTime>,
    /// When the first claim of all arrived: it has not been there for longer.
    at_most_since: Option<TrueTime>,
    /// The last claim that arrived, and when.
    arrived: Option<(RequestId, TrueTime)>,
    /// When the last claims arrived first: one that is told again, as its place outlives another, was there since then.
    first: VecDeque<(RequestId, TrueTime)>,
    /// The last withdrawal or release that arrived.
    left_by: Option<RequestId>,
    /// When something arrived that was sent so long ago that nobody knows what it was: it may have been a claim.
    stray: Option<TrueTime>,
}

impl Place {
    fn first_arrival(&mut self, id: RequestId, at: TrueTime) -> TrueTime {
        if let Some((_, first)) = self.first.iter().find(|(known, _)| *known == id) {
            return *first;
        }
        if self.first.len() == REMEMBERED {
            self.first.pop_front();
        }
        self.first.push_back((id, at));
        at
    }

    /// Since when it may have been in the queue; nothing where no claim is known.
    fn earliest(&self) -> Option<TrueTime> {
        let claimed = self.at_most_since?;
        Some(self.stray.map_or(claimed, |stray| stray.min(claimed)))
    }
}

impl Fairness {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            judges: facts.backend == Backend::Session,
            nodes: vec![Place::default(); facts.nodes.len()],
        }
    }

    pub(super) fn judges(&self) -> bool {
        self.judges
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        match record.what {
            What::Landed { request, .. } => self.landed(scene, record, request),
            What::Answered { request, answer } => self.answered(scene, record, request, answer),
            What::Wrote {
                deed: Deed::Foreign(Foreign::Delete),
                ..
            } => self.nodes.fill(Place::default()),
            What::Wrote { holder, .. } if scene.lock_before.holder != holder => {
                // Who had the lock has it no more, and waits for nothing; unless its own claim has put it behind the others.
                self.leave(scene, scene.lock_before.holder, record.at);
                if let (Some(holder), Some(quiet)) = (holder, scene.quiet_since) {
                    self.judge(scene, record.at, (holder, quiet), findings);
                }
            }
            What::SessionEnded { life } => self.leave(scene, Some(life), record.at),
            What::Up { .. } | What::Down { .. } => {
                if let Some(index) = scene.index(record) {
                    self.nodes[index] = Place::default();
                }
            }
            _ => {}
        }
    }

    fn landed(&mut self, scene: &Scene, record: &Record, id: RequestId) {
        let at = record.at;
        let Some(request) = scene.request(id) else {
            if let Some(index) = scene.index(record) {
                let place = &mut self.nodes[index];
                let first = place.first_arrival(id, at);
                place.stray.get_or_insert(first);
            }
            return;
        };
        let place = &mut self.nodes[usize::from(request.node.0)];
        match request.operation {
            Operation::Acquire => {
                place.life = request.life;
                place.arrived = Some((id, at));
                let first = place.first_arrival(id, at);
                place.at_most_since = Some(place.at_most_since.map_or(first, |at| at.min(first)));
            }
            // It may be gone from now on, unless the store refuses.
            Operation::Withdraw | Operation::Release => {
                place.since = None;
                place.left_by = Some(id);
            }
            _ => {}
        }
    }

    fn answered(&mut self, scene: &Scene, record: &Record, id: RequestId, answer: Answer) {
        let Some(index) = scene.index(record) else {
            return;
        };
        let leaves = scene.request(id).is_some_and(|request| {
            matches!(request.operation, Operation::Withdraw | Operation::Release)
        });
        let place = &mut self.nodes[index];
        if leaves && answer == Answer::Done {
            place.since = None;
            // One that never arrived leaves its place behind, until somebody can be asked to take it away.
            if place.left_by == Some(id) {
                let first = std::mem::take(&mut place.first);
                *place = Place {
                    first,
                    ..Place::default()
                };
            }
            return;
        }
        let known = matches!(answer, Answer::Done | Answer::Conflict);
        if let Some((arrived, at)) = place.arrived
            && arrived == id
            && known
        {
            place.since.get_or_insert(at);
        }
    }

    fn leave(&mut self, scene: &Scene, life: Option<Life>, at: TrueTime) {
        if let Some(index) = life.and_then(|life| scene.node_of(life)) {
            let place = &mut self.nodes[index];
            place.since = None;
            place.arrived = place.arrived.filter(|(_, arrived)| *arrived == at);
            place.at_most_since = place.arrived.map(|(_, arrived)| arrived);
            place.stray = place.stray.filter(|arrived| *arrived == at);
        }
    }

    fn judge(
        &self,
        scene: &Scene,
        at: TrueTime,
        (holder, quiet): (Life, TrueTime),
        findings: &mut Findings,
    ) {
        // Of a candidate that has died it is not known since when it was there: its requests may still arrive.
        let Some(index) = scene.node_of(holder) else {
            return;
        };
        let place = Some(&self.nodes[index]).filter(|place| place.life == Some(holder));
        let Some(since) = place.and_then(Place::earliest) else {
            return;
        };
        let earlier = |place: &Place| {
            place
                .since
                .is_some_and(|waits| waits >= quiet && waits < since)
        };
        if let Some(index) = self.nodes.iter().position(earlier) {
            findings.accuse(at, Invariant::Fairness, || {
                let waits = self.nodes[index].since;
                format!(
                    "life {} gets the lock, in the queue since {since}; n{index} waits since {waits:?}",
                    holder.0
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;

    /// Three candidates claim one after the other; the first has the lock, and gives it back to the one of this life.
    fn next(life: u32) -> Vec<Invariant> {
        let mut history = History::of(Backend::Session);
        history.world(100_000, What::Quiet);
        history.call(101_000, 0, Operation::Acquire, Deed::Acquired);
        for node in [1, 2] {
            let ms = 102_000 + u64::from(node) * 1_000;
            history.asks(ms, node, Operation::Acquire, Answer::Conflict);
        }
        history.passes(110_000, Deed::Released, Life(life));
        history.broken()
    }

    /// The second candidate withdraws, is answered this, and claims again behind the third one; then it is granted the lock.
    fn withdraws(answer: Answer) -> Vec<Invariant> {
        let mut history = History::of(Backend::Session);
        history.world(100_000, What::Quiet);
        history.call(101_000, 0, Operation::Acquire, Deed::Acquired);
        history.asks(102_000, 1, Operation::Acquire, Answer::Conflict);
        history.asks(103_000, 1, Operation::Withdraw, answer);
        history.asks(104_000, 2, Operation::Acquire, Answer::Conflict);
        history.asks(105_000, 1, Operation::Acquire, Answer::Conflict);
        history.passes(110_000, Deed::Released, Life(2));
        history.broken()
    }

    #[test]
    fn a_place_is_kept_where_a_withdrawal_is_refused_and_lost_where_it_is_not() {
        assert_eq!(withdraws(Answer::Failed), []);
        assert_eq!(withdraws(Answer::Done), [Invariant::Fairness]);
    }

    /// Two candidates claim behind a holder; the first of them withdraws, without its word reaching the store or with it, and claims
    /// again; then it is granted the lock.
    fn withdraws_between(arrives: bool) -> Vec<Invariant> {
        let mut history = History::of(Backend::Session);
        history.world(100_000, What::Quiet);
        history.call(101_000, 0, Operation::Acquire, Deed::Acquired);
        history.asks(102_000, 1, Operation::Acquire, Answer::Conflict);
        history.asks(104_000, 2, Operation::Acquire, Answer::Conflict);
        let (leaves, done) = (Operation::Withdraw, Answer::Done);
        if arrives {
            history.asks(105_000, 1, leaves, done);
        } else {
            history.asks_in_vain(105_000, 1, leaves, done);
        }
        history.asks(106_000, 1, Operation::Acquire, Answer::Conflict);
        history.passes(110_000, Deed::Released, Life(2));
        history.broken()
    }

    #[test]
    fn a_withdrawal_that_never_arrives_leaves_its_place_behind() {
        assert_eq!(withdraws_between(false), []);
        assert_eq!(withdraws_between(true), [Invariant::Fairness]);
    }

    #[test]
    fn the_next_in_the_queue_passes() {
        assert_eq!(next(2), []);
    }

    #[test]
    fn one_that_jumps_the_queue_is_found() {
        assert_eq!(next(3), [Invariant::Fairness]);
    }
}
