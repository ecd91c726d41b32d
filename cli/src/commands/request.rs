use serde_json::json;
use tenure::backend::{Observation, OperatorRequest, RequestKind, Submitted};

use super::status::{in_time, look, open_to_look};
use crate::exit::{Exit, Failure};
use crate::lock_url::OpenLock;
use crate::options::RequestOptions;
use crate::output::print;

/// How often a request is made again because the leader has changed meanwhile.
const TRIES: usize = 5;

pub(super) fn resign(options: &RequestOptions) -> Result<u8, Failure> {
    make(options, RequestKind::Resign)
}

pub(super) fn pause(options: &RequestOptions) -> Result<u8, Failure> {
    make(options, RequestKind::Pause)
}

pub(super) fn resume(options: &RequestOptions) -> Result<u8, Failure> {
    make(options, RequestKind::Resume)
}

fn make(options: &RequestOptions, kind: RequestKind) -> Result<u8, Failure> {
    let lock = if kind == RequestKind::Pause {
        // A pause may come before the first candidate.
        options.lock.open()?
    } else {
        open_to_look(&options.lock)?.ok_or_else(|| {
            Failure::unavailable(format!(
                "{} does not exist: check the URL, nobody has led there",
                options.lock.url
            ))
        })?
    };
    let observation = super::block_on(submit(&lock, kind))??;
    let leader = observation.holder().map(|holder| holder.name().to_owned());
    if options.json {
        print(json!({
            "request": match kind {
                RequestKind::Pause => "pause",
                RequestKind::Resign => "resign",
                RequestKind::Resume => "resume",
            },
            "leader": leader,
            "token": observation.token.map(|token| token.value()),
        }))?;
    } else {
        print(outcome(kind, leader.as_deref()))?;
    }
    Ok(Exit::Success.status())
}

fn outcome(kind: RequestKind, leader: Option<&str>) -> String {
    match (kind, leader) {
        (RequestKind::Resign, Some(leader)) => {
            format!(
                "{leader} was asked to resign: it stops its work at its next renewal at the latest"
            )
        }
        (RequestKind::Resign, None) => "nobody leads: there is nobody to resign".to_owned(),
        (RequestKind::Pause, Some(leader)) => format!(
            "paused: {leader} stops its work at its next renewal at the latest, and nobody leads until `tenure resume`"
        ),
        (RequestKind::Pause, None) => "paused: nobody leads until `tenure resume`".to_owned(),
        (RequestKind::Resume, _) => "not paused: the candidates try again".to_owned(),
    }
}

/// Leaves the request for the leadership that is there now. Returns what was seen of it.
async fn submit(lock: &OpenLock, kind: RequestKind) -> Result<Observation, Failure> {
    let mut seen = look(lock).await?.observation;
    for _ in 0..TRIES {
        if kind == RequestKind::Resign && seen.holder().is_none() {
            return Ok(seen);
        }
        let request = OperatorRequest {
            kind,
            token: seen.token,
        };
        match in_time(lock.backend.submit(&request)).await? {
            Ok(Submitted::Accepted) => return Ok(seen),
            Ok(Submitted::Outdated(newer)) => seen = newer,
            Err(error) => return Err(Failure::unavailable(error)),
        }
    }
    Err(Failure::unavailable(
        "the leader changes faster than it can be asked: try again, and see `tenure watch`",
    ))
}
