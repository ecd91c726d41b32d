use crate::backend::Acquired;
use crate::testing::conformance::case::{Case, Checked, ensure};

pub(super) async fn a_token_stays_the_same_for_a_whole_leadership(case: &Case) -> Checked {
    let leader = case.player().await?;
    let mut hold = leader.leads().await?.hold;
    let token = hold.token;
    for _ in 0..3 {
        hold = leader.renews(hold).await?;
        let seen = leader.observe().await?;
        ensure!(
            seen.token == Some(token),
            "{token:?} was granted, but the record says {:?}",
            seen.token
        );
    }
    leader.releases(hold).await?;
    let seen = leader.observe().await?;
    ensure!(
        seen.token == Some(token),
        "a release leaves the newest token, {token:?}, not {:?}",
        seen.token
    );
    Ok(())
}

pub(super) async fn tokens_grow_over_release(case: &Case) -> Checked {
    let players = [case.player().await?, case.player().await?];
    let mut last = None;
    for player in players.iter().cycle().take(6) {
        let hold = player.leads().await?.hold;
        ensure!(Some(hold.token) > last, "{:?} follows {last:?}", hold.token);
        last = Some(hold.token);
        player.releases(hold).await?;
    }
    Ok(())
}

pub(super) async fn tokens_grow_over_a_crash(case: &Case) -> Checked {
    let mut leader = case.player().await?;
    let mut last = leader.leads().await?.hold.token;
    for _ in 0..3 {
        let next = case.player().await?;
        let token = case.take_over(&leader, &next).await?.hold.token;
        ensure!(token > last, "{token:?} follows {last:?}");
        (leader, last) = (next, token);
    }
    Ok(())
}

pub(super) async fn tokens_grow_over_deletion(case: &Case) -> Checked {
    let players = [case.player().await?, case.player().await?];
    let first = players[0].leads().await?.hold;
    players[0].releases(first).await?;
    let mut last = players[1].leads().await?.hold.token;
    ensure!(last > first.token, "{last:?} follows {:?}", first.token);
    for player in &players {
        case.lock.delete_lock().await?;
        let token = case.leads_eventually(player).await?.hold.token;
        ensure!(token > last, "{token:?} follows {last:?} after a deletion");
        last = token;
    }
    Ok(())
}

pub(super) async fn tokens_grow_over_an_unreadable_record(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let hold = first.leads().await?.hold;
    case.lock.corrupt_record().await?;
    let token = case.take_over(&first, &second).await?.hold.token;
    ensure!(token > hold.token, "{token:?} follows {:?}", hold.token);
    Ok(())
}

pub(super) async fn a_candidate_that_leads_again_gets_a_larger_token(case: &Case) -> Checked {
    let leader = case.player().await?;
    let first = leader.leads().await?.hold;
    // It may have stopped leading without a release; the same token would fence nothing.
    if let Acquired::Granted(again) = leader.acquire().await? {
        ensure!(
            again.hold.token > first.token,
            "{:?} follows {:?}",
            again.hold.token,
            first.token
        );
    }
    Ok(())
}
