use serde_json::json;
use tenure::kubernetes::Initialized;

use super::status::in_time;
use crate::exit::{Exit, Failure};
use crate::options::InitOptions;
use crate::output::print;

pub(super) fn init(options: &InitOptions) -> Result<u8, Failure> {
    super::block_on(make(options))?
}

async fn make(options: &InitOptions) -> Result<u8, Failure> {
    let lock = options.lock.open().await?;
    let Some(made) = in_time(lock.initialize()).await? else {
        return Err(Failure::usage(format!(
            "{} needs no init: only a Lease can outlive its holder, and here the first candidate leads at once",
            options.lock.url
        )));
    };
    let made = made.map_err(Failure::unavailable)?;
    let url = &lock.backend.description().url;
    if options.json {
        print(json!({ "lock": url, "made": made == Initialized::Made }))?;
    } else {
        print(match made {
            Initialized::Made => format!("{url} is made: the first candidate leads at once"),
            Initialized::WasThere => {
                format!("{url} is there and free: nothing was to be done")
            }
        })?;
    }
    Ok(Exit::Success.status())
}
