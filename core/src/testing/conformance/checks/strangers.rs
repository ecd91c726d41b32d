use crate::backend::{Hold, LockKind, LockState, Vacancy};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, Player, ensure};

/// Neither renewal nor release may go through with this hold, also not with the version that the record has now.
async fn is_refused(player: &Player, hold: Hold) -> Checked {
    let version = player.observe().await?.version.unwrap_or(hold.version);
    for hold in [hold, Hold { version, ..hold }] {
        ensure!(
            player.renewal_is_refused(hold).await?,
            "{hold:?} does not stand, but was renewed"
        );
        ensure!(
            player.release_is_refused(hold).await?,
            "{hold:?} does not stand, but was released"
        );
    }
    Ok(())
}

pub(super) async fn a_deleted_lock_is_missing_and_not_written_again(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    case.lock.delete_lock().await?;
    for _ in 0..2 {
        let seen = reader.observe().await?;
        ensure!(
            seen.lock == LockState::Missing,
            "a deleted lock is missing, not {seen:?}"
        );
        is_refused(&leader, hold).await?;
    }
    Ok(())
}

pub(super) async fn a_lock_made_anew_has_another_identity(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let lost = first.leads().await?.hold;
    case.lock.delete_lock().await?;
    let hold = case.leads_eventually(&second).await?.hold;
    ensure!(
        hold.identity != lost.identity,
        "{hold:?} is another object than {lost:?}"
    );
    is_refused(&first, lost).await?;
    second.renews(hold).await.map(drop)
}

fn is_unexplained(vacancy: Vacancy) -> bool {
    matches!(vacancy, Vacancy::Unexplained { .. })
}

pub(super) async fn a_vanished_session_lock_is_granted_as_unexplained(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let lost = first.leads().await?.hold;
    case.lock.delete_lock().await?;
    let grant = case.leads_eventually(&second).await?;
    ensure!(
        is_unexplained(grant.vacancy),
        "the holder of {lost:?} may still believe: {:?}",
        grant.vacancy
    );
    Ok(())
}

pub(super) async fn what_is_unexplained_stays_so_over_a_crash(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let third = case.player().await?;
    let lost = first.leads().await?.hold;
    case.lock.delete_lock().await?;
    case.leads_eventually(&second).await?;
    let grant = case.take_over(&second, &third).await?;
    ensure!(
        is_unexplained(grant.vacancy),
        "the holder of {lost:?} may still believe, whoever led for a moment since: {:?}",
        grant.vacancy
    );
    Ok(())
}

pub(super) async fn what_is_unexplained_stays_so_over_a_release(case: &Case) -> Checked {
    let (first, second) = (case.player().await?, case.player().await?);
    let third = case.player().await?;
    let lost = first.leads().await?.hold;
    case.lock.delete_lock().await?;
    let grant = case.leads_eventually(&second).await?;
    // It may give the lock back before it has ever led.
    second.releases(grant.hold).await?;
    let grant = case.leads_eventually(&third).await?;
    ensure!(
        is_unexplained(grant.vacancy),
        "the holder of {lost:?} may still believe, whoever had the lock for a moment since: {:?}",
        grant.vacancy
    );
    Ok(())
}

pub(super) async fn an_emptied_record_has_no_mark_that_vouches(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let first = leader.leads().await?.hold;
    // A mark of an earlier release must not come back either.
    leader.releases(first).await?;
    let hold = leader.leads().await?.hold;
    case.lock.empty_record().await?;
    let seen = reader.observe().await?;
    let LockState::Vacant { identity, mark } = seen.lock else {
        return Err(Failure::new(format!("the holder was taken out: {seen:?}")));
    };
    ensure!(
        mark.is_none_or(|mark| mark.identity != identity),
        "nobody has released {hold:?}, but there is {mark:?}"
    );
    is_refused(&leader, hold).await
}

pub(super) async fn a_copied_record_is_another_object(case: &Case) -> Checked {
    let leader = case.player().await?;
    let hold = leader.leads().await?.hold;
    case.lock.copy_record().await?;
    is_refused(&leader, hold).await?;
    let hold = leader.leads().await?.hold;
    leader.releases(hold).await?;
    case.lock.copy_record().await?;
    let seen = leader.observe().await?;
    let LockState::Vacant { identity, mark } = seen.lock else {
        return Err(Failure::new(format!("the copy has no holder: {seen:?}")));
    };
    ensure!(
        identity != hold.identity && mark.is_none_or(|mark| mark.identity != identity),
        "{mark:?} vouches for {:?}, and the copy is {identity:?}",
        hold.identity
    );
    Ok(())
}

pub(super) async fn a_label_leaves_a_hold_to_be_adopted(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    let before = reader.observe().await?;
    case.lock.edit_label().await?;
    let after = reader.observe().await?;
    ensure!(
        after.lock == before.lock && after.token == before.token,
        "a label changes neither holder nor age: {before:?}, {after:?}"
    );
    ensure!(
        after.version > before.version,
        "a label is a write: {before:?}, {after:?}"
    );
    ensure!(
        leader.renewal_is_refused(hold).await?,
        "{hold:?} is not the version that stands"
    );
    let version = after.version.unwrap_or(hold.version);
    leader.renews(Hold { version, ..hold }).await.map(drop)
}

pub(super) async fn a_foreign_holder_is_shown_and_left_alone(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let stranger = "somebody-else";
    let hold = leader.leads().await?.hold;
    case.lock.overwrite_holder(stranger).await?;
    for _ in 0..2 {
        let seen = reader.observe().await?;
        ensure!(
            seen.holder()
                .is_some_and(|h| h.as_str() == stranger && h.incarnation().is_none()),
            "{stranger} was written over the holder: {seen:?}"
        );
        is_refused(&leader, hold).await?;
    }
    Ok(())
}

pub(super) async fn an_unreadable_record_is_held_by_somebody(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let hold = leader.leads().await?.hold;
    case.lock.corrupt_record().await?;
    let seen = reader.observe().await?;
    let LockState::Held(held) = &seen.lock else {
        return Err(Failure::new(format!(
            "what cannot be understood is never free: {seen:?}"
        )));
    };
    ensure!(
        held.duration.is_none() && held.holder.incarnation().is_none(),
        "nothing is known about who holds and how long: {held:?}"
    );
    if case.kind() == LockKind::Leased {
        return is_refused(&leader, hold).await;
    }
    ensure!(
        reader.try_lead().await?.is_none(),
        "the session of {hold:?} goes on"
    );
    reader.lock.withdraw(&reader.candidate).await?;
    Ok(())
}

pub(super) async fn an_unreadable_record_is_as_young_as_its_last_write(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let mut nonces = Vec::new();
    for _ in 0..2 {
        leader.leads().await?;
        case.lock.corrupt_record().await?;
        let seen = reader.observe().await?;
        if let LockState::Held(held) = &seen.lock {
            nonces.push(held.nonce);
        }
    }
    ensure!(
        nonces.len() == 2 && nonces[0] != nonces[1],
        "somebody led between two unreadable records, so the second is not as old as the first: {nonces:?}"
    );
    Ok(())
}
