//! Wakers are somebody else's code: whatever they do when they are cloned, woken or dropped, nothing deadlocks.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use super::stage::*;
use crate::backend::Note;
use crate::elector::{Control, Validity};
use crate::machine::{Eligibility, State};

/// Calls everything there is to call, when it is woken and when it is dropped.
struct Meddler {
    control: Control,
    validity: Arc<Validity>,
}

impl Meddler {
    fn meddle(&self) {
        drop(self.control.events());
        self.control.view();
        self.control.set_eligibility(Eligibility::Eligible);
        self.control.resign();
        self.validity.fire();
        self.validity.deadline();
        self.validity.is_over();
        let _ = self.validity.ask_for_note(Note::new(b"x").unwrap());
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle();
    }
}

/// Polls with a waker of its own, twice, and drops both wakers.
fn meddle_with<F: Future>(future: F, control: &Control, validity: &Arc<Validity>) {
    let mut future = pin!(future);
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(Meddler {
            control: control.clone(),
            validity: Arc::clone(validity),
        }));
        let _ = future.as_mut().poll(&mut Context::from_waker(&waker));
    }
}

#[test]
fn wakers_that_meddle_with_everything_block_nothing() {
    let stage = Stage::new();
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let (control, mut run) = run(stage.election(1), move |leadership| {
        keep.lock()
            .unwrap()
            .get_or_insert_with(|| Arc::clone(leadership.validity()));
        async move {
            let _kept = leadership;
            pending::<()>().await;
        }
    });
    stage.until(&mut run, || control.view().state == State::Leading);
    let validity = kept.lock().unwrap().clone().unwrap();
    let mut reader = control.events();
    meddle_with(reader.next(), &control, &validity);
    meddle_with(validity.stop(), &control, &validity);
    meddle_with(validity.over(), &control, &validity);
    let number = validity.ask_for_note(Note::new(b"y").unwrap()).unwrap_or(0);
    meddle_with(validity.noted(number), &control, &validity);
    meddle_with(run.as_mut(), &control, &validity);
    stage.pass(&mut run, Duration::from_secs(20));
    drop(reader);
    drop(run);
    assert_eq!(control.view().state, State::Ended);
}
