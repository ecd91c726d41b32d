use std::time::Duration;

use crate::backend::{Hold, LockKind, LockState, Observation};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, Player, ensure};

pub(super) async fn a_description_is_the_same_for_every_handle(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let description = first.lock.description().clone();
    ensure!(
        !description.backend.is_empty() && !description.url.is_empty(),
        "backend and url should say something: {description:?}"
    );
    first.leads().await?;
    ensure!(
        *first.lock.description() == description && *second.lock.description() == description,
        "{description:?} should be what all handles say at any time"
    );
    Ok(())
}

pub(super) async fn a_fresh_lock_has_no_holder(case: &Case) -> Checked {
    let seen = case.player().await?.observe().await?;
    ensure!(
        !matches!(seen.lock, LockState::Held(_)),
        "nobody has ever held it: {seen:?}"
    );
    ensure!(
        seen.note.is_none() && seen.request.is_none(),
        "nobody has ever written into it: {seen:?}"
    );
    Ok(())
}

/// What another handle sees must be what `player` holds.
async fn shows(
    case: &Case,
    reader: &Player,
    player: &Player,
    hold: Hold,
    renewed: bool,
) -> Checked {
    let seen = reader.observe().await?;
    let LockState::Held(held) = &seen.lock else {
        return Err(Failure::new(format!(
            "{hold:?} was confirmed, but a later read shows {seen:?}"
        )));
    };
    ensure!(
        held.holder.is(&player.candidate) && held.holder.name() == player.candidate.name.as_str(),
        "{:?} holds, not {:?}",
        player.candidate,
        held.holder
    );
    ensure!(
        held.identity == hold.identity && case.shows_token(&seen, hold, renewed),
        "identity and token should be those of {hold:?}: {seen:?}"
    );
    if case.kind() == LockKind::Leased {
        ensure!(
            seen.version == Some(hold.version),
            "the version should be that of {hold:?}: {seen:?}"
        );
        ensure!(
            held.duration.is_some_and(|d| d >= player.lease_duration),
            "a duration is rounded up, never down: {held:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_read_shows_every_confirmed_write(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    reader.observe().await?;
    let mut hold = leader.leads().await?.hold;
    for renewals in 0..3 {
        shows(case, &reader, &leader, hold, renewals > 0).await?;
        hold = leader.renews(hold).await?;
    }
    shows(case, &reader, &leader, hold, true).await?;
    leader.releases(hold).await?;
    let seen = reader.observe().await?;
    ensure!(seen.holder().is_none(), "it was released: {seen:?}");
    let hold = reader.leads().await?.hold;
    shows(case, &leader, &reader, hold, false).await
}

pub(super) async fn a_read_changes_nothing(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let without_time = |seen: Observation| Observation {
        server_time: None,
        ..seen
    };
    let hold = leader.leads().await?.hold;
    let first = without_time(reader.observe().await?);
    let second = without_time(reader.observe().await?);
    ensure!(
        first == second,
        "nobody wrote between {first:?} and {second:?}"
    );
    leader.renews(hold).await.map(drop)
}

pub(super) async fn versions_grow_with_every_write(case: &Case) -> Checked {
    let leader = case.player().await?;
    let mut hold = leader.leads().await?.hold;
    for _ in 0..3 {
        let next = leader.renews(hold).await?;
        ensure!(next.version > hold.version, "{next:?} follows {hold:?}");
        hold = next;
    }
    leader.releases(hold).await?;
    let seen = leader.observe().await?;
    ensure!(
        seen.version > Some(hold.version),
        "the release was a write too: {seen:?} follows {hold:?}"
    );
    ensure!(
        leader.lease_duration > Duration::ZERO,
        "a candidate's lease lasts"
    );
    Ok(())
}
