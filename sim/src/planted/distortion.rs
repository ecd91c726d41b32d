use tenure_core::backend::{
    Acquired, Basis, Grant, Hold, LockState, Observation, Release, ReleaseMark, Released,
    RenewalReceipt, Renewed, Vacancy,
};
use tenure_core::memory::{Reply, Request};
use tenure_core::{
    CandidateId, CandidateName, Error, FencingToken, Identity, Incarnation, Reading, Version,
};

/// A mistake of a backend, a clock or whatever else surrounds the decisions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Distortion {
    /// A claim that lost its compare-and-swap is made again against what is there.
    BlindPut,
    /// A claim of unknown outcome is reported as granted.
    ClaimIsAssumed,
    /// A record that somebody emptied is reported with a release mark.
    ForgedMark,
    /// A grant after an unexplained absence says that the store vouches for it.
    ForgedVacancy,
    /// The answer to a call that was given up is delivered as the answer to the next call of its kind.
    LateAnswer,
    /// The node's clocks do not count suspended time.
    MonotonicOnly,
    /// Both of the node's clocks are slewed by its time service.
    NoRawClock,
    /// Every grant has the same token.
    OneToken,
    /// A release that lost its compare-and-swap is made again against what is there.
    ReleaseStomp,
    /// A renewal that conflicts with what is there is reported as confirmed, and hints get lost.
    TrustedRenewal,
    /// A record that was deleted is reported as never held.
    VanishedIsNew,
    /// Nobody watches over a leadership whose task is not run.
    WatchdogSleeps,
    /// Every other node's oscillator runs slower than the drift allows, and nobody knows.
    WildClock,
}

/// How slow an oscillator is that no drift allows for, in millionths.
const WILD_RATE_PPM: i64 = -150_000;

/// A store as a distortion reaches behind it.
pub trait Store {
    /// What the lock's record is now.
    fn observation(&self) -> Observation;

    /// Has the store do at once what `request` says.
    ///
    /// # Errors
    /// Those of the store.
    fn apply(&mut self, request: &Request) -> Result<Reply, Error>;
}

impl Distortion {
    /// Whether hints are to be kept from the candidates.
    pub fn swallows_hints(self) -> bool {
        self == Self::TrustedRenewal
    }

    /// Whether it is about what a store does and answers, and not about clocks and watchdogs.
    pub fn is_of_the_store(self) -> bool {
        !matches!(
            self,
            Self::MonotonicOnly | Self::NoRawClock | Self::WatchdogSleeps | Self::WildClock
        )
    }

    /// What the candidate's clocks show it instead of `reading`.
    #[must_use]
    pub fn misread_clocks(self, reading: Reading) -> Reading {
        match self {
            Self::MonotonicOnly => Reading::both(reading.raw),
            Self::NoRawClock => Reading::both(reading.boottime),
            _ => reading,
        }
    }

    /// At which rate the oscillator of the node with this index really runs, when everybody takes it to run at `rate_ppm`.
    #[must_use]
    pub fn true_rate_ppm(self, node: usize, rate_ppm: i64) -> i64 {
        match self {
            Self::WildClock if node.is_multiple_of(2) => WILD_RATE_PPM,
            _ => rate_ppm,
        }
    }

    /// What the candidate is told instead of `answer`.
    ///
    /// # Errors
    /// The answer's, where that is what the candidate is told.
    pub fn falsify(
        self,
        store: &mut dyn Store,
        request: &Request,
        answer: Result<Reply, Error>,
    ) -> Result<Reply, Error> {
        match (self, request, answer) {
            (Self::BlindPut, Request::Acquire(claim), Ok(Reply::Acquired(Acquired::Busy(_)))) => {
                let mut claim = claim.clone();
                let version = store.observation().version;
                claim.basis = version.map_or(Basis::Missing, Basis::At);
                store.apply(&Request::Acquire(claim))
            }
            (Self::ClaimIsAssumed, Request::Acquire(_), Err(_)) => {
                Ok(Reply::Acquired(Acquired::Granted(made_up(store))))
            }
            (
                Self::ReleaseStomp,
                Request::Release(release),
                Ok(Reply::Released(Released::Conflict(_))),
            ) => match stomp(store, release) {
                Some(release) => store.apply(&Request::Release(release)),
                None => Ok(Reply::Released(Released::Vacated)),
            },
            (Self::TrustedRenewal, _, Ok(Reply::Renewed(Renewed::Conflict(_)))) => {
                let version = store.observation().version.unwrap_or(Version(0));
                let receipt = RenewalReceipt {
                    request: None,
                    standing: None,
                    version,
                };
                Ok(Reply::Renewed(Renewed::Confirmed(receipt)))
            }
            (_, _, answer) => answer.map(|reply| self.distort(reply)),
        }
    }

    fn distort(self, reply: Reply) -> Reply {
        match (self, reply) {
            (Self::ForgedVacancy, Reply::Acquired(Acquired::Granted(mut grant))) => {
                if let Vacancy::Unexplained { .. } = grant.vacancy {
                    grant.vacancy = Vacancy::Proven;
                }
                Reply::Acquired(Acquired::Granted(grant))
            }
            (Self::OneToken, Reply::Acquired(Acquired::Granted(mut grant))) => {
                grant.hold.token = FencingToken::new(1).expect("1 is a token");
                Reply::Acquired(Acquired::Granted(grant))
            }
            (_, Reply::Observed(observation)) => Reply::Observed(self.misread(observation)),
            (_, reply) => reply,
        }
    }

    /// What the candidate is shown instead of what was read or told.
    #[must_use]
    pub fn misread(self, mut observation: Observation) -> Observation {
        match (self, &mut observation.lock) {
            (
                Self::ForgedMark,
                LockState::Vacant {
                    identity,
                    mark: mark @ None,
                },
            ) => {
                let by = Incarnation::from_bits(1);
                *mark = Some(ReleaseMark {
                    by,
                    identity: *identity,
                });
            }
            (Self::VanishedIsNew, lock @ LockState::Missing) => *lock = LockState::NeverHeld,
            _ => {}
        }
        observation
    }
}

/// A grant of what the claimant would have been granted, had its claim arrived in time.
fn made_up(store: &dyn Store) -> Grant {
    let observation = store.observation();
    let version = observation.version.map_or(1, |version| version.0 + 1);
    let next = observation.token.map_or(1, |token| token.value() + 1);
    let identity = match observation.lock {
        LockState::Held(held) => held.identity,
        LockState::Vacant { identity, .. } => identity,
        LockState::Missing | LockState::NeverHeld => Identity(1),
    };
    let token = next.max(version);
    Grant {
        hold: Hold {
            identity,
            token: FencingToken::new(token)
                .expect("a store counts to far less than the largest token"),
            version: Version(version),
        },
        note: observation.note,
        request: None,
        standing: None,
        vacancy: Vacancy::AsClaimed,
    }
}

/// A release of what is there, whoever holds it.
fn stomp(store: &dyn Store, release: &Release) -> Option<Release> {
    let observation = store.observation();
    let LockState::Held(held) = observation.lock else {
        return None;
    };
    Some(Release {
        candidate: CandidateId {
            name: CandidateName::new(held.holder.name()).ok()?,
            incarnation: held.holder.incarnation()?,
        },
        hold: Hold {
            identity: held.identity,
            token: observation.token?,
            version: observation.version?,
        },
        wall: release.wall,
    })
}
