use super::Marks;
use super::scene::{Fate, Node, Request, Scene};
use super::{Facts, NodeFacts};
use crate::TrueTime;
use crate::plan::{Backend, Direction, Fault, Who};
use crate::trace::{
    Answer, Deed, FireDeed, Mark, Operation, Record, RequestId, Told, What, WorkEnd,
};

/// Finds the rare things that a run has shown.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    found: Marks,
    nodes: Vec<Trail>,
    /// Which node led last.
    leader: Option<usize>,
    released_at: Option<TrueTime>,
    /// The last fire that began, and under which token.
    fire: Option<(u64, u64)>,
}

/// What is remembered of a node.
#[derive(Clone, Copy, Debug)]
struct Trail {
    request_timeout: u64,
    lease: u64,
    /// How many cuts of its link are under way.
    cuts: u32,
    /// A write whose outcome it does not know.
    unknown: Option<RequestId>,
    /// The newest version that it has read.
    newest_version: Option<u64>,
    waited: bool,
    drains: bool,
}

impl Marker {
    pub(super) fn new(facts: &Facts) -> Self {
        let trail = |node: &NodeFacts| Trail {
            request_timeout: node.request_timeout.get(),
            lease: node.lease.get(),
            cuts: 0,
            unknown: None,
            newest_version: None,
            waited: false,
            drains: false,
        };
        Self {
            found: Marks::NONE,
            nodes: facts.nodes.iter().map(trail).collect(),
            leader: None,
            released_at: None,
            fire: None,
        }
    }

    pub(super) fn found(&self) -> Marks {
        self.found
    }

    /// Sees a record, after the scene has taken it in.
    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        match record.what {
            What::Seen { mark } => self.found.insert(mark),
            What::Landed { request, zombie } => self.landed(scene, request, zombie),
            What::Wrote { deed, .. } => self.wrote(scene, record, deed),
            What::SessionEnded { life } => {
                let node = scene.node_of(life);
                if node.is_some_and(|index| self.nodes[index].cuts > 0) {
                    self.found.insert(Mark::ExpiredWhileCut);
                }
            }
            What::FaultBegan { fault } => self.fault(scene, fault, 1),
            What::FaultEnded { fault } => self.fault(scene, fault, -1),
            What::Quiet => self.nodes.iter_mut().for_each(|trail| trail.cuts = 0),
            _ => {}
        }
        if let Some(index) = scene.index(record) {
            self.see_node(scene, record, index);
        }
    }

    fn see_node(&mut self, scene: &Scene, record: &Record, index: usize) {
        let (at, node) = (record.at, &scene.nodes[index]);
        match record.what {
            What::Sent { operation, .. } => self.sent(scene, index, operation),
            What::Answered { request, answer } => self.answered(scene, index, request, answer),
            What::Abandoned { request } => self.unknown(scene, index, request),
            What::Observed {
                version,
                maybe_stale,
                ..
            } => {
                let newest = &mut self.nodes[index].newest_version;
                if maybe_stale && version < *newest {
                    self.found.insert(Mark::StaleRead);
                }
                *newest = version.max(*newest);
            }
            What::Leads { .. } if scene.begins => self.begins(at, node, index),
            What::Clock { rate_ppm, slew_ppm } if (rate_ppm + slew_ppm).abs() >= 100_000 => {
                self.found.insert(Mark::WildClock);
            }
            What::Thawed if node.belief.is_some() && !node.believes(at) => {
                self.found.insert(Mark::LostWhileFrozen);
            }
            What::WorkEnded {
                how: WorkEnd::Aborted,
                ..
            } => self.found.insert(Mark::WorkAborted),
            What::Told { event, .. } => self.told(at, node, index, event),
            What::Fire {
                deed: FireDeed::Began,
                due_s,
                token,
            } => {
                if self
                    .fire
                    .is_some_and(|(due, by)| due == due_s && by != token)
                {
                    self.found.insert(Mark::FireTakenUp);
                }
                self.fire = Some((due_s, token));
            }
            What::Up { .. } | What::Down { .. } => {
                let trail = &mut self.nodes[index];
                (trail.unknown, trail.newest_version) = (None, None);
                (trail.waited, trail.drains) = (false, false);
            }
            _ => {}
        }
    }

    fn begins(&mut self, at: TrueTime, node: &Node, index: usize) {
        if self.leader.is_some_and(|leader| leader != index) {
            self.found.insert(Mark::LeaderMoved);
            let soon = |released: TrueTime| {
                at.nanos() - released.nanos() <= self.nodes[index].request_timeout
            };
            if self.released_at.is_some_and(soon) {
                self.found.insert(Mark::FastHandover);
            }
        }
        self.leader = Some(index);
        self.released_at = None;
        let trail = &mut self.nodes[index];
        let since_grant = node
            .granted
            .map_or(0, |(_, granted)| at.nanos().saturating_sub(granted.nanos()));
        if std::mem::take(&mut trail.waited) && since_grant > trail.lease / 2 {
            self.found.insert(Mark::WaitedVacancy);
        }
        trail.drains = false;
    }

    fn told(&mut self, at: TrueTime, node: &Node, index: usize, event: Told) {
        let trail = &mut self.nodes[index];
        match event {
            Told::Waiting => trail.waited = true,
            Told::Draining => trail.drains = true,
            Told::WatchdogFired => self.found.insert(Mark::WatchdogFired),
            Told::Stopping if !trail.drains => {
                let until = node.last_belief.map(|belief| belief.until);
                // A moment earlier is what a clock's time loses when it is turned into true time.
                let passed = until.is_some_and(|until| at.nanos() + 1_000 >= until.nanos());
                self.found.insert(if passed {
                    Mark::LostByDeadline
                } else {
                    Mark::LostBySight
                });
            }
            _ => {}
        }
    }

    fn sent(&mut self, scene: &Scene, index: usize, operation: Operation) {
        match operation {
            Operation::Acquire => {
                let claims = |(other, node): (usize, &Node)| {
                    let pending = node.pending.and_then(|id| scene.request(id));
                    other != index
                        && pending.is_some_and(|request| request.operation == Operation::Acquire)
                };
                if scene.nodes.iter().enumerate().any(claims) {
                    self.found.insert(Mark::TakeoverRace);
                }
            }
            Operation::Release => {
                let renewal = scene.nodes[index].renewal.and_then(|id| scene.request(id));
                let races = |renewal: &Request| {
                    !renewal.landed && !matches!(renewal.fate, Fate::Answered(Answer::Failed))
                };
                if renewal.is_some_and(races) {
                    self.found.insert(Mark::ReleaseRacedRenewal);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, scene: &Scene, index: usize, request: RequestId, answer: Answer) {
        match answer {
            Answer::Conflict => self.found.insert(Mark::Conflict),
            Answer::Unknown => return self.unknown(scene, index, request),
            Answer::Failed => return,
            Answer::Done => {}
        }
        let unknown = self.nodes[index].unknown.take();
        let Some(unknown) = unknown.and_then(|id| scene.request(id)) else {
            return;
        };
        self.found.insert(if took_effect(scene, unknown) {
            Mark::UnknownThenWon
        } else {
            Mark::UnknownThenLost
        });
    }

    fn unknown(&mut self, scene: &Scene, index: usize, id: RequestId) {
        let writes = |request: &&Request| {
            matches!(
                request.operation,
                Operation::Acquire | Operation::Release | Operation::Renew
            )
        };
        if let Some(request) = scene.request(id).filter(writes) {
            self.nodes[index].unknown = Some(request.id);
        }
    }

    fn landed(&mut self, scene: &Scene, request: RequestId, zombie: bool) {
        // On a session a renewal that arrives is a sign of life, and changes no record.
        if zombie
            && scene.facts.backend != Backend::Lease
            && let Some(request) = scene.request(request)
            && request.operation == Operation::Renew
        {
            self.found.insert(Mark::ZombieWrite);
        }
    }

    fn wrote(&mut self, scene: &Scene, record: &Record, deed: Deed) {
        if deed == Deed::Released {
            self.released_at = Some(record.at);
        }
        if let Some(request) = scene.cause(record)
            && request.fate != Fate::Open
        {
            self.found.insert(Mark::ZombieWrite);
        }
    }

    fn fault(&mut self, scene: &Scene, fault: u32, more: i32) {
        let node = match scene.fault(fault) {
            Some(Fault::Clog { node }) => *node,
            Some(Fault::Cut { node, direction }) if *direction != Direction::Replies => *node,
            _ => return,
        };
        let node = match node {
            Who::Node(index) => Some(usize::from(index)),
            Who::Leader => self.leader,
            Who::Follower => None,
        };
        if let Some(trail) = node.and_then(|index| self.nodes.get_mut(index)) {
            trail.cuts = trail.cuts.saturating_add_signed(more);
        }
    }
}

/// Whether a write has changed the lock; a session's renewal, which changes no record, whether it has arrived.
fn took_effect(scene: &Scene, request: &Request) -> bool {
    let silent = scene.facts.backend != Backend::Lease && request.operation == Operation::Renew;
    request.wrote || (silent && request.landed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::trace::{Frozen, Life};

    fn marks(history: &History) -> Vec<Mark> {
        history.judged().marks().iter().collect()
    }

    #[test]
    fn a_plain_leadership_is_nothing_rare() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        assert_eq!(marks(&history), []);
    }

    #[test]
    fn a_leader_that_moves_after_a_release_is_marked() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(3_000, 0);
        history.call(3_000, 0, Operation::Release, Deed::Released);
        history.elects(3_010, 1);
        assert_eq!(marks(&history), [Mark::LeaderMoved, Mark::FastHandover]);
    }

    #[test]
    fn an_unknown_outcome_is_marked_by_what_had_become_of_it() {
        for lands in [true, false] {
            let mut history = History::of(Backend::Lease);
            history.elects(1_000, 0);
            let (request, zombie) = (RequestId(99), false);
            let (operation, basis) = (Operation::Renew, Some(1));
            history.at(
                3_000,
                0,
                What::Sent {
                    request,
                    operation,
                    basis,
                },
            );
            if lands {
                history.at(3_001, 0, What::Landed { request, zombie });
                history.write(3_001, Some(0), Deed::Renewed);
            }
            history.at(4_000, 0, What::Abandoned { request });
            history.call(4_000, 0, Operation::Observe, Deed::Requested);
            let mark = if lands {
                Mark::UnknownThenWon
            } else {
                Mark::UnknownThenLost
            };
            assert_eq!(marks(&history), [mark]);
        }
    }

    #[test]
    fn a_leadership_that_is_lost_in_a_freeze_is_marked() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.at(
            2_000,
            0,
            What::Frozen {
                by: Frozen::Stopped,
            },
        );
        history.at(9_000, 0, What::Thawed);
        assert_eq!(marks(&history), [Mark::LostWhileFrozen]);
    }

    #[test]
    fn how_a_leadership_ended_is_marked() {
        for (at, mark) in [(6_000, Mark::LostByDeadline), (3_000, Mark::LostBySight)] {
            let mut history = History::of(Backend::Lease);
            history.elects(1_000, 0);
            let (event, token) = (Told::Stopping, 1);
            history.at(at, 0, What::Told { event, token });
            assert_eq!(marks(&history), [mark]);
        }
    }

    #[test]
    fn a_session_that_ends_while_its_link_is_cut_is_marked() {
        let mut history = History::of(Backend::Session);
        let node = Who::Node(0);
        history.plan.faults.push(crate::plan::PlannedFault {
            at: crate::plan::Span::from_secs(1),
            lasts: None,
            what: Fault::Clog { node },
        });
        history.world(1_000, What::FaultBegan { fault: 0 });
        history.world(8_000, What::SessionEnded { life: Life(1) });
        assert_eq!(marks(&history), [Mark::ExpiredWhileCut]);
    }
}
