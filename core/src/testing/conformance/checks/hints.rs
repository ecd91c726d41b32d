use crate::backend::{Hint, Hold, LockKind};
use crate::testing::conformance::Failure;
use crate::testing::conformance::case::{Case, Checked, Player, ensure};

/// Waits until the backend says that it tells changes from now on.
async fn is_watching(case: &Case, player: &Player) -> Checked {
    for _ in 0..10 {
        match case.soon(player.lock.changed()).await {
            Some(Hint::Watching(true)) => return Ok(()),
            Some(_) => {}
            None => break,
        }
    }
    Err(Failure::new(
        "the backend never said that it watches: list Watch in lacks() if it only polls",
    ))
}

/// Waits until `player` is told that the lock has changed.
async fn is_told(case: &Case, player: &Player) -> Checked {
    for _ in 0..10 {
        match case.soon(player.lock.changed()).await {
            Some(Hint::Changed | Hint::Seen(_)) => return Ok(()),
            Some(_) => {}
            None => break,
        }
    }
    Err(Failure::new(
        "a waiter was not told that the lock was released",
    ))
}

/// Stands in the queue, where there is one.
async fn waits(case: &Case, player: &Player) -> Checked {
    if case.kind() == LockKind::Session {
        let granted = player.try_lead().await?;
        ensure!(granted.is_none(), "the lock is held, but {granted:?}");
    }
    Ok(())
}

pub(super) async fn a_waiter_is_told_of_a_release(case: &Case) -> Checked {
    let (leader, waiter) = (case.player().await?, case.player().await?);
    is_watching(case, &waiter).await?;
    for _ in 0..3 {
        let hold = leader.leads().await?.hold;
        waits(case, &waiter).await?;
        is_told_of_release(case, &leader, hold, &waiter).await?;
        let hold = case.leads_eventually(&waiter).await?.hold;
        waiter.releases(hold).await?;
    }
    Ok(())
}

async fn is_told_of_release(case: &Case, leader: &Player, hold: Hold, waiter: &Player) -> Checked {
    leader.releases(hold).await?;
    is_told(case, waiter).await
}

pub(super) async fn every_waiter_is_told(case: &Case) -> Checked {
    let leader = case.player().await?;
    let mut waiters = Vec::new();
    for _ in 0..3 {
        let waiter = case.player().await?;
        is_watching(case, &waiter).await?;
        waiters.push(waiter);
    }
    let hold = leader.leads().await?.hold;
    for waiter in &waiters {
        waits(case, waiter).await?;
    }
    leader.releases(hold).await?;
    for waiter in &waiters {
        is_told(case, waiter).await?;
        let hold = case.leads_eventually(waiter).await?.hold;
        waiter.releases(hold).await?;
    }
    Ok(())
}
