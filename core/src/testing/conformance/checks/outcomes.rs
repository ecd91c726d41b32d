use crate::backend::{Hold, LockKind, LockState, Observation};
use crate::memory::Operation;
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, Player, ensure, failed};
use crate::testing::conformance::wait::drop_after_first_poll;
use crate::{Effect, Error, Nonce};

/// The hold that a read proves: held by `player`, with the nonce of its own write where one is given.
///
/// Where a read may not tell the token, it is that of the hold `known`; without one, only a new claim tells.
async fn settled(
    case: &Case,
    player: &Player,
    seen: &Observation,
    nonce: Option<Nonce>,
    known: Option<Hold>,
) -> Result<Hold, Failure> {
    if let (LockState::Held(held), Some(version)) = (&seen.lock, seen.version)
        && held.holder.is(&player.candidate)
        && nonce.is_none_or(|nonce| nonce == held.nonce)
    {
        let identity = held.identity;
        match (seen.token, known) {
            (Some(token), _) => {
                return Ok(Hold {
                    identity,
                    token,
                    version,
                });
            }
            (None, Some(known)) if case.may_leave_token_out() => {
                return Ok(Hold {
                    identity,
                    version,
                    ..known
                });
            }
            (None, None) if case.may_leave_token_out() => return Ok(player.leads().await?.hold),
            (None, _) => {}
        }
    }
    let who = &player.candidate;
    Err(Failure::new(format!(
        "a read should show the write of {who} with {nonce:?}: {seen:?}"
    )))
}

pub(super) async fn a_claim_without_answer_is_settled_by_its_nonce(case: &Case) -> Checked {
    let leader = case.player().await?;
    let claim = leader.claim(leader.observe().await?.version);
    drop(leader.lock.acquire(&claim).await?);
    let seen = leader.observe().await?;
    let hold = settled(case, &leader, &seen, Some(claim.nonce), None).await?;
    let hold = leader.renews(hold).await?;
    ensure!(
        case.kind() == LockKind::Session || Some(hold.version) > seen.version,
        "the renewal of what was settled is a write: {hold:?}"
    );
    Ok(())
}

pub(super) async fn a_renewal_without_answer_is_settled_by_its_nonce(case: &Case) -> Checked {
    let leader = case.player().await?;
    let hold = leader.leads().await?.hold;
    let renewal = leader.renewal(hold);
    drop(leader.lock.renew(&renewal).await?);
    let seen = leader.observe().await?;
    let next = settled(case, &leader, &seen, Some(renewal.nonce), None).await?;
    ensure!(next.token == hold.token, "{next:?} goes on with {hold:?}");
    leader.renews(next).await?;
    case.settle().await;
    Ok(())
}

/// An error that says what is not known, and where it comes from.
fn is_unknown(player: &Player, error: &Error, operation: Operation) -> Checked {
    ensure!(
        error.effect() == Effect::Unknown,
        "the write may have happened: {error}"
    );
    let backend = player.lock.description().backend;
    ensure!(
        error.operation() == operation.name() && error.backend() == backend,
        "an error names its operation and backend: {error}"
    );
    Ok(())
}

pub(super) async fn a_lost_reply_is_an_unknown_effect(case: &Case) -> Checked {
    let leader = case.player().await?;
    let number = leader.number;
    let claim = leader.claim(leader.observe().await?.version);
    case.lock
        .lose_next_reply(number, Operation::Acquire)
        .await?;
    let error = failed(leader.lock.acquire(&claim).await, "a claim without answer")?;
    is_unknown(&leader, &error, Operation::Acquire)?;
    let seen = leader.observe().await?;
    let hold = settled(case, &leader, &seen, Some(claim.nonce), None).await?;

    let renewal = leader.renewal(hold);
    case.lock.lose_next_reply(number, Operation::Renew).await?;
    let error = failed(
        leader.lock.renew(&renewal).await,
        "a renewal without answer",
    )?;
    is_unknown(&leader, &error, Operation::Renew)?;
    let leased = case.kind() == LockKind::Leased;
    let seen = leader.observe().await?;
    let hold = settled(case, &leader, &seen, leased.then_some(renewal.nonce), None).await?;

    let release = leader.releasing(hold);
    case.lock
        .lose_next_reply(number, Operation::Release)
        .await?;
    let error = failed(
        leader.lock.release(&release).await,
        "a release without answer",
    )?;
    is_unknown(&leader, &error, Operation::Release)?;
    let seen = leader.observe().await?;
    ensure!(seen.holder().is_none(), "the release has arrived: {seen:?}");
    Ok(())
}

pub(super) async fn a_lost_request_is_not_sent_again(case: &Case) -> Checked {
    let leader = case.player().await?;
    let number = leader.number;
    let claim = leader.claim(leader.observe().await?.version);
    case.lock
        .lose_next_request(number, Operation::Acquire)
        .await?;
    failed(leader.lock.acquire(&claim).await, "a lost claim")?;
    case.settle().await;
    let seen = leader.observe().await?;
    ensure!(seen.holder().is_none(), "a lost claim arrived: {seen:?}");

    let hold = leader.leads().await?.hold;
    let before = leader.observe().await?.lock;
    case.lock
        .lose_next_request(number, Operation::Renew)
        .await?;
    failed(
        leader.lock.renew(&leader.renewal(hold)).await,
        "a lost renewal",
    )?;
    case.lock
        .lose_next_request(number, Operation::Release)
        .await?;
    failed(
        leader.lock.release(&leader.releasing(hold)).await,
        "a lost release",
    )?;
    case.settle().await;
    let after = leader.observe().await?.lock;
    ensure!(
        before == after,
        "lost requests made {after:?} of {before:?}"
    );
    leader.renews(hold).await.map(drop)
}

pub(super) async fn a_dropped_claim_is_granted_at_most_once(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let claim = first.claim(first.observe().await?.version);
    drop_after_first_poll(first.lock.acquire(&claim)).await;
    case.settle().await;
    let seen = second.observe().await?;
    if seen.holder().is_some() {
        settled(case, &first, &seen, Some(claim.nonce), None).await?;
    }
    let hold = case.leads_eventually(&first).await?.hold;
    ensure!(
        seen.token.is_none_or(|dropped| hold.token >= dropped),
        "{hold:?} follows {seen:?}"
    );
    case.settle().await;
    let seen = second.observe().await?;
    ensure!(
        settled(case, &first, &seen, None, Some(hold)).await?.token == hold.token,
        "{hold:?} was granted since the dropped claim: {seen:?}"
    );
    Ok(())
}

pub(super) async fn a_dropped_claim_blocks_nobody_who_is_left(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let claim = first.claim(first.observe().await?.version);
    drop_after_first_poll(first.lock.acquire(&claim)).await;
    first.lock.withdraw(&first.candidate).await?;
    case.leads_eventually(&second).await.map(drop)
}

pub(super) async fn a_dropped_renewal_leaves_the_holder(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let hold = first.leads().await?.hold;
    let renewal = first.renewal(hold);
    drop_after_first_poll(first.lock.renew(&renewal)).await;
    case.settle().await;
    let seen = first.observe().await?;
    let hold = settled(case, &first, &seen, None, Some(hold)).await?;
    let hold = first.renews(hold).await?;
    if case.kind() == LockKind::Session {
        return Ok(());
    }
    let renewal = first.renewal(hold);
    drop_after_first_poll(first.lock.renew(&renewal)).await;
    let grant = case.leads_eventually(&second).await?;
    // Whatever the first one's handle still has to do, it has the occasion now.
    first.observe().await?;
    case.settle().await;
    let seen = first.observe().await?;
    settled(case, &second, &seen, None, Some(grant.hold)).await?;
    second.renews(grant.hold).await.map(drop)
}

pub(super) async fn a_dropped_release_is_done_or_not(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let hold = first.leads().await?.hold;
    let release = first.releasing(hold);
    drop_after_first_poll(first.lock.release(&release)).await;
    case.settle().await;
    let seen = second.observe().await?;
    match &seen.lock {
        LockState::Vacant { mark, .. } => ensure!(
            mark.is_none_or(|mark| mark.by == first.candidate.incarnation),
            "{release:?} left {seen:?}"
        ),
        _ => {
            let hold = settled(case, &first, &seen, None, Some(hold)).await?;
            first.releases(hold).await?;
        }
    }
    let grant = second.leads().await?;
    // A release that was dropped must not take from the next one.
    first.observe().await?;
    case.settle().await;
    second.renews(grant.hold).await.map(drop)
}
