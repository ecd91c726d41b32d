use std::fmt;
use std::sync::Arc;

use super::shared::Shared;
use super::{Election, Seed, Watchdog};
use crate::backend::{LockKind, Proof};
use crate::machine::{Eligibility, Membership, OnMissing};
#[cfg(feature = "planted")]
use crate::planted::Mistake;
use crate::timing::{Timing, TimingError};
use crate::{CandidateId, CandidateName, Clock, LockBackend};

/// Describes an election. Everything has a sensible value but the candidate's name, which should be the pod's or the host's.
#[derive(Debug)]
pub struct ElectionBuilder {
    backend: Arc<dyn LockBackend>,
    clock: Arc<dyn Clock>,
    eligibility: Eligibility,
    membership: Membership,
    name: Option<CandidateName>,
    on_missing: OnMissing,
    #[cfg(feature = "planted")]
    planted: Option<Mistake>,
    seed: Seed,
    timing: Timing,
    watchdog: Option<Arc<dyn Watchdog>>,
}

/// A configuration that cannot keep what it would promise.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The timing does not fit the backend.
    Timing(TimingError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timing(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for ConfigError {}

impl ElectionBuilder {
    pub(super) fn new(backend: Arc<dyn LockBackend>, clock: Arc<dyn Clock>, seed: Seed) -> Self {
        let timing = backend.timing();
        Self {
            backend,
            clock,
            eligibility: Eligibility::Eligible,
            membership: Membership::Ignored,
            name: None,
            on_missing: OnMissing::Wait,
            #[cfg(feature = "planted")]
            planted: None,
            seed,
            timing,
            watchdog: None,
        }
    }

    /// What people call this candidate: its pod's or host's name. `candidate` unless set.
    #[must_use]
    pub fn candidate(mut self, name: CandidateName) -> Self {
        self.name = Some(name);
        self
    }

    /// Whether the candidate tries from the start. It does unless set.
    #[must_use]
    pub fn eligibility(mut self, eligibility: Eligibility) -> Self {
        self.eligibility = eligibility;
        self
    }

    /// Whether the members are read, at the start and when they change. They are not unless set.
    #[must_use]
    pub fn membership(mut self, membership: Membership) -> Self {
        self.membership = membership;
        self
    }

    /// What a missing or emptied lock means. A former leader is waited out unless set.
    #[must_use]
    pub fn on_missing(mut self, on_missing: OnMissing) -> Self {
        self.on_missing = on_missing;
        self
    }

    /// A mistake that its machines make. None unless set.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn planted(mut self, mistake: Option<Mistake>) -> Self {
        self.planted = mistake;
        self
    }

    /// The timing. The backend's own unless set: [`LockBackend::timing`].
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Somebody who ends a leadership when the elector's task is not run in time.
    #[must_use]
    pub fn watchdog(mut self, watchdog: Arc<dyn Watchdog>) -> Self {
        self.watchdog = Some(watchdog);
        self
    }

    /// The election.
    ///
    /// # Errors
    /// When the timing does not fit the backend; the error says which number to change.
    pub fn build(self) -> Result<Election, ConfigError> {
        let description = self.backend.description();
        if description.kind == LockKind::Session {
            let checked = match description.proof {
                Proof::Itself => self.timing.check_session(),
                Proof::Later { gap } => self.timing.check_proof(gap),
            };
            checked.map_err(ConfigError::Timing)?;
        }
        if let Some(session) = self.backend.session_timeout() {
            let checked = self.timing.check_session_timeout(session);
            checked.map_err(ConfigError::Timing)?;
        }
        let name = match self.name {
            Some(name) => name,
            None => CandidateName::new("candidate").expect("a plain word is a name"),
        };
        let candidate = CandidateId {
            name: name.clone(),
            incarnation: self.seed.incarnation(0),
        };
        let shared = Shared::new(description.election.clone(), candidate, self.eligibility);
        Ok(Election {
            backend: self.backend,
            clock: self.clock,
            membership: self.membership,
            name,
            on_missing: self.on_missing,
            #[cfg(feature = "planted")]
            planted: self.planted,
            seed: self.seed,
            shared: Arc::new(shared),
            starts: 0,
            timing: self.timing,
            watchdog: self.watchdog,
        })
    }
}
