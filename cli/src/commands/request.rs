use serde_json::json;
use tenure::backend::{Holder, LockState, Observation, OperatorRequest, RequestKind, Submitted};

use super::show::is_token_pending;
use super::status::{in_time, look, open_to_look};
use crate::exit::{Exit, Failure};
use crate::open_lock::OpenLock;
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
    let observation = super::block_on(async {
        let lock = if kind == RequestKind::Pause {
            // A pause may come before the first candidate.
            options.lock.open().await?
        } else {
            let there = open_to_look(&options.lock).await?;
            there.ok_or_else(|| does_not_exist(options))?
        };
        let seen = look(&lock).await?.observation;
        let nothing = seen.lock == LockState::Missing && seen.request.is_none();
        if kind == RequestKind::Resume && nothing {
            return Err(does_not_exist(options));
        }
        submit(&lock, kind, seen).await
    })??;
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
        print(outcome(kind, observation.holder()))?;
    }
    Ok(Exit::Success.status())
}

fn does_not_exist(options: &RequestOptions) -> Failure {
    Failure::unavailable(format!(
        "{} does not exist: check the URL, nobody has led there",
        options.lock.url
    ))
}

fn outcome(kind: RequestKind, holder: Option<&Holder>) -> String {
    let name = holder.map(Holder::name);
    let ours = holder.is_some_and(|holder| holder.incarnation().is_some());
    match (kind, name) {
        (RequestKind::Resign, Some(leader)) => {
            format!(
                "{leader} was asked to resign: it stops its work at its next renewal at the latest"
            )
        }
        (RequestKind::Resign, None) => "nobody leads: there is nobody to resign".to_owned(),
        (RequestKind::Pause, Some(leader)) if ours => format!(
            "paused: {leader} stops its work at its next renewal at the latest, and nobody leads until `tenure resume`"
        ),
        (RequestKind::Pause, Some(holder)) => format!(
            "paused: none of our candidates leads until `tenure resume`; {holder}, which holds the lock, is none of them and goes on"
        ),
        (RequestKind::Pause, None) => "paused: nobody leads until `tenure resume`".to_owned(),
        (RequestKind::Resume, _) => "not paused: the candidates try again".to_owned(),
    }
}

/// Leaves the request for the leadership that is there now. Returns what was seen of it.
async fn submit(
    lock: &OpenLock,
    kind: RequestKind,
    mut seen: Observation,
) -> Result<Observation, Failure> {
    for _ in 0..TRIES {
        if kind == RequestKind::Resign && seen.holder().is_none() {
            return Ok(seen);
        }
        let stranger = |holder: &&Holder| holder.incarnation().is_none() && seen.token.is_none();
        if let (RequestKind::Resign, Some(holder)) = (kind, seen.holder().filter(stranger)) {
            return Err(Failure::unavailable(format!(
                "the lock is held by {}, which is no candidate of this program and heeds no request: end it where it runs",
                holder.name()
            )));
        }
        if let Some(holder) = seen.holder().filter(|_| is_token_pending(&seen)) {
            // A request names the leadership that it is meant for, so that one that comes late hits nobody else.
            return Err(Failure::unavailable(format!(
                "{} has just begun to lead, and its token is not told before its first renewal: try again in a renew interval (5 s, unless another timing was chosen)",
                holder.name()
            )));
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
