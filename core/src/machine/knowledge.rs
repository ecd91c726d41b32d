use std::sync::Arc;
use std::time::Duration;

use super::timer::Timer;
use super::{Machine, Moment, Phase, planted};
use crate::backend::{Holder, LockKind, LockState, Observation, OperatorRequest, RequestKind};
use crate::event::{Event, WaitReason};
use crate::planted::{Mistake, Planted};
use crate::{CandidateId, FencingToken, Identity, Nonce, Reading, Version};

/// What a candidate knows about the lock and those who want it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Knowledge {
    candidate: Arc<CandidateId>,
    kind: LockKind,
    /// Let others go first until then.
    pub(super) give_way: Option<Timer>,
    pub(super) leader: Option<Holder>,
    /// The largest duration that any record of this election had.
    pub(super) longest_lease: Option<Duration>,
    /// A claim without probation whose answer was lost.
    pub(super) lost_claim: Option<LostClaim>,
    newest: Option<Version>,
    /// Shared with those who show it.
    pub(super) observed: Option<Arc<Observation>>,
    /// Whether a claim may have put this candidate in a queue.
    pub(super) queued: bool,
    /// The request that stands in the lock, as last seen.
    request: Option<OperatorRequest>,
    pub(super) sighting: Option<Box<Sighting>>,
    pub(super) watching: bool,
}

/// A claim that owed no probation and whose answer was lost: should it turn out to have been granted, it still owes none.
///
/// Only on the object that it was made on: a copy of the record on another one proves nothing about what happened between.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct LostClaim {
    pub(super) identity: Identity,
    pub(super) nonce: Nonce,
}

/// Since when the same has been seen, by this candidate's own clock.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Sighting {
    pub(super) first_seen: Reading,
    subject: Subject,
}

/// What the age of a sighting belongs to. Not the version: an edit of something else must not keep a dead leader young.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Subject {
    Held {
        duration: Option<Duration>,
        holder: Holder,
        identity: Identity,
        nonce: Nonce,
        /// Somebody may have led between two sights of the same hold, when a stranger has put it back: then the token is another.
        token: Option<FencingToken>,
        /// Of a record that says nothing, every write may hide a leadership.
        version: Option<Version>,
    },
    NotHeld,
}

impl Subject {
    fn of(observation: &Observation, planted: Planted) -> Self {
        match &observation.lock {
            LockState::Held(held) => {
                let says_nothing = held.duration.is_none() && observation.token.is_none()
                    || planted.is(Mistake::AgePerVersion);
                let any_write = planted.is(Mistake::AgePerHolder);
                Self::Held {
                    duration: held.duration,
                    holder: held.holder.clone(),
                    identity: held.identity,
                    nonce: if any_write { Nonce(0) } else { held.nonce },
                    token: observation.token,
                    version: observation.version.filter(|_| says_nothing),
                }
            }
            LockState::Missing | LockState::NeverHeld | LockState::Vacant { .. } => Self::NotHeld,
        }
    }
}

impl Knowledge {
    pub(super) fn new(candidate: CandidateId, kind: LockKind) -> Self {
        Self {
            candidate: Arc::new(candidate),
            kind,
            give_way: None,
            leader: None,
            longest_lease: None,
            lost_claim: None,
            newest: None,
            observed: None,
            queued: false,
            request: None,
            sighting: None,
            watching: false,
        }
    }

    /// An observation of a version that is older than one already known shows the past, and is dropped.
    pub(super) fn is_stale(&self, observation: &Observation) -> bool {
        self.kind == LockKind::Leased
            && matches!((observation.version, self.newest), (Some(seen), Some(newest)) if seen < newest)
    }

    /// Whether the newest that is known was observed, and a watch tells what comes after it.
    pub(super) fn is_told_newest(&self) -> bool {
        let observed = self.observed.as_ref();
        self.watching && observed.is_some_and(|observed| observed.version == self.newest)
    }

    pub(super) fn saw_version(&mut self, version: Option<Version>) {
        self.newest = self.newest.max(version);
    }

    pub(super) fn saw_duration(&mut self, duration: Option<Duration>) {
        self.longest_lease = self.longest_lease.max(duration);
    }

    /// A request may show in an answer that is no observation; it stands until an observation shows otherwise, since such an
    /// answer need not repeat it.
    pub(super) fn saw_request(&mut self, request: Option<OperatorRequest>) {
        self.request = request.or(self.request);
    }

    pub(super) fn paused(&self) -> bool {
        self.request
            .is_some_and(|request| request.kind == RequestKind::Pause)
    }

    /// Says whether it is something else than what was seen before.
    fn sight(&mut self, now: Reading, observation: &Observation, planted: Planted) -> bool {
        let subject = Subject::of(observation, planted);
        let another = self
            .sighting
            .as_ref()
            .is_none_or(|sighting| sighting.subject != subject);
        if another {
            self.sighting = Some(Box::new(Sighting {
                first_seen: now,
                subject,
            }));
        }
        another
    }
}

#[cfg(feature = "testing")]
impl Knowledge {
    /// What was observed, and since when, matters only to one who `follows` by it and has nothing newer on its way.
    pub(super) fn normalise(
        &mut self,
        normal: &mut super::normal::Normal<'_>,
        follows: bool,
        lease: crate::Nanos,
    ) {
        self.leader = None;
        self.give_way = self.give_way.map(|timer| normal.timer(timer));
        // One that is no longer than our own changes no wait.
        self.longest_lease = self
            .longest_lease
            .filter(|longest| crate::Nanos::from(*longest) > lease);
        self.lost_claim = self
            .lost_claim
            .filter(|lost| normal.labels.may_show(lost.nonce))
            .map(|lost| LostClaim {
                identity: normal.labels.identity(lost.identity),
                nonce: normal.labels.nonce(lost.nonce),
            });
        self.newest = self
            .newest
            .filter(|newest| normal.labels.may_show_before(*newest))
            .map(|newest| normal.labels.version(newest));
        if !follows {
            self.observed = None;
        }
        if let Some(observed) = &mut self.observed {
            let observed = Arc::make_mut(observed);
            observed.token = observed.token.map(|token| normal.labels.token(token));
            observed.version = observed
                .version
                .map(|version| normal.labels.version(version));
            match &mut observed.lock {
                LockState::Held(held) => {
                    held.holder = normal.labels.holder(&held.holder);
                    held.identity = normal.labels.identity(held.identity);
                    held.nonce = normal.labels.nonce(held.nonce);
                }
                LockState::Vacant { identity, mark } => {
                    // A mark says whether it is of this object; who left it decides nothing.
                    *mark = mark.filter(|mark| mark.identity == *identity);
                    *identity = normal.labels.identity(*identity);
                    if let Some(mark) = mark {
                        mark.identity = *identity;
                        mark.by = crate::Incarnation::from_bits(0);
                    }
                }
                LockState::Missing | LockState::NeverHeld => {}
            }
        }
        self.sighting = self
            .sighting
            .take()
            .filter(|sighting| sighting.may_age(self.observed.is_some(), &self.candidate, normal))
            .map(|sighting| Box::new(sighting.normalised(normal, lease)));
    }
}

#[cfg(feature = "testing")]
impl Sighting {
    /// Whether what is seen next may be what was seen before, so that its age counts.
    fn may_age(
        &self,
        followed: bool,
        candidate: &CandidateId,
        normal: &super::normal::Normal<'_>,
    ) -> bool {
        match &self.subject {
            Subject::Held { holder, nonce, .. } => {
                !holder.is(candidate) && (followed || normal.labels.may_show(*nonce))
            }
            Subject::NotHeld => false,
        }
    }

    fn normalised(self, normal: &mut super::normal::Normal<'_>, lease: crate::Nanos) -> Self {
        let Subject::Held {
            duration,
            holder,
            identity,
            nonce,
            token,
            version,
        } = self.subject
        else {
            return self;
        };
        let wait = duration.map_or(lease, |duration| lease.max(duration.into()));
        Self {
            first_seen: normal.reading(self.first_seen, wait),
            subject: Subject::Held {
                duration,
                holder: normal.labels.holder(&holder),
                identity: normal.labels.identity(identity),
                nonce: normal.labels.nonce(nonce),
                token: token.map(|token| normal.labels.token(token)),
                version: version.map(|version| normal.labels.version(version)),
            },
        }
    }
}

impl Machine {
    /// Takes in an observation, unless it is older than what is known. Says whether it was taken.
    pub(super) fn accept(&mut self, now: Moment, observation: Observation) -> bool {
        if self.knowledge.is_stale(&observation) {
            return false;
        }
        let told = planted::as_old_as_it_says(now, &observation);
        let since = self
            .spans
            .planted
            .pick(Mistake::RemoteClock, told, now.reading);
        let knowledge = &mut self.knowledge;
        knowledge.saw_version(observation.version);
        if let LockState::Held(held) = &observation.lock {
            knowledge.saw_duration(held.duration);
        }
        let another = knowledge.sight(since, &observation, self.spans.planted);
        let was_paused = knowledge.paused();
        let candidate = Arc::clone(&knowledge.candidate);
        let leader = observation
            .holder()
            .filter(|holder| !holder.is(&candidate))
            .cloned();
        if leader.is_some() {
            // Somebody else has it: nobody is owed the way any longer.
            knowledge.give_way = None;
            if let Phase::Following(following) = &mut self.phase
                && another
            {
                // That contest is decided.
                following.conflicts = 0;
            }
        }
        knowledge.request = observation.request;
        knowledge.observed = Some(Arc::new(observation));
        self.say_if_paused(was_paused);
        self.set_leader(leader);
        true
    }

    /// Says that the election is paused now, if it was not before.
    pub(super) fn say_if_paused(&mut self, was_paused: bool) {
        if self.knowledge.paused() && !was_paused {
            self.tell(Event::Waiting {
                at_most: None,
                reason: WaitReason::Paused,
            });
        }
    }

    pub(super) fn set_leader(&mut self, leader: Option<Holder>) {
        if self.knowledge.leader != leader {
            self.knowledge.leader.clone_from(&leader);
            self.tell(Event::LeaderChanged { leader });
        }
    }
}
