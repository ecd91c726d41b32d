use crate::backend::{Hold, LockKind, Note, Renewed};
use crate::testing::conformance::case::{Case, Checked, Player, ensure, note};

async fn has_note(reader: &Player, wanted: &Note) -> Checked {
    let seen = reader.observe().await?.note;
    ensure!(
        seen.as_ref() == Some(wanted),
        "the note should be {wanted:?}, but is {seen:?}"
    );
    Ok(())
}

pub(super) async fn a_note_is_kept_until_the_next_one(case: &Case) -> Checked {
    let (leader, reader) = (case.player().await?, case.player().await?);
    let (first, second) = (note("first")?, note("second")?);
    let hold = leader.leads().await?.hold;
    let hold = leader.writes(hold, &first).await?;
    has_note(&reader, &first).await?;
    let hold = leader.renews(hold).await?;
    has_note(&reader, &first).await?;
    leader.writes(hold, &second).await?;
    has_note(&reader, &second).await
}

pub(super) async fn a_note_may_have_any_1024_bytes(case: &Case) -> Checked {
    let leader = case.player().await?;
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(Note::BYTES_MAX).collect();
    let large = Note::new(&bytes)?;
    let hold = leader.leads().await?.hold;
    leader.writes(hold, &large).await?;
    has_note(&leader, &large).await
}

pub(super) async fn a_note_survives_release(case: &Case) -> Checked {
    let (leader, next) = (case.player().await?, case.player().await?);
    let left = note("left behind")?;
    let hold = leader.leads().await?.hold;
    let hold = leader.writes(hold, &left).await?;
    leader.releases(hold).await?;
    has_note(&next, &left).await?;
    let grant = next.leads().await?;
    ensure!(
        grant.note.as_ref() == Some(&left),
        "the next leader should be given {left:?}, not {:?}",
        grant.note
    );
    has_note(&leader, &left).await
}

pub(super) async fn a_note_survives_a_crash(case: &Case) -> Checked {
    let (leader, next) = (case.player().await?, case.player().await?);
    let left = note("left behind")?;
    let hold = leader.leads().await?.hold;
    leader.writes(hold, &left).await?;
    let grant = case.take_over(&leader, &next).await?;
    ensure!(
        grant.note.as_ref() == Some(&left),
        "the next leader should be given {left:?}, not {:?}",
        grant.note
    );
    has_note(&next, &left).await
}

/// Tries to write under a hold that does not stand.
async fn may_not_write(writer: &Player, hold: Hold) -> Checked {
    let mut renewal = writer.renewal(hold);
    renewal.note = Some(note("forged")?);
    let renewed = writer.lock.renew(&renewal).await;
    ensure!(
        !matches!(renewed, Ok(Renewed::Confirmed(_))),
        "a note was written under {hold:?}, which does not stand"
    );
    Ok(())
}

pub(super) async fn a_note_is_written_only_under_the_hold_that_stands(case: &Case) -> Checked {
    let (leader, other) = (case.player().await?, case.player().await?);
    let mine = note("mine")?;
    let old = leader.leads().await?.hold;
    let hold = leader.writes(old, &mine).await?;
    may_not_write(&other, hold).await?;
    if case.kind() == LockKind::Leased {
        may_not_write(&leader, old).await?;
    }
    has_note(&other, &mine).await?;
    case.take_over(&leader, &other).await?;
    may_not_write(&leader, hold).await?;
    has_note(&other, &mine).await
}
