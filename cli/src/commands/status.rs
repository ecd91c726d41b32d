use std::time::Duration;

use tenure::backend::{LockState, Observation};
use tenure::time::Clock;

use super::show::{Members, Shown};
use crate::concurrent::{Either, either};
use crate::exit::{Exit, Failure};
use crate::open_lock::OpenLock;
use crate::options::{LockOptions, ShowOptions};
use crate::output::print;

/// How long a lock may take to answer somebody who only looks.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn status(options: &ShowOptions) -> Result<u8, Failure> {
    let shown = super::block_on(async {
        match open_to_look(&options.lock).await? {
            Some(lock) => look(&lock).await,
            None => Ok(nothing(&options.lock)),
        }
    })??;
    if options.json {
        print(shown.json())?;
    } else {
        print(shown)?;
    }
    Ok(Exit::Success.status())
}

/// Opens a lock without making anything; nothing where there is nothing to open.
pub(super) async fn open_to_look(options: &LockOptions) -> Result<Option<OpenLock>, Failure> {
    if options.url.exists() {
        options.open().await.map(Some)
    } else {
        Ok(None)
    }
}

/// What there is to show of a lock that has no place yet.
pub(super) fn nothing(options: &LockOptions) -> Shown {
    Shown {
        lock: options.url.to_string(),
        members: Members::Known(Vec::new()),
        observation: Observation::of(LockState::NeverHeld),
    }
}

/// Reads the lock and its members once. Members that cannot be read leave the lock to be shown.
pub(super) async fn look(lock: &OpenLock) -> Result<Shown, Failure> {
    let observation = in_time(lock.backend.observe()).await?;
    let observation = observation.map_err(Failure::unavailable)?;
    let description = lock.backend.description();
    let members = if description.tells_members {
        match in_time(lock.backend.members()).await {
            Ok(Ok(members)) => Members::Known(members),
            Ok(Err(error)) => Members::Unknown(error.to_string()),
            Err(late) => Members::Unknown(late.to_string()),
        }
    } else {
        Members::NotAskedFor
    };
    Ok(Shown {
        lock: description.url.clone(),
        members,
        observation,
    })
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
