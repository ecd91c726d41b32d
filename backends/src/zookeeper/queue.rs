//! The requests of one candidate about one election.

use std::fmt;
use std::sync::{Arc, Mutex};

use tenure_core::backend::{
    Acquired, Claim, Grant, Held, Holder, LockState, Observation, OperatorRequest, Standing,
    Vacancy,
};
use tenure_core::{CandidateId, ElectionName, ErrorKind, Nanos, Nonce, Reading};

use super::ensemble::Shared;
use super::error::{Failure, failure};
use super::hints::Hints;
use super::janitor::Chore;
use super::live::{self, Live, Way};
use super::names::{self, Contender, Paths, Strangers};
use super::place::{IDENTITY, Place, Record};
use super::planted::Mistake;
use super::record::{self, Left};
use super::session::{Failed, Mode, Pending, Snapshot, Stat};
use super::shown::{Asked, Shown};
use crate::locked::locked;
use crate::mailbox::Mailbox;

/// So often a list is read again at once, because the queue has moved meanwhile. Then the elector tries later.
pub(crate) const LOOKS: u32 = 4;

/// How a contender's node ends.
pub(crate) const CONTENDS: Mode = Mode::EphemeralSequential;

/// What one handle knows and does.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) election: ElectionName,
    pub(crate) ensemble: Arc<Shared>,
    pub(crate) hints: Hints,
    pub(crate) known: Mutex<Known>,
    /// Tells the watch that there is something else to watch.
    pub(crate) moved: Mailbox<bool>,
    pub(crate) paths: Paths,
    pub(crate) strangers: Strangers,
}

/// A claim that comes later than this after its look was asked for looks again: what operators ask may have changed.
const AHEAD_MAX: Nanos = Nanos::from_millis(10);

/// What shows the queue, asked for ahead of the claim that is to use it.
pub(crate) struct Ahead {
    look: Pending<Snapshot>,
    sent: Reading,
    by: Way,
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}

#[derive(Default, Debug)]
pub(crate) struct Known {
    /// The look of the claim that is to come.
    pub(crate) ahead: Option<Box<Ahead>>,
    /// The candidate, once one was enlisted or has claimed.
    pub(crate) candidate: Option<CandidateId>,
    /// Whether it wants to be a member, and on which session it was made one.
    pub(crate) enlisted: Option<Option<i64>>,
    pub(crate) place: Option<Place>,
    /// The node before the own one.
    pub(crate) predecessor: Option<Arc<str>>,
    /// Whether the lock was released, and nobody has asked about it since: then nothing of the queue needs to be watched, and who comes next
    /// has the servers to itself.
    pub(crate) left: bool,
    /// What it was shown of those before it, until it leads.
    pub(crate) shown: Option<Box<Shown>>,
    /// The newest request that was read.
    pub(crate) request: Option<OperatorRequest>,
    /// Whether anybody has asked for the members: only then they are watched, since each of them would be told of all others.
    pub(crate) wants_members: bool,
    /// A planted mistake: what was watched has changed, and that is taken for a place at the head.
    pub(crate) called: bool,
}

impl Known {
    /// The place by this session, if it stays.
    pub(crate) fn stays(&self, live: &Arc<Live>) -> Option<&Place> {
        let place = self.place.as_ref();
        place.filter(|place| place.is_of(live) && place.stays())
    }
}

/// What stands in the queue, and beside it.
pub(crate) struct Seen {
    pub(crate) contenders: Vec<Contender>,
    /// Whether there is a node for the election at all.
    exists: bool,
    pub(crate) left: Option<Left>,
    pub(crate) left_version: Option<i32>,
    request: Option<OperatorRequest>,
    request_version: Option<i32>,
}

impl Queue {
    pub(crate) fn new(ensemble: Arc<Shared>, election: ElectionName) -> Self {
        let settings = &ensemble.settings;
        Self {
            hints: Hints::default(),
            known: Mutex::default(),
            moved: Mailbox::default(),
            paths: Paths::new(&settings.base, &election),
            strangers: settings.strangers,
            election,
            ensemble,
        }
    }

    pub(crate) fn trouble(&self, failed: Failed, what: &str, writes: bool) -> Failure {
        failure(failed, what, &self.paths.election, writes)
    }

    /// Asks for what shows the queue.
    pub(crate) fn look(&self, live: &Live) -> Pending<Snapshot> {
        let Paths {
            election,
            note,
            request,
            ..
        } = &self.paths;
        live.session.children_and_data(election, &[note, request])
    }

    /// Asks now for what the next claim will look at: the servers answer while that is on its way.
    pub(crate) fn look_ahead(&self, live: &Arc<Live>) {
        if locked(&self.known).stays(live).is_none() {
            return;
        }
        let ahead = Ahead {
            by: live.way(),
            sent: self.ensemble.clock.now(),
            look: self.look(live),
        };
        locked(&self.known).ahead = Some(Box::new(ahead));
    }

    /// What was asked for ahead of a claim that begins now, if it serves that.
    fn looked_ahead(&self, live: &Live) -> Option<(Way, Pending<Snapshot>)> {
        let ahead = locked(&self.known).ahead.take()?;
        let age = self.ensemble.clock.now().longest_since(ahead.sent);
        let serves = ahead.by.session == live.id() && age <= AHEAD_MAX;
        serves.then_some((ahead.by, ahead.look))
    }

    pub(crate) async fn seen(&self, look: Pending<Snapshot>) -> Result<Seen, Failure> {
        let snapshot = look.await;
        let snapshot = snapshot.map_err(|failed| self.trouble(failed, "list", false))?;
        let (exists, children) = match snapshot.children {
            Err(Failed::NoNode) => (false, Vec::new()),
            children => (
                true,
                children.map_err(|failed| self.trouble(failed, "list", false))?,
            ),
        };
        let contenders = names::queue(&self.paths.election, children, self.strangers)?;
        let mut data = snapshot.data.into_iter();
        let mut read = |path: &str| match data.next() {
            None | Some(Err(Failed::NoNode)) => Ok(None),
            Some(answer) => answer
                .map(Some)
                .map_err(|failed| failure(failed, "read", path, false)),
        };
        let left = read(&self.paths.note)?;
        let request = read(&self.paths.request)?;
        let seen = Seen {
            contenders,
            exists,
            left_version: left.as_ref().map(|(_, stat)| stat.version),
            left: left.map(|(data, _)| Left::parse(&data)),
            request: request.as_ref().and_then(|(data, _)| record::request(data)),
            request_version: request.map(|(_, stat)| stat.version),
        };
        locked(&self.known).request = seen.request;
        Ok(seen)
    }

    pub(crate) async fn observe(&self) -> Result<Observation, Failure> {
        let live = self.ensemble.live().await?;
        if std::mem::take(&mut locked(&self.known).left) {
            self.moved.tell(|moved| *moved = true);
        }
        Ok(self.observed(&live).await?.0)
    }

    /// What the lock is now, and with it the node that holds it and the version of the request's node.
    pub(crate) async fn observed(
        &self,
        live: &Arc<Live>,
    ) -> Result<(Observation, Option<String>, Option<i32>), Failure> {
        for _ in 0..LOOKS {
            let synced = live.session.sync(&self.paths.election);
            let look = self.look(live);
            match synced.await {
                Ok(()) | Err(Failed::NoNode) => {}
                Err(failed) => return Err(self.trouble(failed, "sync", false)),
            }
            let seen = self.seen(look).await?;
            if let Some((observation, first)) = self.describe(live, &seen).await? {
                return Ok((observation, first, seen.request_version));
            }
        }
        Err(self.busy())
    }

    pub(crate) fn busy(&self) -> Failure {
        let path = &self.paths.election;
        let detail = format!("the queue at {path} moves faster than it can be read: try again");
        Failure::new(ErrorKind::Unavailable, detail)
    }

    /// Reads who the first is; nothing if it has left meanwhile.
    async fn describe(
        &self,
        live: &Arc<Live>,
        seen: &Seen,
    ) -> Result<Option<(Observation, Option<String>)>, Failure> {
        let left = seen.left.as_ref();
        let mut observation = Observation::of(LockState::Missing);
        observation.note = left.and_then(Left::note);
        observation.request = seen.request;
        let Some(first) = seen.contenders.first() else {
            observation.token = left.and_then(Left::token);
            if seen.exists || left.is_some() {
                observation.lock = LockState::Vacant {
                    identity: IDENTITY,
                    // The end of a session vouches as well as a release.
                    mark: None,
                };
            }
            return Ok(Some((observation, None)));
        };
        let path = self.path_of(first);
        let (data, stat) = match live.session.get(&path).await {
            Err(Failed::NoNode) => return Ok(None),
            answer => answer.map_err(|failed| failure(failed, "read", &path, false))?,
        };
        let hold = Place::hold_by(stat.czxid);
        observation.token = hold.map(|hold| hold.token);
        observation.version = hold.map(|hold| hold.version);
        observation.lock = LockState::Held(self.held(live, first, &data, stat));
        Ok(Some((observation, Some(path))))
    }

    fn held(&self, live: &Arc<Live>, first: &Contender, data: &[u8], stat: Stat) -> Held {
        let mut holder = names::holder(&first.name, data);
        let mut nonce = Nonce(stat.czxid.unsigned_abs());
        self.shown(live, first, stat);
        if let (Some(incarnation), Some(uuid)) = (holder.incarnation(), first.uuid) {
            nonce = uuid.nonce(incarnation).unwrap_or(nonce);
            let own = locked(&self.known)
                .candidate
                .as_ref()
                .is_some_and(|candidate| candidate.incarnation == incarnation);
            if own && stat.ephemeral_owner != live.id() {
                // A node of an earlier session, which nobody keeps alive any more. It is deleted with the next claim, not now: work that was
                // led by it may still be stopping.
                holder = Holder::parse(&format!("{} (in an earlier session)", holder.name()));
            }
        }
        Held {
            duration: None,
            holder,
            identity: IDENTITY,
            nonce,
        }
    }

    /// The first node may be one whose claim has had no answer.
    fn shown(&self, live: &Arc<Live>, first: &Contender, stat: Stat) {
        let mut known = locked(&self.known);
        let Some(place) = known.place.as_mut().filter(|place| place.is_of(live)) else {
            return;
        };
        let own = first.uuid == Some(place.uuid) && stat.ephemeral_owner == live.id();
        if own && place.hold.is_none() && place.shown.is_none() {
            place.node = Some((stat.czxid, self.path_of(first).into()));
            place.shown = Place::hold_by(stat.czxid);
            place.told = live.standing().sent;
        }
    }

    fn path_of(&self, contender: &Contender) -> String {
        format!("{}/{}", self.paths.election, contender.name)
    }

    pub(crate) async fn acquire(&self, claim: &Claim) -> Result<Acquired, Failure> {
        let live = self.ensemble.live().await?;
        let granted = live.pace.session_timeout;
        if claim.lease_duration > granted {
            let asked = claim.lease_duration;
            let detail = format!(
                "the servers end a session after {granted:?}, which is less than the lease duration {asked:?}: shorten that, or have the servers allow longer sessions"
            );
            return Err(Failure::new(ErrorKind::InvalidInput, detail));
        }
        let made = self.open(&live, claim).await?;
        live.contend();
        let mut outdated = None;
        for _ in 0..LOOKS {
            let by = live.way();
            let create = self.stand(&live, claim);
            // What was asked for before shows no place that is only now being made.
            let ahead = self.looked_ahead(&live).filter(|_| create.is_none());
            let (by, look) = ahead.unwrap_or_else(|| (by, self.look(&live)));
            if let Some(create) = create
                && !self.settle(&live, by, create.await).await?
            {
                continue;
            }
            let mut seen = self.seen(look).await?;
            let Some(at) = self.find(&live, &seen.contenders, made).await? else {
                continue;
            };
            names::check_sequence(&self.paths.election, &seen.contenders[at])
                .inspect_err(|_| self.give_up_place())?;
            let called = std::mem::take(&mut locked(&self.known).called);
            if at == 0 || (called && self.ensemble.planted.is(Mistake::WatchesParent)) {
                if at == 0 && self.confirm(&live, &mut seen).await? == Asked::Outdated {
                    let version = Some(seen.left_version);
                    if std::mem::replace(&mut outdated, version) == version {
                        return Err(self.has_lost_changes(&self.paths.note));
                    }
                    continue;
                }
                live.catch_up()
                    .await
                    .map_err(|failed| self.trouble(failed, "give a sign of life for", true))?;
                return self.granted(&live, seen).map(Acquired::Granted);
            }
            self.stands_behind(by, &seen.contenders[..at]);
            let before = self.path_of(&seen.contenders[at - 1]);
            if locked(&self.known).predecessor.as_deref() != Some(&before) {
                locked(&self.known).predecessor = Some(before.into());
                self.moved.tell(|moved| *moved = true);
            }
            seen.contenders.truncate(1);
            if let Some((observation, _)) = self.describe(&live, &seen).await? {
                return Ok(Acquired::Busy(Some(observation)));
            }
        }
        Err(self.busy())
    }

    /// Sees to it that there is a place that was not granted yet: sends a create where there is none.
    fn stand(&self, live: &Arc<Live>, claim: &Claim) -> Option<Pending<(String, Stat)>> {
        let mut known = locked(&self.known);
        known.candidate = Some(claim.candidate.clone());
        known.left = false;
        let planted = self.ensemble.planted;
        if let Some(place) = known.place.take() {
            let same = place.is_of(live) || planted.is(Mistake::OwnerIgnored);
            let unknown = place.node.is_none() && planted.is(Mistake::CreatesAgain);
            let spent = place.hold.is_some() || !place.stays();
            let other = place.candidate.incarnation != claim.candidate.incarnation;
            if same && !spent && !other && !unknown {
                known.place = Some(place);
                return None;
            }
            if !unknown {
                self.forsake(live, place);
            }
        }
        let (place, path, data) = self.claiming(live, claim);
        known.place = Some(place);
        Some(live.session.create(&path, &data, CONTENDS))
    }

    /// The place that a claim asks for, and its node: its path but for the number, and its data.
    pub(crate) fn claiming(&self, live: &Arc<Live>, claim: &Claim) -> (Place, String, Vec<u8>) {
        let uuid = names::Uuid::of(claim.candidate.incarnation, claim.nonce);
        let place = Place::asked_for(live, claim.candidate.clone(), uuid);
        let path = format!("{}/{}", self.paths.election, uuid.prefix());
        (place, path, claim.candidate.to_string().into_bytes())
    }

    /// Leaves a place that is of no use any more. What an earlier session has left is deleted by its name, too.
    fn forsake(&self, live: &Arc<Live>, place: Place) {
        if place.is_of(live) {
            place.leave(&self.paths.election);
        } else {
            live.janitor.ask(Chore::Find {
                among: self.paths.election.to_string(),
                uuid: place.uuid,
            });
        }
    }

    pub(crate) fn give_up_place(&self) {
        let place = locked(&self.known).place.take();
        if let Some(place) = place {
            place.leave(&self.paths.election);
        }
    }

    /// Takes in the answer to a create. Whether there is a place now; none if the parents were missing and have been made.
    async fn settle(
        &self,
        live: &Arc<Live>,
        by: Way,
        answer: Result<(String, Stat), Failed>,
    ) -> Result<bool, Failure> {
        match answer {
            Ok((path, stat)) => {
                self.stands_at(path, stat.czxid);
                Ok(true)
            }
            Err(Failed::NoNode) => {
                locked(&self.known).place = None;
                // A name below the election, so that the election is one of its parents.
                let below = format!("{}/-", self.paths.election);
                let made = live::make_parents(&*live.session, &below, Mode::Container).await;
                let Err(failed) = made else {
                    self.has_no_queue(by);
                    return Ok(false);
                };
                let why = |failed| match failed {
                    Failed::NoRights => Failure::no_base(&self.paths.election),
                    failed => self.trouble(failed, "make", false),
                };
                Err(self.not_made(live, failed, why).await)
            }
            Err(failed) => {
                if !matches!(failed, Failed::Lost | Failed::Ended(_)) {
                    locked(&self.known).place = None;
                }
                Err(self.trouble(failed, "stand in the queue at", true))
            }
        }
    }

    /// Where the own place is in the queue, and which node it is, which was made by the transaction `made` where that is known. Nothing if it is not
    /// there: then it never was, or somebody has taken it away.
    async fn find(
        &self,
        live: &Arc<Live>,
        contenders: &[Contender],
        made: Option<i64>,
    ) -> Result<Option<usize>, Failure> {
        let Some((uuid, known)) = locked(&self.known)
            .place
            .as_ref()
            .map(|place| (place.uuid, place.node.is_some()))
        else {
            return Ok(None);
        };
        let Some(at) = contenders.iter().position(|one| one.uuid == Some(uuid)) else {
            let place = locked(&self.known).place.take();
            if let Some(place) = place {
                self.forsake(live, place);
            }
            return Ok(None);
        };
        if known {
            return Ok(Some(at));
        }
        let path = self.path_of(&contenders[at]);
        if let Some(czxid) = made {
            self.stands_at(path, czxid);
            return Ok(Some(at));
        }
        // The answer to the create was lost, and here is its node.
        let stat = match live.session.get(&path).await {
            Err(Failed::NoNode) => return Ok(None),
            answer => {
                answer
                    .map_err(|failed| failure(failed, "read", &path, false))?
                    .1
            }
        };
        let owned = stat.ephemeral_owner == live.id();
        if !owned && !self.ensemble.planted.is(Mistake::OwnerIgnored) {
            self.give_up_place();
            return Ok(None);
        }
        self.stands_at(path, stat.czxid);
        Ok(Some(at))
    }

    /// Why something could not be made: that the base is missing, which is what to see to then, or else what `why` says.
    pub(crate) async fn not_made(
        &self,
        live: &Live,
        failed: Failed,
        why: impl FnOnce(Failed) -> Failure,
    ) -> Failure {
        let base = &self.ensemble.settings.base;
        let missing = live::missing_base(&*live.session, base, &failed).await;
        missing.unwrap_or_else(|| why(failed))
    }

    /// An operator may have asked something. A claim that is to come must not miss it.
    pub(crate) fn asked(&self) {
        locked(&self.known).ahead = None;
        self.hints.changed();
    }

    /// Which node the own place is has been learned.
    fn stands_at(&self, path: String, czxid: i64) {
        if let Some(place) = &mut locked(&self.known).place {
            place.node = Some((czxid, path.into()));
        }
        self.moved.tell(|moved| *moved = true);
    }

    /// The first place is the own one.
    fn granted(&self, live: &Arc<Live>, seen: Seen) -> Result<Grant, Failure> {
        if let Some(failed) = live.trouble() {
            return Err(failure(failed, "give a sign of life at", live.node(), true));
        }
        let standing = live.standing();
        self.check_standing(live, standing)?;
        let note = seen.left.as_ref().and_then(Left::note);
        let mut known = locked(&self.known);
        known.predecessor = None;
        known.shown = None;
        let place = known.place.as_mut();
        let hold = place.and_then(|place| {
            let (czxid, path) = place.node.as_ref()?;
            let mut hold = Place::hold_by(*czxid)?;
            if self.ensemble.planted.is(Mistake::TokenFromSequence) {
                let digits = path.rsplit('-').next()?.parse::<u64>().ok()?;
                hold.token = tenure_core::FencingToken::new(digits + 1)?;
            }
            live.leads(hold.token.value(), path);
            place.hold = Some(hold);
            place.told = standing.sent;
            place.record = Record {
                note: note.clone(),
                has_token: false,
                version: seen.left_version,
            };
            Some(hold)
        });
        let hold = hold.ok_or_else(|| self.busy())?;
        // The watch writes the record.
        self.moved.tell(|moved| *moved = true);
        Ok(Grant {
            hold,
            note,
            request: seen.request,
            standing: Some(standing),
            vacancy: Vacancy::Proven,
        })
    }

    /// A session whose last proven sign of life is too old starts no leadership, which would be over at once, or before the next proof.
    fn check_standing(&self, live: &Arc<Live>, standing: Standing) -> Result<(), Failure> {
        let now = self.ensemble.clock.now();
        let age = now.longest_since(standing.proven);
        let most = Nanos::from(live.pace.session_timeout / 10 * 7);
        if age <= most && live.is_followed_by_proof(standing) {
            return Ok(());
        }
        let detail = format!(
            "it is first in the queue, but the last proven sign of life of its session was {age:?} ago: heartbeats are waited for"
        );
        Err(Failure::new(ErrorKind::Unavailable, detail))
    }
}
