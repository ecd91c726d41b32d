use std::time::Duration;

use crate::backend::{Hold, LockKind, LockState, Renewed};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, ensure};
use crate::{Identity, Version};

pub(super) async fn a_renewal_is_confirmed_again_and_again(case: &Case) -> Checked {
    let leader = case.player().await?;
    let mut hold = leader.leads().await?.hold;
    for _ in 0..5 {
        let renewal = leader.renewal(hold);
        let Renewed::Confirmed(receipt) = leader.lock.renew(&renewal).await? else {
            return Err(Failure::new(format!("{hold:?} stands")));
        };
        hold.version = receipt.version;
        let seen = leader.observe().await?;
        let is_there = matches!(&seen.lock, LockState::Held(held) if held.nonce == renewal.nonce);
        ensure!(
            case.kind() == LockKind::Session || is_there,
            "a confirmed renewal's nonce should be in the record: {renewal:?}, {seen:?}"
        );
    }
    Ok(())
}

/// Holds that are wrong in one respect each.
pub(super) fn wrong(hold: Hold, kind: LockKind) -> Vec<Hold> {
    let token = hold.token.next().unwrap_or(hold.token);
    let identity = Identity(hold.identity.0.wrapping_add(1));
    let mut wrong = vec![Hold { token, ..hold }, Hold { identity, ..hold }];
    if kind == LockKind::Leased {
        let version = Version(hold.version.0.wrapping_add(1));
        wrong.push(Hold { version, ..hold });
    }
    wrong
}

pub(super) async fn a_renewal_is_confirmed_only_for_the_hold_it_names(case: &Case) -> Checked {
    let (leader, other) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    let before = other.observe().await?.lock;
    for wrong in wrong(hold, case.kind()) {
        ensure!(
            leader.renewal_is_refused(wrong).await?,
            "{hold:?} stands, but {wrong:?} was confirmed"
        );
    }
    ensure!(
        other.renewal_is_refused(hold).await?,
        "another candidate renewed {hold:?}"
    );
    let after = other.observe().await?.lock;
    ensure!(
        before == after,
        "a refused renewal made {after:?} of {before:?}"
    );
    let next = leader.renews(hold).await?;
    if case.kind() == LockKind::Leased {
        ensure!(
            leader.renewal_is_refused(hold).await?,
            "{hold:?} was renewed once more after {next:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_renewal_after_anothers_takeover_is_refused(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let lost = first.leads().await?.hold;
    let grant = case.take_over(&first, &second).await?;
    let stolen = Hold {
        version: grant.hold.version,
        ..lost
    };
    for hold in [lost, stolen] {
        ensure!(
            first.renewal_is_refused(hold).await?,
            "{hold:?} was renewed while {:?} stands",
            grant.hold
        );
    }
    second.renews(grant.hold).await.map(drop)
}

pub(super) async fn a_renewal_changes_the_duration(case: &Case) -> Checked {
    let leader = case.player().await?;
    let hold = leader.leads().await?.hold;
    let mut renewal = leader.renewal(hold);
    renewal.lease_duration = Duration::from_secs(61);
    let renewed = leader.lock.renew(&renewal).await?;
    ensure!(
        matches!(renewed, Renewed::Confirmed(_)),
        "{hold:?} stands: {renewed:?}"
    );
    let seen = leader.observe().await?;
    let LockState::Held(held) = &seen.lock else {
        return Err(Failure::new(format!("it is held: {seen:?}")));
    };
    ensure!(
        held.duration >= Some(renewal.lease_duration),
        "others count by what the record says: {held:?}"
    );
    Ok(())
}
