use super::renew::wrong;
use crate::backend::{LockKind, LockState, ReleaseMark};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, ensure};

pub(super) async fn a_release_leaves_no_holder_and_a_mark_that_names_the_object(
    case: &Case,
) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    let hold = leader.renews(hold).await?;
    leader.releases(hold).await?;
    let seen = reader.observe().await?;
    let LockState::Vacant { identity, mark } = seen.lock else {
        return Err(Failure::new(format!(
            "a released lock is there and has no holder: {seen:?}"
        )));
    };
    ensure!(
        identity == hold.identity,
        "{identity:?} is not what was released: {hold:?}"
    );
    ensure!(
        mark.is_some() || case.kind() == LockKind::Session,
        "without a mark a record without holder is not free"
    );
    let named = |mark: &ReleaseMark| {
        mark.by == leader.candidate.incarnation && mark.identity == hold.identity
    };
    ensure!(
        mark.as_ref().is_none_or(named),
        "{mark:?} should name {:?} and {:?}",
        leader.candidate,
        hold.identity
    );
    Ok(())
}

pub(super) async fn a_released_lock_is_granted_to_the_next(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let hold = first.leads().await?.hold;
    first.releases(hold).await?;
    let next = second.leads().await?.hold;
    second.renews(next).await.map(drop)
}

pub(super) async fn a_released_hold_is_over(case: &Case) -> Checked {
    let leader = case.player().await?;
    let hold = leader.leads().await?.hold;
    leader.releases(hold).await?;
    let mut again = hold;
    again.version = leader.observe().await?.version.unwrap_or(hold.version);
    for hold in [hold, again] {
        ensure!(
            leader.renewal_is_refused(hold).await?,
            "{hold:?} was renewed after its release"
        );
        ensure!(
            leader.release_is_refused(hold).await?,
            "{hold:?} was released twice"
        );
    }
    let seen = leader.observe().await?;
    ensure!(seen.holder().is_none(), "it was released: {seen:?}");
    Ok(())
}

pub(super) async fn a_release_is_done_only_for_the_hold_it_names(case: &Case) -> Checked {
    let (leader, other) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    for wrong in wrong(hold, case.kind()) {
        ensure!(
            leader.release_is_refused(wrong).await?,
            "{hold:?} stands, but {wrong:?} was released"
        );
    }
    ensure!(
        other.release_is_refused(hold).await?,
        "another candidate released {hold:?}"
    );
    leader.renews(hold).await.map(drop)
}

pub(super) async fn a_release_never_touches_anothers_hold(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let lost = first.leads().await?.hold;
    let grant = case.take_over(&first, &second).await?;
    ensure!(
        first.release_is_refused(lost).await?,
        "{lost:?} was released while {:?} stands",
        grant.hold
    );
    let seen = second.observe().await?;
    ensure!(
        seen.holder().is_some_and(|h| h.is(&second.candidate)),
        "{:?} stands, but a release left {seen:?}",
        grant.hold
    );
    second.renews(grant.hold).await.map(drop)
}

pub(super) async fn an_abandoned_session_frees_its_lock(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let hold = first.leads().await?.hold;
    first.lock.abandon();
    let grant = case.leads_eventually(&second).await?;
    ensure!(grant.hold.token > hold.token, "{grant:?} follows {hold:?}");
    Ok(())
}
