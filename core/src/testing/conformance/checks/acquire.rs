use crate::backend::{Acquired, LockKind, LockState, Vacancy};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, Player, ensure};
use crate::testing::conformance::wait::join_all;

pub(super) async fn a_free_lock_is_granted_and_names_its_holder(case: &Case) -> Checked {
    let leader = case.player().await?;
    let claim = leader.claim(leader.observe().await?.version);
    let Acquired::Granted(grant) = leader.lock.acquire(&claim).await? else {
        return Err(Failure::new("nobody else wanted it"));
    };
    ensure!(
        grant.note.is_none() && grant.request.is_none(),
        "nobody has written into it: {grant:?}"
    );
    let as_kind = match case.kind() {
        LockKind::Leased => grant.vacancy == Vacancy::AsClaimed,
        LockKind::Session => grant.vacancy == Vacancy::Proven,
    };
    ensure!(
        as_kind,
        "the time before was known to be free: {:?}",
        grant.vacancy
    );
    let seen = leader.observe().await?;
    ensure!(
        matches!(&seen.lock, LockState::Held(held)
            if held.holder.is(&leader.candidate)
                && held.identity == grant.hold.identity
                && held.nonce == claim.nonce),
        "the record should name candidate, object and nonce of {claim:?}: {seen:?}"
    );
    Ok(())
}

/// Both claim from the same basis; at most one may be granted.
async fn only_one_is_granted(first: &Player, second: &Player) -> Checked {
    let version = first.observe().await?.version;
    let (claim, rival) = (first.claim(version), second.claim(version));
    let granted = first.lock.acquire(&claim).await?;
    let refused = second.lock.acquire(&rival).await?;
    ensure!(
        matches!(granted, Acquired::Granted(_)),
        "the first claim from {version:?} should be granted: {granted:?}"
    );
    let Acquired::Busy(seen) = refused else {
        return Err(Failure::new(format!(
            "two claims from {version:?} were granted"
        )));
    };
    ensure!(
        seen.is_none_or(|seen| seen.holder().is_some_and(|h| h.is(&first.candidate))),
        "what a refused claim saw should be the one that was granted"
    );
    let seen = first.observe().await?;
    ensure!(
        seen.holder().is_some_and(|h| h.is(&first.candidate)),
        "a refused claim changes nothing: {seen:?}"
    );
    Ok(())
}

pub(super) async fn of_claims_with_one_basis_at_most_one_is_granted(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    only_one_is_granted(&first, &second).await?;
    // Once more from a record that is held, then from one that was released.
    only_one_is_granted(&second, &first).await?;
    let hold = first.leads().await?.hold;
    first.releases(hold).await?;
    only_one_is_granted(&second, &first).await
}

pub(super) async fn a_lock_is_not_granted_while_another_session_has_it(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let hold = first.leads().await?.hold;
    for _ in 0..3 {
        let refused = second.acquire().await?;
        let Acquired::Busy(seen) = refused else {
            return Err(Failure::new(format!("{refused:?} while {hold:?} stands")));
        };
        ensure!(
            seen.is_none_or(|seen| seen.holder().is_some_and(|h| h.is(&first.candidate))),
            "what a refused claim saw should be the holder"
        );
    }
    first.renews(hold).await.map(drop)
}

pub(super) async fn of_a_hundred_candidates_exactly_one_is_granted(case: &Case) -> Checked {
    let mut players = Vec::new();
    for _ in 0..100 {
        players.push(case.player().await?);
    }
    let version = players[0].observe().await?.version;
    let claims: Vec<_> = players.iter().map(|p| p.claim(version)).collect();
    let all = players.iter().zip(&claims);
    let answers = join_all(all.map(|(p, claim)| p.lock.acquire(claim)).collect()).await;
    let mut granted = Vec::new();
    for (player, answer) in players.iter().zip(answers) {
        if matches!(answer?, Acquired::Granted(_)) {
            granted.push(&player.candidate);
        }
    }
    ensure!(granted.len() == 1, "granted to {granted:?}");
    let seen = players[0].observe().await?;
    ensure!(
        seen.holder().is_some_and(|h| h.is(granted[0])),
        "granted to {granted:?}, but the record says {seen:?}"
    );
    Ok(())
}

pub(super) async fn candidates_of_one_name_are_told_apart(case: &Case) -> Checked {
    let first = case.player_named("pod").await?;
    let second = case.player_named("pod").await?;
    let hold = first.leads().await?.hold;
    let seen = second.observe().await?;
    ensure!(
        seen.holder()
            .is_some_and(|h| h.is(&first.candidate) && !h.is(&second.candidate)),
        "the record should tell candidates of one name apart: {seen:?}"
    );
    ensure!(
        second.renewal_is_refused(hold).await?,
        "a candidate renewed the hold of another with the same name"
    );
    ensure!(
        second.release_is_refused(hold).await?,
        "a candidate released the hold of another with the same name"
    );
    first.renews(hold).await.map(drop)
}

pub(super) async fn a_place_in_the_queue_is_left_by_withdrawing(case: &Case) -> Checked {
    let leader = case.player().await?;
    let (second, third) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    for waiter in [&second, &third] {
        ensure!(
            waiter.try_lead().await?.is_none(),
            "the lock is held: {hold:?}"
        );
    }
    second.lock.withdraw(&second.candidate).await?;
    leader.releases(hold).await?;
    case.leads_eventually(&third).await.map(drop)
}
