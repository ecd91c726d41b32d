use std::time::Duration;

use serde_json::json;
use tenure::time::Clock;

use super::show::{Shown, time};
use super::status::{look, nothing, open_to_look};
use crate::concurrent::either;
use crate::exit::Failure;
use crate::options::ShowOptions;
use crate::output::print;

/// How often a lock is read at the least: some changes are not told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn watch(options: &ShowOptions) -> Result<u8, Failure> {
    super::block_on(follow(options))?
}

/// Tells each change. A lock that was read once and cannot be read any more is looked at until it can.
async fn follow(options: &ShowOptions) -> Result<u8, Failure> {
    let clock = tenure::host::SystemClock::new();
    let mut lock = None;
    let mut last: Option<Shown> = None;
    let mut away = false;
    loop {
        if lock.is_none() {
            lock = open_to_look(&options.lock).await?;
        }
        let seen = match &lock {
            Some(lock) => look(lock).await,
            None => Ok(nothing(&options.lock)),
        };
        match seen {
            Ok(shown) => {
                away = false;
                let shown = shown.without_heartbeat();
                if last.as_ref() != Some(&shown) {
                    tell(&shown, options, &clock)?;
                    last = Some(shown);
                }
            }
            Err(failure) if last.is_none() => return Err(failure),
            Err(failure) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::error!("{failure}; trying again");
                }
                clock.sleep(LOOK_AGAIN).await;
                continue;
            }
        }
        match &lock {
            Some(lock) => drop(either(lock.backend.changed(), clock.sleep(LOOK_AGAIN)).await),
            None => clock.sleep(LOOK_AGAIN).await,
        }
    }
}

fn tell(
    shown: &Shown,
    options: &ShowOptions,
    clock: &tenure::host::SystemClock,
) -> Result<(), Failure> {
    let now = time(clock.wall());
    if options.json {
        let mut line = shown.json();
        line["seen"] = json!(now);
        print(line)?;
    } else {
        print(format_args!("{now}  {}", shown.line()))?;
    }
    Ok(())
}
