use std::sync::Arc;

use tenure_core::elector::{ElectionBuilder, Seed};
use tenure_core::{Election, Error, LockBackend};

use super::{SystemClock, candidate_name, random_bits};

/// Begins to describe an election for `backend`'s lock on this machine: with its clocks, its randomness and its name.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn election(backend: impl LockBackend) -> Result<ElectionBuilder, Error> {
    let seed = Seed::from_bits(random_bits()?);
    Ok(
        Election::builder(Arc::new(backend), Arc::new(SystemClock::new()), seed)
            .candidate(candidate_name()),
    )
}
