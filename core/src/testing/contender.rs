use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::backend::{
    Acquired, Basis, Claim, Grant, Hold, LockBackend, Observation, Release, Renewal,
};
use crate::{CandidateId, CandidateName, Error, Incarnation, NameError, Nonce, Version, WallTime};

/// A candidate that does what a test tells it: it makes the values that a [`LockBackend`] wants, and decides nothing.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Who it is.
    pub candidate: CandidateId,
    /// How long its writes say they are valid.
    pub lease_duration: Duration,
    /// Its handle.
    pub lock: Arc<dyn LockBackend>,
    nonces: Arc<AtomicU64>,
}

impl Contender {
    /// A candidate with this name and the incarnation `bits`; its lease duration is 15 s.
    ///
    /// # Errors
    /// When the name cannot be one.
    pub fn new(lock: Arc<dyn LockBackend>, name: &str, bits: u128) -> Result<Self, NameError> {
        Ok(Self {
            candidate: CandidateId {
                name: CandidateName::new(name)?,
                incarnation: Incarnation::from_bits(bits),
            },
            lease_duration: Duration::from_secs(15),
            lock,
            nonces: Arc::new(AtomicU64::new(0)),
        })
    }

    /// A number of a write that it never used.
    pub fn nonce(&self) -> Nonce {
        // Far apart for different incarnations, so that no test passes because two candidates count alike.
        let base = u64::try_from(self.candidate.incarnation.to_bits() & 0xffff).unwrap_or(0);
        Nonce(base * 1_000_000 + 1 + self.nonces.fetch_add(1, Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        WallTime::from_unix_seconds(1_700_000_000 + self.nonces.load(Ordering::Relaxed))
    }

    /// A claim decided from a record of this version.
    pub fn claim(&self, version: Option<Version>) -> Claim {
        Claim {
            basis: version.map_or(Basis::Missing, Basis::At),
            candidate: self.candidate.clone(),
            lease_duration: self.lease_duration,
            nonce: self.nonce(),
            wall: self.wall(),
        }
    }

    /// A renewal of `hold` that leaves the note as it is.
    pub fn renewal(&self, hold: Hold) -> Renewal {
        Renewal {
            candidate: self.candidate.clone(),
            hold,
            lease_duration: self.lease_duration,
            nonce: self.nonce(),
            note: None,
            wall: self.wall(),
        }
    }

    /// A release of `hold`.
    pub fn releasing(&self, hold: Hold) -> Release {
        Release {
            candidate: self.candidate.clone(),
            hold,
            wall: self.wall(),
        }
    }

    /// Reads the lock.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn observe(&self) -> Result<Observation, Error> {
        self.lock.observe().await
    }

    /// Reads the lock and claims it from what was seen, whoever holds it.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn acquire(&self) -> Result<Acquired, Error> {
        let seen = self.observe().await?;
        self.lock.acquire(&self.claim(seen.version)).await
    }

    /// As [`Contender::acquire`]; nothing when the lock was busy.
    ///
    /// # Errors
    /// Those of the backend.
    pub async fn try_lead(&self) -> Result<Option<Grant>, Error> {
        Ok(match self.acquire().await? {
            Acquired::Busy(_) => None,
            Acquired::Granted(grant) => Some(grant),
        })
    }
}
