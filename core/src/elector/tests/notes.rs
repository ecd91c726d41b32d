//! Notes that the work writes.

use std::future::pending;

use super::stage::*;
use crate::backend::Note;
use crate::elector::NoteError;
use crate::memory::{Fault, Operation, PlannedFault};
use crate::testing::poll_once;

fn note(text: &str) -> Note {
    Note::new(text.as_bytes()).unwrap()
}

#[test]
fn a_note_is_in_the_store_when_writing_it_has_returned() {
    let stage = Stage::new();
    let store = stage.session.clone();
    let (_, mut first) = run(stage.election(1), move |leadership| {
        let store = store.clone();
        async move {
            assert_eq!(leadership.note(), None);
            for text in ["a", "b", "b"] {
                leadership.write_note(note(text)).await.unwrap();
                assert_eq!(store.observation().note, Some(note(text)));
                assert_eq!(leadership.note(), Some(note(text)));
            }
        }
    });
    stage.end(&mut first).unwrap();
    let (_, mut second) = run(
        stage.election(2),
        |leadership| async move { leadership.note() },
    );
    assert_eq!(stage.end(&mut second), Ok(Some(note("b"))));
}

#[test]
fn a_note_whose_answer_was_lost_is_written_all_the_same() {
    let stage = Stage::new();
    stage
        .session
        .inject(PlannedFault::next(Operation::Renew, Fault::LoseReply).times(2));
    let (_, mut run) = run(stage.election(1), |leadership| async move {
        leadership.write_note(note("a")).await
    });
    assert_eq!(stage.end(&mut run), Ok(Ok(())));
}

#[test]
fn a_note_fails_when_the_leadership_is_over_first() {
    let stage = Stage::new();
    let diary = Diary::default();
    let notes = diary.clone();
    stage
        .session
        .inject(PlannedFault::next(Operation::Renew, Fault::HangBeforeRequest).times(100));
    let (_, mut run) = run(stage.election(1), move |leadership| {
        let diary = notes.clone();
        async move {
            assert_eq!(leadership.write_note(note("a")).await, Err(NoteError::Over));
            assert_eq!(leadership.write_note(note("b")).await, Err(NoteError::Over));
            diary.write("over");
            pending::<()>().await;
        }
    });
    stage.until(&mut run, || diary.has("over"));
}

#[test]
fn too_many_notes_that_wait_are_refused_and_dropped_waits_are_written() {
    let stage = Stage::new();
    let store = stage.session.clone();
    let (_, mut run) = run(stage.election(1), move |leadership| {
        let store = store.clone();
        async move {
            for index in 0..16 {
                let mut wait = Box::pin(leadership.write_note(note(&index.to_string())));
                assert!(poll_once(wait.as_mut()).is_pending());
            }
            let full = leadership.write_note(note("x")).await;
            assert_eq!(full, Err(NoteError::TooMany));
            while store.observation().note != Some(note("15")) {
                crate::testing::yield_now().await;
            }
        }
    });
    stage.end(&mut run).unwrap();
}
