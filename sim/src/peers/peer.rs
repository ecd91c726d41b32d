use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tenure_core::backend::LockKind;
use tenure_core::machine::{Moment, Settings};

use super::camel::{Camel, CamelConfig};
use super::client_go::{ClientGo, GoConfig, GoTiming};
use super::model::Model;
use super::seat::{Enlists, Seat};
use crate::machines::Candidate;
use crate::plan::Span;

/// Which other election the candidates of a run use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Peer {
    /// client-go's leader election.
    ClientGo {
        /// `ReleaseOnCancel`.
        release_on_cancel: bool,
        /// The HTTP client's timeout; nothing when it has none.
        request_timeout: Option<Span>,
        /// Its timing; in the standard proportions for the plan's lease duration unless given.
        timing: Option<GoTiming>,
    },
    /// Apache Camel's Kubernetes cluster service.
    Camel,
}

/// The timeout that `NewFromKubeconfig` and controller-runtime give their clients at the standard timing.
const FIVE_SECONDS: Span = Span::from_secs(5);

impl Peer {
    /// All that have a name.
    pub const ALL: [Self; 5] = [
        Self::client_go(false, Some(FIVE_SECONDS)),
        Self::client_go(true, Some(FIVE_SECONDS)),
        Self::client_go(false, None),
        Self::client_go(true, None),
        Self::Camel,
    ];

    const fn client_go(release_on_cancel: bool, request_timeout: Option<Span>) -> Self {
        Self::ClientGo {
            release_on_cancel,
            request_timeout,
            timing: None,
        }
    }

    /// Its name, as command lines have it. One with a timing of its own has its variant's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientGo {
                release_on_cancel,
                request_timeout,
                ..
            } => match (release_on_cancel, request_timeout.is_some()) {
                (false, true) => "client-go",
                (true, true) => "client-go-release",
                (false, false) => "client-go-no-timeout",
                (true, false) => "client-go-release-no-timeout",
            },
            Self::Camel => "camel",
        }
    }

    /// The same election with another timing, where it has one that can be set apart from the plan's.
    #[must_use]
    pub const fn with_timing(self, timing: GoTiming) -> Self {
        match self {
            Self::ClientGo {
                release_on_cancel,
                request_timeout,
                ..
            } => Self::ClientGo {
                release_on_cancel,
                request_timeout,
                timing: Some(timing),
            },
            Self::Camel => self,
        }
    }

    /// A candidate of this make; nothing where the lock is not a record that candidates age: these elections know no other.
    pub(crate) fn candidate(self, _: Moment, settings: &Settings) -> Option<Box<dyn Candidate>> {
        if settings.kind != LockKind::Leased {
            return None;
        }
        let id = settings.candidate.clone();
        let lease_duration = settings.timing.lease_duration().into();
        let name = Arc::from(id.name.as_str());
        let (model, enlists): (Box<dyn Model>, _) = match self {
            Self::ClientGo {
                release_on_cancel,
                request_timeout,
                timing,
            } => {
                let timing = timing.unwrap_or_else(|| GoTiming::scaled_to(lease_duration));
                let config = GoConfig {
                    identity: name,
                    release_on_cancel,
                    request_timeout,
                    timing,
                };
                (Box::new(ClientGo::new(config)), Enlists::Never)
            }
            Self::Camel => {
                let config = CamelConfig {
                    lease_duration,
                    pod: name,
                };
                (Box::new(Camel::new(config)), Enlists::First)
            }
        };
        Some(Box::new(Seat::new(id, model, enlists)))
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no peer of this name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownPeer(String);

impl fmt::Display for UnknownPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Peer::ALL.map(Peer::name).join(", ");
        write!(f, "there is no peer {:?}: choose one of {names}", self.0)
    }
}

impl std::error::Error for UnknownPeer {}

impl FromStr for Peer {
    type Err = UnknownPeer;

    fn from_str(name: &str) -> Result<Self, UnknownPeer> {
        Self::ALL
            .into_iter()
            .find(|peer| peer.name() == name)
            .ok_or_else(|| UnknownPeer(name.to_owned()))
    }
}
