use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tenure_core::backend::LockKind;
use tenure_core::machine::{Moment, Settings};

use super::camel::{Camel, CamelConfig};
use super::client_go::{ClientGo, GoConfig, GoTiming};
use super::model::Model;
use super::seat::{Enlists, Seat};
use crate::Tier;
use crate::machines::Candidate;
use crate::plan::{Backend, Span};

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
    /// Apache Curator's `LeaderSelector`.
    Curator,
}

/// The timeout that `NewFromKubeconfig` and controller-runtime give their clients at the standard timing.
const FIVE_SECONDS: Span = Span::from_secs(5);

impl Peer {
    /// All that have a name.
    pub const ALL: [Self; 6] = [
        Self::OF_LEASES[0],
        Self::OF_LEASES[1],
        Self::OF_LEASES[2],
        Self::OF_LEASES[3],
        Self::OF_LEASES[4],
        Self::OF_QUEUES[0],
    ];
    /// Those whose lock is a Kubernetes Lease.
    pub const OF_LEASES: [Self; 5] = [
        Self::client_go(false, Some(FIVE_SECONDS)),
        Self::client_go(true, Some(FIVE_SECONDS)),
        Self::client_go(false, None),
        Self::client_go(true, None),
        Self::Camel,
    ];
    /// Those whose lock is a queue of nodes of a ZooKeeper ensemble.
    pub const OF_QUEUES: [Self; 1] = [Self::Curator];

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
            Self::Curator => "curator",
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
            Self::Camel | Self::Curator => self,
        }
    }

    /// Over which lock its models run: a [`Backend::Lease`] on the tier of machines, or a [`Backend::Zookeeper`] on that of electors.
    pub const fn backend(self) -> Backend {
        match self {
            Self::ClientGo { .. } | Self::Camel => Backend::Lease,
            Self::Curator => Backend::Zookeeper,
        }
    }

    /// The tier on which its models run.
    pub const fn tier(self) -> Tier {
        match self.backend() {
            Backend::Zookeeper => Tier::Electors,
            _ => Tier::Machines,
        }
    }

    /// A candidate of this make on the tier of machines; nothing where the lock is not a record that candidates age, and of one that knows
    /// no such lock.
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
            Self::Curator => return None,
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
