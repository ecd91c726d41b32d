//! One election's Lease in the API server: each method is one request, and says what came of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;
use tenure_core::backend::{
    Acquired, Basis, Claim, Grant, Hint, Hold, LockState, Observation, Release, ReleaseMark,
    Released, Renewal, RenewalReceipt, Renewed, Vacancy,
};
use tenure_core::{
    ElectionName, ErrorKind, FencingToken, Incarnation, Nanos, Reading, Version, WallTime,
};

use super::annotations;
use super::api::Answer;
use super::cluster::Shared;
use super::container::{self, Container};
use super::error::{Asked, Failure};
use super::hints::Hints;
use super::known::Known;
use super::planted::{Mistake, Planted};
use super::record::{Draft, Kept, Lease, Stranger};
use super::template::Template;
use crate::locked::locked;

const JSON: &str = "application/json";
const NAMESPACES: &str = "/apis/coordination.k8s.io/v1/namespaces/";

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) cluster: Arc<Shared>,
    pub(crate) election: ElectionName,
    pub(crate) hints: Arc<Hints>,
    pub(crate) known: Mutex<Known>,
    pub(crate) lease: String,
}

/// How a write that names a version ended.
pub(crate) enum Written {
    /// The Lease as it is now.
    Done(Lease),
    /// It is not that version any more, or there is one already.
    Refused,
}

impl Store {
    pub(crate) fn asked(&self, verb: &'static str) -> Asked<'_> {
        Asked {
            verb,
            resource: "leases",
            name: &self.lease,
            namespace: &self.cluster.api.namespace,
        }
    }

    fn planted(&self) -> Planted {
        self.cluster.settings.planted
    }

    fn path(&self) -> String {
        [NAMESPACES, &self.cluster.api.namespace, "/leases"].concat()
    }

    fn own_path(&self) -> String {
        let namespace = &self.cluster.api.namespace;
        [NAMESPACES, namespace, "/leases/", &self.lease].concat()
    }

    /// Reads by `get`, and by `list` where only that is allowed. Says the server's wall clock too.
    async fn read(&self) -> Result<Option<(Value, Option<WallTime>)>, Failure> {
        let api = &self.cluster.api;
        let path = self.own_path();
        let asked = self.asked("get");
        let refused = match api.read(asked, &path).await {
            Ok(None) => return Ok(None),
            Ok(Some(answer)) => return Ok(Some((answer.object(asked)?, answer.date))),
            Err(refused) if refused.kind() == ErrorKind::PermissionDenied => refused,
            Err(failure) => return Err(failure),
        };
        let path = format!(
            "{}?fieldSelector=metadata.name%3D{}",
            self.path(),
            self.lease
        );
        let asked = self.asked("list");
        // Of two rights that are missing the first one is told.
        let Some(answer) = api.read(asked, &path).await.map_err(|_| refused)? else {
            return Ok(None);
        };
        let mut list = answer.object(asked)?;
        let first = list.get_mut("items").and_then(|items| items.get_mut(0));
        Ok(first.map(|item| (item.take(), answer.date)))
    }

    /// Reads the Lease, authoritatively: a read that names no version is served by a quorum.
    pub(crate) async fn get(&self) -> Result<Option<(Lease, Option<WallTime>)>, Failure> {
        let began = self.cluster.api.clock.now();
        let read = self.read().await?;
        let now = self.cluster.api.clock.now();
        let mut known = locked(&self.known);
        let Some((object, date)) = read else {
            known.saw_missing();
            return Ok(None);
        };
        known.took(now.shortest_since(began).into());
        let lease = Lease::parse(object)?;
        known.saw_answer(now, &lease);
        self.hints.answered(lease.version());
        Ok(Some((lease, date)))
    }

    /// Writes `draft` over the version that it is an edit of, or makes it.
    pub(crate) async fn put(&self, draft: Draft, makes: bool) -> Result<Written, Failure> {
        let written = self.put_answered(draft, makes).await?;
        Ok(written.map_or(Written::Refused, |(lease, _)| Written::Done(lease)))
    }

    /// The same, with what the server has answered; nothing when it is refused.
    async fn put_answered(
        &self,
        draft: Draft,
        makes: bool,
    ) -> Result<Option<(Lease, Bytes)>, Failure> {
        let began = self.cluster.api.clock.now();
        let Some(answer) = self.send(draft.to_bytes().into(), makes).await? else {
            return Ok(None);
        };
        let lease = draft.written(&answer.body).map_err(Failure::unknown)?;
        self.wrote(began, &lease);
        Ok(Some((lease, answer.body)))
    }

    /// Sends a write; nothing when it is refused, since the Lease is not that version any more, or is there already.
    async fn send(&self, text: Bytes, makes: bool) -> Result<Option<Answer>, Failure> {
        let (verb, method, path) = if makes {
            ("create", Method::POST, self.path())
        } else {
            ("update", Method::PUT, self.own_path())
        };
        // A missing namespace makes a missing page of a creation, and a missing Lease that of an update.
        let expected: &[StatusCode] = if makes {
            &[StatusCode::CONFLICT]
        } else {
            &[StatusCode::CONFLICT, StatusCode::NOT_FOUND]
        };
        let asked = self.asked(verb);
        let api = &self.cluster.api;
        let began = api.clock.now();
        let answer = api.write(asked, method, path, JSON, text, expected).await?;
        if !answer.status.is_success() {
            return Ok(None);
        }
        let trip = api.clock.now().shortest_since(began);
        locked(&self.known).took(trip.into());
        Ok(Some(answer))
    }

    /// A write that `began` then has made the Lease this.
    fn wrote(&self, began: Reading, lease: &Lease) {
        locked(&self.known).wrote(began, lease);
        self.hints.answered(lease.version());
    }

    /// Reads the Lease if its object at `version`, which a write is to be an edit of, was not shown to this handle.
    async fn know(&self, version: Version) -> Result<(), Failure> {
        if !locked(&self.known).has(version) {
            self.get().await?;
        }
        Ok(())
    }

    pub(crate) async fn observe(&self) -> Result<Observation, Failure> {
        let Some((lease, date)) = self.get().await? else {
            return Ok(Observation::of(LockState::Missing));
        };
        self.refuse_stranger(&lease)?;
        let mut seen = self.planted().misread(&lease, lease.observation());
        seen.server_time = date;
        if let Some(mark) = self.proof_of_death(&lease).await {
            seen.lock = LockState::Vacant {
                identity: lease.identity(),
                mark: Some(mark),
            };
        }
        Ok(seen)
    }

    /// What an event of the watch means.
    pub(crate) fn saw_event(&self, lease: Lease) -> Hint {
        if lease.stranger(&self.election).is_some() {
            return Hint::Changed;
        }
        let seen = self.planted().misread(&lease, lease.observation());
        let now = self.cluster.api.clock.now();
        locked(&self.known).saw_event(now, &lease);
        Hint::Seen(seen)
    }

    pub(crate) fn refuse_stranger(&self, lease: &Lease) -> Result<(), Failure> {
        let (name, namespace) = (&self.lease, &self.cluster.api.namespace);
        let detail = match lease.stranger(&self.election) {
            None => return Ok(()),
            Some(Stranger::Camel) => format!(
                "the Lease {namespace}/{name} is Camel's, which by its own rules would take it from a living leader: stop every Camel candidate, delete the Lease, then start these; or use another name"
            ),
            Some(Stranger::Election(other)) => format!(
                "the Lease {namespace}/{name} is of election {other:?}, not of {:?}: rename one of them, or use another prefix",
                self.election.as_str()
            ),
        };
        Err(Failure::new(ErrorKind::InvalidInput, detail))
    }

    /// Whether the kubelet may know more about the holder than its record tells.
    pub(crate) fn is_to_be_asked_about(&self) -> bool {
        let known = locked(&self.known);
        let now = self.cluster.api.clock.now();
        let held = known
            .newest()
            .filter(|lease| Container::of(lease).is_some());
        held.is_some_and(|lease| known.ask_in(now, &lease) == Some(Duration::ZERO))
    }

    /// Whether a report about `pod` may concern the holder, which is then asked about by the next read.
    pub(crate) fn expect_report_of(&self, pod: &str) -> bool {
        let mut known = locked(&self.known);
        let held = known.newest().and_then(|lease| Container::of(&lease));
        let concerned = held.is_some_and(|container| container.pod == pod);
        if concerned {
            known.ask();
        }
        concerned
    }

    /// The mark that the kubelet's word leaves: it vouches that the holder's container has ended.
    async fn proof_of_death(&self, lease: &Lease) -> Option<ReleaseMark> {
        self.cluster.own.as_ref()?;
        let holder = lease.holder()?.incarnation()?;
        let container = Container::of(lease).filter(|container| container.holder == holder)?;
        let mark = ReleaseMark {
            by: holder,
            identity: lease.identity(),
        };
        let now = self.cluster.api.clock.now();
        {
            let known = locked(&self.known);
            if known.is_dead(lease) {
                return Some(mark);
            }
            if known.ask_in(now, lease) != Some(Duration::ZERO) {
                return None;
            }
        }
        let dead = match container::report(&self.cluster.api, &container.pod).await {
            Ok(pod) => {
                self.planted().takes_for_death(pod.as_ref())
                    || pod.is_some_and(|pod| container.is_dead(&pod, lease))
            }
            Err(failure) => {
                let error = failure.into_error("observe");
                tracing::debug!(error = %error, "the holder's pod could not be looked at");
                false
            }
        };
        locked(&self.known).asked(now, lease, dead);
        dead.then_some(mark)
    }

    pub(crate) async fn acquire(&self, claim: &Claim) -> Result<Acquired, Failure> {
        let (mut draft, base) = match claim.basis {
            Basis::Missing => {
                let namespace = &self.cluster.api.namespace;
                (Draft::new(&self.lease, namespace), None)
            }
            Basis::At(version) => {
                self.know(version).await?;
                let known = locked(&self.known);
                let Some(base) = known.at(version) else {
                    let seen = known.newest().map(|lease| lease.observation());
                    return Ok(Acquired::Busy(seen));
                };
                (Draft::of(base.clone()), Some(base))
            }
        };
        if let Some(base) = &base {
            self.refuse_stranger(base)?;
            refuse_old_versions(base)?;
        }
        draft.claim(&self.election, claim)?;
        self.planted().spoil_claim(&mut draft, base.as_ref(), claim);
        let now = self.cluster.api.clock.now();
        let wait = provable_after(base.as_ref(), claim);
        locked(&self.known).provable_after(now, wait);
        self.name_container(&mut draft, claim.candidate.incarnation);
        let lease = match self.put(draft, base.is_none()).await? {
            Written::Done(lease) => lease,
            Written::Refused => {
                let free = base.as_ref().is_none_or(|base| base.holder().is_none());
                if free {
                    locked(&self.known).lost_race(self.cluster.api.clock.now());
                }
                return Ok(Acquired::Busy(None));
            }
        };
        if !lease.is_held_by(&claim.candidate) || lease.renew_micros() != Some(claim.nonce.0) {
            return Err(changed_on_its_way());
        }
        let token = self.planted().token(&lease);
        let token = token.or_else(|| FencingToken::new(lease.version().0));
        let token = token.ok_or_else(|| {
            let detail = "no token is left: the API server's versions have reached 2^63";
            Failure::new(ErrorKind::Exhausted, detail).unknown()
        })?;
        let hold = Hold {
            identity: lease.identity(),
            token,
            version: lease.version(),
        };
        locked(&self.known).granted(claim.candidate.incarnation, &hold);
        let seen = lease.observation();
        Ok(Acquired::Granted(Grant {
            hold,
            note: seen.note,
            request: seen.request,
            standing: None,
            vacancy: Vacancy::AsClaimed,
        }))
    }

    /// Says which container the holder is in, once that is known and may be a proof.
    fn name_container(&self, draft: &mut Draft, holder: Incarnation) {
        if let Some(named) = self.proof(holder) {
            draft.annotate(annotations::CONTAINER, named);
        }
    }

    /// What the record is to say about the holder's container; nothing where it may say what it says.
    fn proof(&self, holder: Incarnation) -> Option<Option<String>> {
        let own = self.cluster.own.as_ref()?;
        let now = self.cluster.api.clock.now();
        let may_be_proof = locked(&self.known).is_provable(now);
        may_be_proof.then(|| own.named(holder))
    }

    pub(crate) async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Failure> {
        self.know(renewal.hold.version).await?;
        let next = locked(&self.known).next(renewal);
        let next = next.filter(|(_, template)| self.names_as_before(template, renewal));
        if let Some((text, template)) = next {
            return self.renew_as_before(renewal, text, template).await;
        }
        let held = locked(&self.known)
            .held(&renewal.candidate, &renewal.hold)
            .map(Draft::of);
        let Some(mut draft) = held else {
            return Ok(Renewed::Conflict(None));
        };
        draft.renew(renewal)?;
        self.planted().spoil_renewal(&mut draft, renewal);
        self.name_container(&mut draft, renewal.candidate.incarnation);
        let Some((lease, answer)) = self.put_answered(draft, false).await? else {
            return Ok(Renewed::Conflict(None));
        };
        let receipt = confirmed(renewal, &lease)?;
        locked(&self.known).may_go_on(&lease, &answer, renewal);
        Ok(Renewed::Confirmed(receipt))
    }

    /// Whether `renewal` names the container that the one before named.
    fn names_as_before(&self, template: &Template, renewal: &Renewal) -> bool {
        let named = self.proof(renewal.candidate.incarnation);
        named.is_none_or(|named| named.as_deref() == template.container.as_deref())
    }

    /// Renews with a text that was made from the last one.
    async fn renew_as_before(
        &self,
        renewal: &Renewal,
        text: Bytes,
        template: Template,
    ) -> Result<Renewed, Failure> {
        let began = self.cluster.api.clock.now();
        let Some(answer) = self.send(text.clone(), false).await? else {
            return Ok(Renewed::Conflict(None));
        };
        let Some(version) = template.version(&text, &answer.body) else {
            let lease = Lease::answered(&answer.body).map_err(Failure::unknown)?;
            self.wrote(began, &lease);
            let receipt = confirmed(renewal, &lease)?;
            return Ok(Renewed::Confirmed(receipt));
        };
        let request = template.request;
        let kept = Kept::renewed(text, template, version);
        locked(&self.known).renewed(began, renewal, kept);
        self.hints.answered(version);
        Ok(Renewed::Confirmed(RenewalReceipt {
            request,
            standing: None,
            version,
        }))
    }

    pub(crate) async fn release(&self, release: &Release) -> Result<Released, Failure> {
        let Release {
            candidate, hold, ..
        } = release;
        if self.planted().is(Mistake::ReleaseByName) {
            return self.release_by_name(release).await;
        }
        self.know(hold.version).await?;
        let held = locked(&self.known).held(candidate, hold).map(|lease| {
            let renewed = lease.renew_micros().unwrap_or(0);
            (Draft::of(lease), renewed)
        });
        let Some((mut draft, renewed)) = held else {
            return Ok(Released::Conflict(None));
        };
        let written = release.wall.unix_micros().max(renewed.saturating_add(1));
        draft.tell_token(candidate.incarnation, hold.token);
        draft.release(candidate.incarnation, hold.identity, written)?;
        let Written::Done(_) = self.put(draft, false).await? else {
            return Ok(Released::Conflict(None));
        };
        locked(&self.known).released();
        Ok(Released::Vacated)
    }

    /// The mistake of emptying whatever is there, so long as its holder has the candidate's name.
    async fn release_by_name(&self, release: &Release) -> Result<Released, Failure> {
        let Some((lease, _)) = self.get().await? else {
            return Ok(Released::Conflict(None));
        };
        let Release { candidate, .. } = release;
        let holder = lease.holder();
        if holder.is_none_or(|holder| holder.name() != candidate.name.as_str()) {
            return Ok(Released::Conflict(None));
        }
        let written = lease.renew_micros().unwrap_or(0).saturating_add(1);
        let mut draft = Draft::of(lease.clone());
        draft.release(candidate.incarnation, lease.identity(), written)?;
        match self.put(draft, false).await? {
            Written::Done(_) => Ok(Released::Vacated),
            Written::Refused => Ok(Released::Conflict(None)),
        }
    }
}

/// How long after a grant the kubelet's word on the holder says enough for the next one to lead at once.
///
/// At once where the holder before has released, or its record has aged. Else the new one waits for a former leader who may still believe,
/// for the record's duration and its clock's drift, which is far less than as much again.
fn provable_after(base: Option<&Lease>, claim: &Claim) -> Nanos {
    let explained = base.is_some_and(|base| match base.observation().lock {
        LockState::Held(held) => !held.holder.is(&claim.candidate),
        LockState::Vacant { identity, mark } => mark.is_some_and(|mark| mark.identity == identity),
        LockState::Missing | LockState::NeverHeld => false,
    });
    if explained {
        Nanos::ZERO
    } else {
        (claim.lease_duration * 2).into()
    }
}

/// Tokens are versions, and those go back when the API server's store was restored from a backup.
fn refuse_old_versions(base: &Lease) -> Result<(), Failure> {
    match base.written_token() {
        Some(token) if token.value() > base.version().0 => {
            let detail = format!(
                "the Lease says that token {token} was granted, but its version is {}: was the cluster restored from a backup? Take the annotation {} out once nothing is fenced by that token any more",
                base.version().0,
                annotations::TOKEN
            );
            Err(Failure::new(ErrorKind::Exhausted, detail))
        }
        _ => Ok(()),
    }
}

/// What `lease`, which the API server says that `renewal` has made of it, tells.
fn confirmed(renewal: &Renewal, lease: &Lease) -> Result<RenewalReceipt, Failure> {
    let ours = lease.is_held_by(&renewal.candidate);
    if !ours || lease.renew_micros() != Some(renewal.nonce.0) {
        return Err(changed_on_its_way());
    }
    Ok(RenewalReceipt {
        request: annotations::request(lease),
        standing: None,
        version: lease.version(),
    })
}

fn changed_on_its_way() -> Failure {
    let detail = "the API server wrote something else than what was sent: does an admission webhook change Leases?";
    Failure::new(ErrorKind::Corrupt, detail).unknown()
}
