use std::sync::Arc;

use tenure_core::elector::{ElectionBuilder, Seed};
use tenure_core::{Election, Error, LockBackend};

use super::{OnOverrun, SystemClock, ThreadWatchdog, candidate_name, random_bits};

/// Begins to describe an election for `backend`'s lock on this machine: with its clocks, its randomness, its name, and a
/// watchdog that tells of work that overruns ([`OnOverrun::Tell`]).
///
/// # Errors
/// When the operating system gives no random numbers, no thread or no timer.
pub fn election(backend: impl LockBackend) -> Result<ElectionBuilder, Error> {
    let watchdog = ThreadWatchdog::start(OnOverrun::Tell)?;
    let seed = Seed::from_bits(random_bits()?);
    Ok(
        Election::builder(Arc::new(backend), Arc::new(SystemClock::new()), seed)
            .candidate(candidate_name())
            .watchdog(Arc::new(watchdog)),
    )
}
