//! Panics, and runs that are dropped.

use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::stage::*;
use crate::RunError;
use crate::backend::LockState;
use crate::event::{Event, StopReason};
use crate::machine::State;
use crate::memory::{Fault, Operation, PlannedFault};

fn is_free(stage: &Stage) -> bool {
    matches!(
        stage.session.observation().lock,
        LockState::Vacant { mark: Some(_), .. }
    )
}

#[test]
fn work_that_panics_ends_its_leadership_in_the_proper_order() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |_leadership| async {
        assert!(control_flow(), "boom");
    });
    let reader = control.events();
    assert_eq!(
        stage.end(&mut run),
        Err(RunError::WorkPanicked("boom".to_owned()))
    );
    assert!(is_free(&stage));
    let told = events(reader);
    assert!(told.iter().any(|event| matches!(
        event,
        Event::Stopped {
            reason: StopReason::WorkPanicked,
            ..
        }
    )));
}

/// Hides from the compiler that it is always false.
fn control_flow() -> bool {
    std::hint::black_box(false)
}

#[test]
fn a_panic_before_the_work_has_begun_is_one_of_the_work() {
    let stage = Stage::new();
    let (_, mut run) = run(stage.election(1), |_leadership| {
        assert!(control_flow(), "no work");
        pending::<()>()
    });
    assert_eq!(
        stage.end(&mut run),
        Err(RunError::WorkPanicked("no work".to_owned()))
    );
    assert!(is_free(&stage));
}

/// Work that never ends by itself, or at once, and panics when it is dropped.
struct PanicsInDrop(bool);

impl Future for PanicsInDrop {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        assert!(control_flow(), "in drop");
    }
}

#[test]
fn work_that_panics_while_it_is_dropped_holds_nothing_up() {
    let stage = Stage::new();
    let (_, mut ends) = run(stage.election(1), |_leadership| PanicsInDrop(true));
    assert_eq!(stage.end(&mut ends), Ok(()));
    assert!(is_free(&stage));
    let (control, mut aborted) = run(stage.election(2), |_leadership| PanicsInDrop(false));
    stage.until(&mut aborted, || control.view().state == State::Leading);
    control.shut_down();
    assert_eq!(stage.end(&mut aborted), Err(RunError::ShutDown));
    assert!(is_free(&stage));
}

#[test]
fn a_backend_that_panics_is_a_failed_call_and_is_called_again() {
    let stage = Stage::new();
    for operation in [
        Operation::Enlist,
        Operation::Observe,
        Operation::Acquire,
        Operation::Renew,
        Operation::Release,
        Operation::Withdraw,
    ] {
        let panic = Fault::Panic(format!("in {}", operation.name()));
        stage.session.inject(PlannedFault::next(operation, panic));
    }
    let (control, mut run) = run(stage.election(1), |leadership| async move {
        let note = crate::backend::Note::new(b"a").unwrap();
        leadership.write_note(note).await.unwrap();
    });
    let reader = control.events();
    assert_eq!(stage.end(&mut run), Ok(()));
    let failed = |event: &&Event| {
        matches!(
            event,
            Event::BackendFailed {
                kind: crate::ErrorKind::Panicked,
                ..
            }
        )
    };
    assert!(events(reader).iter().filter(failed).count() >= 4);
}

#[test]
fn a_run_that_is_dropped_drops_its_work_first_and_then_lets_go() {
    let stage = Stage::new();
    let diary = Diary::default();
    let (notes, store) = (diary.clone(), stage.session.clone());
    let (control, mut run) = run(stage.election(1), move |leadership| {
        let remains = Remains(notes.clone(), "work dropped");
        let store = store.clone();
        async move {
            let held = scopeguard(move || {
                assert!(
                    store.holding_session().is_some(),
                    "the lock was let go first"
                );
            });
            leadership.cancelled().await;
            drop((remains, held));
        }
    });
    stage.until(&mut run, || control.view().state == State::Leading);
    let reader = control.events();
    drop(run);
    assert!(diary.has("work dropped"));
    assert_eq!(stage.session.holding_session(), None, "abandoned");
    let view = control.view();
    assert_eq!(
        (view.state, view.token, view.leader),
        (State::Ended, None, None)
    );
    assert!(matches!(
        events(reader).as_slice(),
        [Event::Stopped {
            reason: StopReason::Dropped,
            ..
        }]
    ));
}

struct Guard<F: FnMut()>(F);

impl<F: FnMut()> Drop for Guard<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn scopeguard<F: FnMut()>(action: F) -> Guard<F> {
    Guard(action)
}

#[test]
fn a_run_that_is_dropped_before_it_led_tells_of_no_leadership() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |_leadership| pending::<()>());
    stage
        .session
        .inject(PlannedFault::always(Fault::HangBeforeRequest));
    let reader = control.events();
    stage.pass(&mut run, std::time::Duration::from_secs(1));
    drop(run);
    assert!(events(reader).is_empty());
    assert_eq!(control.view().state, State::Ended);
}
