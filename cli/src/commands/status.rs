use std::time::Duration;

use tenure::Error;
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
        queue: None,
    }
}

/// So often a lock is read whose leader has changed before its queue was read. Then they are shown as they are.
const LOOKS: usize = 3;

/// Reads the lock, its queue and its members. What cannot be read of the others leaves the lock to be shown.
pub(super) async fn look(lock: &OpenLock) -> Result<Shown, Failure> {
    let mut shown = look_once(lock).await?;
    for _ in 1..LOOKS {
        if shown.is_of_one_moment() {
            break;
        }
        shown = look_once(lock).await?;
    }
    Ok(shown)
}

async fn look_once(lock: &OpenLock) -> Result<Shown, Failure> {
    let observation = in_time(lock.backend.observe()).await?;
    let observation = observation.map_err(Failure::unavailable)?;
    let queue = told(lock.backend.contenders()).await;
    let description = lock.backend.description();
    let members = if description.tells_members {
        let members = told(lock.backend.members()).await;
        members.map_or_else(Members::Unknown, Members::Known)
    } else {
        Members::NotAskedFor
    };
    Ok(Shown {
        lock: description.url.clone(),
        members,
        observation,
        queue: match queue {
            Ok(queue) => queue.map(Members::Known),
            Err(why) => Some(Members::Unknown(why)),
        },
    })
}

/// What the lock tells beside its state, or why it does not.
async fn told<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match in_time(answer).await {
        Ok(told) => told.map_err(|error| error.to_string()),
        Err(late) => Err(late.to_string()),
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
