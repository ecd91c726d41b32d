use std::time::Duration;

use tenure::backend::{LockState, Observation};
use tenure::time::Clock;

use super::show::Shown;
use crate::concurrent::{Either, either};
use crate::exit::{Exit, Failure};
use crate::lock_url::OpenLock;
use crate::options::{LockOptions, ShowOptions};
use crate::output::print;

/// How long a lock may take to answer somebody who only looks.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn status(options: &ShowOptions) -> Result<u8, Failure> {
    let shown = match open_to_look(&options.lock)? {
        Some(lock) => super::block_on(look(&lock))??,
        None => nothing(&options.lock),
    };
    if options.json {
        print(shown.json())?;
    } else {
        print(shown)?;
    }
    Ok(Exit::Success.status())
}

/// Opens a lock without making anything; nothing where there is nothing to open.
pub(super) fn open_to_look(options: &LockOptions) -> Result<Option<OpenLock>, Failure> {
    if options.url.exists() {
        options.open().map(Some)
    } else {
        Ok(None)
    }
}

/// What there is to show of a lock that has no place yet.
pub(super) fn nothing(options: &LockOptions) -> Shown {
    Shown {
        lock: options.url.to_string(),
        members: Vec::new(),
        observation: Observation::of(LockState::NeverHeld),
    }
}

/// Reads the lock and its members once.
pub(super) async fn look(lock: &OpenLock) -> Result<Shown, Failure> {
    let read = async {
        let observation = lock.backend.observe().await?;
        let members = lock.backend.members().await?;
        Ok::<_, tenure::Error>((observation, members))
    };
    match in_time(read).await? {
        Ok((observation, members)) => Ok(Shown {
            lock: lock.backend.description().url.clone(),
            members,
            observation,
        }),
        Err(error) => Err(Failure::unavailable(error)),
    }
}

/// Waits for an answer of the lock, but not for ever.
pub(super) async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, Failure> {
    let clock = tenure::host::SystemClock::new();
    match either(answer, clock.sleep(PATIENCE)).await {
        Either::First(value) => Ok(value),
        Either::Second(()) => Err(Failure::unavailable(format!(
            "the lock did not answer within {PATIENCE:?}: look at its disk or network"
        ))),
    }
}
