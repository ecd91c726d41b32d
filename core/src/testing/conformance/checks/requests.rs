use crate::FencingToken;
use crate::backend::{Hold, OperatorRequest, RequestKind, Submitted};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, Player, ensure};

async fn asks(
    player: &Player,
    kind: RequestKind,
    token: FencingToken,
) -> Result<OperatorRequest, Failure> {
    let request = OperatorRequest {
        kind,
        token: Some(token),
    };
    let submitted = player.lock.submit(&request).await?;
    ensure!(
        submitted == Submitted::Accepted,
        "{request:?} names the newest token: {submitted:?}"
    );
    Ok(request)
}

/// What the holder goes on with after a foreign write: the version that an authoritative read shows.
async fn adopts(player: &Player, hold: Hold) -> Result<Hold, Failure> {
    let seen = player.observe().await?;
    ensure!(
        seen.holder().is_some_and(|h| h.is(&player.candidate)) && seen.token == Some(hold.token),
        "a request deposes nobody: {seen:?}"
    );
    Ok(Hold {
        version: seen.version.unwrap_or(hold.version),
        ..hold
    })
}

pub(super) async fn a_request_is_seen_by_the_holder_and_deposes_nobody(case: &Case) -> Checked {
    let (leader, operator) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    let request = asks(&operator, RequestKind::Resign, hold.token).await?;
    for player in [&leader, &operator] {
        let seen = player.observe().await?;
        ensure!(
            seen.request == Some(request),
            "{request:?} was accepted, but the record has {:?}",
            seen.request
        );
    }
    let hold = adopts(&leader, hold).await?;
    leader.renews(hold).await?;
    let seen = operator.observe().await?;
    ensure!(
        seen.request == Some(request),
        "a renewal should leave {request:?}: {:?}",
        seen.request
    );
    Ok(())
}

pub(super) async fn a_request_for_another_token_changes_nothing(case: &Case) -> Checked {
    let (leader, operator) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    for token in [None, hold.token.next()] {
        let request = OperatorRequest {
            kind: RequestKind::Pause,
            token,
        };
        let submitted = operator.lock.submit(&request).await?;
        ensure!(
            matches!(submitted, Submitted::Outdated(_)),
            "{request:?} does not name {:?}: {submitted:?}",
            hold.token
        );
    }
    let seen = operator.observe().await?;
    ensure!(
        seen.request.is_none(),
        "nothing was accepted: {:?}",
        seen.request
    );
    leader.renews(hold).await.map(drop)
}

pub(super) async fn a_resumption_clears_the_request(case: &Case) -> Checked {
    let (leader, operator) = (case.player().await?, case.player().await?);
    let token = leader.leads().await?.hold.token;
    asks(&operator, RequestKind::Pause, token).await?;
    asks(&operator, RequestKind::Resume, token).await?;
    let seen = operator.observe().await?;
    ensure!(
        seen.request.is_none(),
        "it was resumed, but the record has {:?}",
        seen.request
    );
    Ok(())
}

pub(super) async fn a_pause_outlives_the_release_it_asks_for(case: &Case) -> Checked {
    let (leader, operator) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    let request = asks(&operator, RequestKind::Pause, hold.token).await?;
    let hold = adopts(&leader, hold).await?;
    leader.releases(hold).await?;
    let seen = operator.observe().await?;
    ensure!(
        seen.request == Some(request) && seen.token == Some(hold.token),
        "nobody leads until somebody resumes: {seen:?}"
    );
    Ok(())
}
