use serde::{Deserialize, Serialize};
use tenure_core::backend::{
    Acquired, Basis, LockState, Observation, ReleaseMark, RenewalReceipt, Renewed, Vacancy,
};
use tenure_core::memory::{Reply, Request, SessionId};
use tenure_core::{Error, FencingToken, Incarnation, Version};

use super::store::Store;
use crate::TrueTime;

/// A mistake that a backend or a clock could have, planted to show that the oracle sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// A claim that lost its compare-and-swap is made again against what is there.
    BlindPut,
    /// A grant after an unexplained absence says that the store vouches for it.
    ForgedVacancy,
    /// A record that somebody emptied is reported with a release mark.
    ForgedMark,
    /// The node's clocks do not count suspended time.
    MonotonicOnly,
    /// Every grant has the same token.
    OneToken,
    /// A renewal that conflicts with what is there is reported as confirmed, and hints get lost.
    TrustedRenewal,
    /// A renewal of unknown outcome is reported as confirmed.
    UnknownIsConfirmed,
    /// A record that was deleted is reported as never held.
    VanishedIsNew,
    /// A node's oscillator runs slower than the drift allows.
    WildClock,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::BlindPut,
        Self::ForgedMark,
        Self::ForgedVacancy,
        Self::MonotonicOnly,
        Self::OneToken,
        Self::TrustedRenewal,
        Self::UnknownIsConfirmed,
        Self::VanishedIsNew,
        Self::WildClock,
    ];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlindPut => "blind-put",
            Self::ForgedMark => "forged-mark",
            Self::ForgedVacancy => "forged-vacancy",
            Self::MonotonicOnly => "monotonic-only",
            Self::OneToken => "one-token",
            Self::TrustedRenewal => "trusted-renewal",
            Self::UnknownIsConfirmed => "unknown-is-confirmed",
            Self::VanishedIsNew => "vanished-is-new",
            Self::WildClock => "wild-clock",
        }
    }

    /// The mistake with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|sabotage| sabotage.name() == name)
    }

    /// What the elector is told instead of `answer`.
    pub(super) fn falsify(
        self,
        at: TrueTime,
        store: &Store,
        session: SessionId,
        request: &Request,
        answer: Result<Reply, Error>,
    ) -> Result<Reply, Error> {
        match (self, request, answer) {
            (Self::BlindPut, Request::Acquire(claim), Ok(Reply::Acquired(Acquired::Busy(_)))) => {
                let mut claim = claim.clone();
                let version = store.observation().version;
                claim.basis = version.map_or(Basis::Missing, Basis::At);
                store.apply(at, session, &Request::Acquire(claim))
            }
            (Self::TrustedRenewal, _, Ok(Reply::Renewed(Renewed::Conflict(_))))
            | (Self::UnknownIsConfirmed, Request::Renew(_), Err(_)) => {
                let version = store.observation().version.unwrap_or(Version(0));
                let receipt = RenewalReceipt {
                    request: None,
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

    fn misread(self, mut observation: Observation) -> Observation {
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
