use crate::backend::{
    Acquired, Basis, Claim, Grant, Held, Hold, Holder, LockState, Observation, Release,
    ReleaseMark, Released, Renewal, RenewalReceipt, Renewed, Vacancy,
};
use crate::machine::{Operation, Outcome};
use crate::{FencingToken, Identity, Version};

/// A leased record that does what the contract says, and nothing else.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    before: Option<Observation>,
    identities: u128,
    now: Option<Observation>,
    revision: u64,
}

impl Store {
    pub(super) fn observe(&self) -> Observation {
        self.now
            .clone()
            .unwrap_or_else(|| Observation::of(LockState::Missing))
    }

    /// What a read showed before the last change.
    pub(super) fn observe_before(&self) -> Observation {
        self.before.clone().unwrap_or_else(|| self.observe())
    }

    pub(super) fn apply(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Acquire(claim) => Outcome::Acquired(self.acquire(claim)),
            Operation::Enlist | Operation::Withdraw => Outcome::Done,
            Operation::Members => Outcome::Members(Vec::new()),
            Operation::Observe => Outcome::Observed(self.observe()),
            Operation::Release(release) => Outcome::Released(self.release(release)),
            Operation::Renew(renewal) => Outcome::Renewed(self.renew(renewal)),
        }
    }

    fn write(&mut self, lock: LockState, token: Option<FencingToken>) -> Version {
        self.revision += 1;
        let version = Version(self.revision);
        self.before = Some(self.observe());
        self.now = Some(Observation {
            token,
            version: Some(version),
            ..Observation::of(lock)
        });
        version
    }

    fn identity(&self) -> Option<Identity> {
        match &self.now.as_ref()?.lock {
            LockState::Held(held) => Some(held.identity),
            LockState::Vacant { identity, .. } => Some(*identity),
            LockState::Missing | LockState::NeverHeld => None,
        }
    }

    fn fresh(&mut self) -> Identity {
        self.identities += 1;
        Identity(self.identities)
    }

    fn acquire(&mut self, claim: &Claim) -> Acquired {
        let basis = match self.observe().version {
            Some(version) => Basis::At(version),
            None => Basis::Missing,
        };
        if claim.basis != basis {
            return Acquired::Busy(Some(self.observe()));
        }
        let identity = match self.identity() {
            Some(identity) => identity,
            None => self.fresh(),
        };
        let token = FencingToken::new(self.revision + 1).unwrap();
        let held = Held {
            duration: Some(claim.lease_duration),
            holder: Holder::from(&claim.candidate),
            identity,
            nonce: claim.nonce,
        };
        let version = self.write(LockState::Held(held), Some(token));
        Acquired::Granted(Grant {
            hold: Hold {
                identity,
                token,
                version,
            },
            note: None,
            request: None,
            standing: None,
            vacancy: Vacancy::AsClaimed,
        })
    }

    fn held(&self, hold: &Hold) -> Option<Held> {
        let seen = self.now.as_ref()?;
        match &seen.lock {
            LockState::Held(held)
                if seen.version == Some(hold.version) && held.identity == hold.identity =>
            {
                Some(held.clone())
            }
            _ => None,
        }
    }

    fn renew(&mut self, renewal: &Renewal) -> Renewed {
        let Some(held) = self.held(&renewal.hold) else {
            return Renewed::Conflict(Some(self.observe()));
        };
        let held = Held {
            nonce: renewal.nonce,
            ..held
        };
        let version = self.write(LockState::Held(held), Some(renewal.hold.token));
        Renewed::Confirmed(RenewalReceipt {
            request: None,
            standing: None,
            version,
        })
    }

    fn release(&mut self, release: &Release) -> Released {
        if self.held(&release.hold).is_none() {
            return Released::Conflict(Some(self.observe()));
        }
        let identity = release.hold.identity;
        let mark = ReleaseMark {
            by: release.candidate.incarnation,
            identity,
        };
        let lock = LockState::Vacant {
            identity,
            mark: Some(mark),
        };
        self.write(lock, Some(release.hold.token));
        Released::Vacated
    }

    pub(super) fn delete(&mut self) {
        self.revision += 1;
        self.before = Some(self.observe());
        self.now = None;
    }

    /// Takes the holder out without a mark.
    pub(super) fn empty(&mut self) {
        if let Some(identity) = self.identity() {
            let lock = LockState::Vacant {
                identity,
                mark: None,
            };
            self.write(lock, self.observe().token);
        }
    }

    /// A write that changes nothing but the version.
    pub(super) fn label(&mut self) {
        if self.now.is_some() {
            self.write(self.observe().lock, self.observe().token);
        }
    }

    /// Deletes the record and creates one that says what the record said, or what the last one said that was deleted.
    pub(super) fn recreate(&mut self) {
        let copied = self.now.clone().or_else(|| self.before.clone());
        let identity = self.fresh();
        let lock = match copied.map(|copied| copied.lock) {
            Some(LockState::Held(held)) => LockState::Held(Held { identity, ..held }),
            Some(LockState::Vacant { mark, .. }) => LockState::Vacant { identity, mark },
            _ => return,
        };
        self.delete();
        self.write(lock, None);
    }
}
