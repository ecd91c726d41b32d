use std::collections::BTreeMap;
use std::time::Duration;

use super::super::hints::Told;
use super::super::shared::State;
use super::super::{Reply, Request, SessionId};
use crate::backend::{
    Acquired, Basis, Claim, Grant, Held, Hold, Holder, LockState, Member, Note, Observation,
    OperatorRequest, Release, ReleaseMark, Released, Renewal, RenewalReceipt, Renewed, RequestKind,
    Submitted, Vacancy,
};
use crate::{
    CandidateId, Effect, Error, ErrorKind, FencingToken, Identity, Nonce, Version, WallTime,
};

/// The record of the lock, when there is one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Record {
    duration: Option<Duration>,
    holder: Option<Holder>,
    identity: Identity,
    mark: Option<ReleaseMark>,
    nonce: Nonce,
    note: Option<Note>,
    /// False when somebody has made it something that cannot be understood.
    readable: bool,
    request: Option<OperatorRequest>,
    token: Option<FencingToken>,
    version: Version,
    written: Option<WallTime>,
}

/// All data of a leased store at one moment: plain data, to be compared and hashed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LeasedState {
    before: Option<Record>,
    identities: u128,
    members: BTreeMap<SessionId, CandidateId>,
    record: Option<Record>,
    revision: u64,
    server_time: Option<WallTime>,
    sessions: u64,
}

impl LeasedState {
    /// No record, never had one; the next write gets the version after `revision`.
    pub fn new(revision: u64) -> Self {
        Self {
            before: None,
            identities: 0,
            members: BTreeMap::new(),
            record: None,
            revision,
            server_time: None,
            sessions: 0,
        }
    }

    pub(super) fn set_server_time(&mut self, time: Option<WallTime>) {
        self.server_time = time;
    }

    /// Who holds the lock; nothing when nobody does, and when the record cannot be understood.
    pub fn holder(&self) -> Option<&Holder> {
        let record = self.record.as_ref().filter(|record| record.readable);
        record.and_then(|record| record.holder.as_ref())
    }

    /// The newest token in the record.
    pub fn token(&self) -> Option<FencingToken> {
        self.record.as_ref().and_then(|record| record.token)
    }

    /// The record's version; nothing when there is no record.
    pub fn version(&self) -> Option<Version> {
        self.record.as_ref().map(|record| record.version)
    }

    /// A record of a new object, without holder.
    fn fresh(&mut self) -> Record {
        self.identities += 1;
        Record {
            duration: None,
            holder: None,
            identity: Identity(self.identities),
            mark: None,
            nonce: Nonce(0),
            note: None,
            readable: true,
            request: None,
            token: None,
            version: Version(self.revision),
            written: None,
        }
    }

    /// Writes the record, or removes it. Each write has a version of its own, also over deletion.
    fn write(&mut self, record: Option<Record>) -> Version {
        self.revision += 1;
        let version = Version(self.revision);
        let record = record.map(|record| Record { version, ..record });
        self.before = std::mem::replace(&mut self.record, record);
        version
    }

    fn show(&self, record: Option<&Record>) -> Observation {
        let Some(record) = record else {
            return Observation {
                server_time: self.server_time,
                ..Observation::of(LockState::Missing)
            };
        };
        if !record.readable {
            return Observation {
                server_time: self.server_time,
                version: Some(record.version),
                ..Observation::of(LockState::Held(Held {
                    duration: None,
                    holder: Holder::parse("unreadable record"),
                    identity: record.identity,
                    nonce: Nonce(record.version.0),
                }))
            };
        }
        let lock = match &record.holder {
            Some(holder) => LockState::Held(Held {
                duration: record.duration,
                holder: holder.clone(),
                identity: record.identity,
                nonce: record.nonce,
            }),
            None => LockState::Vacant {
                identity: record.identity,
                mark: record.mark,
            },
        };
        Observation {
            led_since: None,
            lock,
            note: record.note.clone(),
            request: record.request,
            server_time: self.server_time,
            written: record.written,
            token: record.token,
            version: Some(record.version),
        }
    }

    fn acquire(&mut self, claim: &Claim) -> Result<Acquired, Error> {
        let stands = match (&self.record, claim.basis) {
            (None, Basis::Missing) => true,
            (Some(record), Basis::At(version)) => record.version == version,
            _ => false,
        };
        if !stands {
            return Ok(Acquired::Busy(Some(self.observe())));
        }
        let token = FencingToken::new(self.revision + 1).ok_or_else(|| {
            let detail = "no token is left: use another store";
            Error::new(
                ErrorKind::Exhausted,
                Effect::NotApplied,
                "acquire",
                Self::NAME,
                detail,
            )
        })?;
        let old = self.record.clone().filter(|record| record.readable);
        let identity = self.record.as_ref().map(|record| record.identity);
        let old = old.unwrap_or_else(|| {
            let fresh = self.fresh();
            let identity = identity.unwrap_or(fresh.identity);
            Record { identity, ..fresh }
        });
        let record = Record {
            duration: Some(claim.lease_duration),
            holder: Some(Holder::from(&claim.candidate)),
            mark: None,
            nonce: claim.nonce,
            token: Some(token),
            written: Some(claim.wall),
            ..old
        };
        let grant = |version| Grant {
            hold: Hold {
                identity: record.identity,
                token,
                version,
            },
            note: record.note.clone(),
            request: record.request,
            standing: None,
            vacancy: Vacancy::AsClaimed,
        };
        let version = self.write(Some(record.clone()));
        Ok(Acquired::Granted(grant(version)))
    }

    /// The record, if it is exactly what the holder says that it is.
    fn held(&self, candidate: &CandidateId, hold: &Hold) -> Option<Record> {
        let record = self.record.as_ref().filter(|record| {
            record.readable
                && record.version == hold.version
                && record.identity == hold.identity
                && record.token == Some(hold.token)
                && record
                    .holder
                    .as_ref()
                    .is_some_and(|holder| holder.is(candidate))
        });
        record.cloned()
    }

    fn renew(&mut self, renewal: &Renewal) -> Renewed {
        let Some(record) = self.held(&renewal.candidate, &renewal.hold) else {
            return Renewed::Conflict(Some(self.observe()));
        };
        let request = record.request;
        let version = self.write(Some(Record {
            duration: Some(renewal.lease_duration),
            nonce: renewal.nonce,
            note: renewal.note.clone().or_else(|| record.note.clone()),
            written: Some(renewal.wall),
            ..record
        }));
        Renewed::Confirmed(RenewalReceipt {
            request,
            standing: None,
            version,
        })
    }

    fn release(&mut self, release: &Release) -> Released {
        let Some(record) = self.held(&release.candidate, &release.hold) else {
            return Released::Conflict(Some(self.observe()));
        };
        let mark = ReleaseMark {
            by: release.candidate.incarnation,
            identity: record.identity,
        };
        self.write(Some(Record {
            holder: None,
            mark: Some(mark),
            written: Some(release.wall),
            ..record
        }));
        Released::Vacated
    }

    fn submit(&mut self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let newest = self.record.as_ref().and_then(|record| record.token);
        if self.record.as_ref().is_some_and(|record| !record.readable) {
            let detail = "repair or delete the record first";
            return Err(Error::new(
                ErrorKind::Corrupt,
                Effect::NotApplied,
                "submit",
                Self::NAME,
                detail,
            ));
        }
        if newest != request.token {
            return Ok(Submitted::Outdated(self.observe()));
        }
        let record = match self.record.clone() {
            Some(record) => record,
            None => self.fresh(),
        };
        self.write(Some(Record {
            request: (request.kind != RequestKind::Resume).then_some(*request),
            ..record
        }));
        Ok(Submitted::Accepted)
    }
}

/// What somebody who is no candidate does to the record.
impl LeasedState {
    /// Writes the record without changing what it says, as somebody who sets a label: only its version grows.
    pub fn edit_label(&mut self) {
        self.edit(|record| record);
    }

    /// Deletes the record.
    pub fn delete(&mut self) {
        self.write(None);
    }

    /// Takes the holder out without a release mark, as `kubectl edit` would.
    pub fn empty(&mut self) {
        self.edit(|record| Record {
            holder: None,
            mark: None,
            ..record
        });
    }

    /// Deletes the record and creates one that says the same, as a tool that restores a backup would: another identity, and a
    /// release mark that names the old one. When the record has just been deleted, it is that one which comes back.
    pub fn recreate(&mut self) {
        let latest = self.record.as_ref().or(self.before.as_ref());
        if let Some(record) = latest.cloned() {
            let identity = self.fresh().identity;
            self.write(Some(Record { identity, ..record }));
        }
    }

    /// Writes another holder over the record, as a candidate of another make or an administrator would. The text need not be one
    /// of ours; the token stays.
    pub fn overwrite_holder(&mut self, holder: &str, nonce: Nonce, duration: Option<Duration>) {
        self.edit(|record| Record {
            duration,
            holder: Some(Holder::parse(holder)),
            mark: None,
            nonce,
            ..record
        });
    }

    /// Writes a note over the record's, as somebody who is not the leader might.
    pub fn overwrite_note(&mut self, note: Option<Note>) {
        self.edit(|record| Record { note, ..record });
    }

    /// Makes the record something that cannot be understood.
    pub fn corrupt(&mut self) {
        self.edit(|record| Record {
            readable: false,
            ..record
        });
    }

    /// A write by nobody's candidate; creates the record where there is none.
    fn edit(&mut self, edit: impl FnOnce(Record) -> Record) {
        let record = match self.record.clone() {
            Some(record) => record,
            None => self.fresh(),
        };
        self.write(Some(edit(record)));
    }
}

impl State for LeasedState {
    const NAME: &'static str = "memory (leased)";
    const ORDERED: bool = false;

    fn open(&mut self) -> SessionId {
        self.sessions += 1;
        SessionId(self.sessions)
    }

    fn is_open(&self, _: SessionId) -> bool {
        true
    }

    fn apply(&mut self, from: SessionId, request: &Request) -> (Result<Reply, Error>, Told) {
        let revision = self.revision;
        let mut told = Told::Nothing;
        let reply = match request {
            Request::Acquire(claim) => self.acquire(claim).map(Reply::Acquired),
            Request::Enlist(candidate) => {
                self.members.insert(from, candidate.clone());
                told = Told::Members;
                Ok(Reply::Done)
            }
            Request::Members => Ok(Reply::Members(list(self.members.values()))),
            Request::Observe => Ok(Reply::Observed(self.observe())),
            Request::Release(release) => Ok(Reply::Released(self.release(release))),
            Request::Renew(renewal) => Ok(Reply::Renewed(self.renew(renewal))),
            Request::Submit(request) => self.submit(request).map(Reply::Submitted),
            Request::Withdraw(_) => {
                told = self.crash(from);
                Ok(Reply::Done)
            }
        };
        if self.revision != revision {
            told = Told::Lock;
        }
        (reply, told)
    }

    fn abandon(&mut self, session: SessionId) -> Told {
        self.crash(session)
    }

    /// A record outlives its holder: others have to see it age.
    fn crash(&mut self, session: SessionId) -> Told {
        match self.members.remove(&session) {
            Some(_) => Told::Members,
            None => Told::Nothing,
        }
    }

    fn observe(&self) -> Observation {
        self.show(self.record.as_ref())
    }

    fn observe_before(&self) -> Observation {
        self.show(self.before.as_ref())
    }
}

/// Candidates as members, in the order of their names.
pub(in super::super) fn list<'a>(candidates: impl Iterator<Item = &'a CandidateId>) -> Vec<Member> {
    let mut members: Vec<Member> = candidates
        .map(|candidate| Member {
            name: candidate.name.as_str().into(),
            incarnation: Some(candidate.incarnation),
        })
        .collect();
    members.sort();
    members
}
