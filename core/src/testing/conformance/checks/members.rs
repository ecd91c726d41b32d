use crate::testing::conformance::case::{Case, Checked, ensure};

pub(super) async fn members_are_those_enlisted_and_not_withdrawn(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let third = case.player().await?;
    ensure!(
        first.lock.description().tells_members,
        "the description should say that members are told"
    );
    let all = [&first, &second, &third];
    for player in all {
        case.members_eventually(player, &all).await?;
    }
    second.lock.withdraw(&second.candidate).await?;
    case.members_eventually(&third, &[&first, &third]).await
}

pub(super) async fn a_crashed_candidate_is_no_member(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    case.members_eventually(&second, &[&first, &second]).await?;
    case.lock.crash(first.number).await?;
    case.members_eventually(&second, &[&second]).await
}
