//! The work and its leadership.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stage::*;
use crate::RunError;
use crate::backend::LockState;
use crate::event::StopReason;
use crate::machine::{Eligibility, State};
use crate::memory::{Fault, PlannedFault};

#[test]
fn run_returns_the_works_value_and_has_released_before() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |leadership| async move {
        assert!(leadership.is_valid());
        leadership.token().value()
    });
    let token = stage.end(&mut run).unwrap();
    assert!(token > 0);
    assert!(matches!(
        stage.session.observation().lock,
        LockState::Vacant { mark: Some(_), .. }
    ));
    let view = control.view();
    assert_eq!(
        (view.state, view.token, view.leader),
        (State::Ended, None, None)
    );
}

#[test]
fn work_whose_leadership_was_lost_is_started_again_with_a_larger_token() {
    let stage = Stage::new();
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&tokens);
    let election = stage
        .builder(Arc::new(stage.leased.handle()), 1)
        .build()
        .unwrap();
    let (_, mut run) = run(election, move |leadership| {
        known.lock().unwrap().push(leadership.token());
        let first = known.lock().unwrap().len() == 1;
        async move {
            if first {
                leadership.lost().await;
                pending::<()>().await;
            }
        }
    });
    stage.until(&mut run, || !tokens.lock().unwrap().is_empty());
    stage.leased.delete();
    stage.end(&mut run).unwrap();
    let tokens = tokens.lock().unwrap().clone();
    assert_eq!(tokens.len(), 2);
    assert!(tokens[0] < tokens[1]);
}

#[test]
fn a_planned_stop_is_told_and_leaves_the_leadership_valid() {
    let stage = Stage::new();
    let diary = Diary::default();
    let notes = diary.clone();
    let (control, mut run) = run(stage.election(1), move |leadership| {
        let diary = notes.clone();
        async move {
            assert_eq!(leadership.stop_requested(), None);
            diary.write("leads");
            let reason = leadership.cancelled().await;
            assert!(leadership.is_valid_for(Duration::from_secs(5)));
            assert_eq!(leadership.stop_requested(), Some(reason.clone()));
            diary.write(format!("{reason:?}"));
            leadership.lost().await;
            diary.write("lost");
            pending::<()>().await;
        }
    });
    stage.until(&mut run, || diary.has("leads"));
    control.shut_down();
    stage.until(&mut run, || diary.has("ShutDown"));
    assert_eq!(control.view().state, State::Draining);
    stage.pass(&mut run, Duration::from_secs(29));
    assert!(!diary.has("lost"), "renewals go on");
    assert_eq!(stage.end(&mut run), Err(RunError::ShutDown));
}

#[test]
fn a_loss_is_told_to_who_waits_for_either() {
    let stage = Stage::new();
    let diary = Diary::default();
    let notes = diary.clone();
    let (_, mut run) = run(stage.election(1), move |leadership| {
        let diary = notes.clone();
        async move {
            diary.write("leads");
            let reason = leadership.cancelled().await;
            assert_eq!(reason, leadership.lost().await);
            assert!(!leadership.is_valid());
            assert_eq!(leadership.remaining(), Duration::ZERO);
            diary.write(format!("{reason:?}"));
            pending::<()>().await;
        }
    });
    stage.until(&mut run, || diary.has("leads"));
    stage
        .session
        .inject(PlannedFault::always(Fault::HangBeforeRequest));
    stage.until(&mut run, || diary.has("DeadlinePassed"));
}

#[test]
fn a_leadership_answers_by_the_clock_when_nobody_runs_the_elector() {
    let stage = Stage::new();
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let (_, mut run) = run(stage.election(1), move |leadership| {
        *keep.lock().unwrap() = Some(Arc::clone(leadership.validity()));
        async move {
            let _kept = leadership;
            pending::<()>().await;
        }
    });
    stage.until(&mut run, || kept.lock().unwrap().is_some());
    let validity = kept.lock().unwrap().clone().unwrap();
    let now = || crate::Clock::now(&stage.clock);
    assert!(validity.remaining(now()) > crate::Nanos::ZERO);
    stage.clock.advance(Duration::from_secs(13));
    assert_eq!(validity.remaining(now()), crate::Nanos::ZERO);
    assert!(
        !validity.is_over(),
        "nobody has ended it, and still it is not valid"
    );
}

#[test]
fn who_resigns_lets_another_lead() {
    let stage = Stage::new();
    let (first, mut one) = run(stage.election(1), |leadership| async move {
        leadership.cancelled().await;
    });
    stage.until(&mut one, || first.view().state == State::Leading);
    let (second, mut two) = run(stage.election(2), |_leadership| pending::<()>());
    stage.until(&mut two, || second.view().leader.is_some());
    first.resign();
    for _ in 0..100 {
        stage.pass(&mut one, Duration::from_millis(10));
        stage.pass(&mut two, Duration::from_millis(10));
    }
    assert_eq!(second.view().state, State::Leading);
    assert_eq!(first.view().state, State::Following);
    assert!(second.view().token > first.view().token);
}

#[test]
fn who_may_not_lead_stops_and_starts_again_when_it_may() {
    let stage = Stage::new();
    let diary = Diary::default();
    let notes = diary.clone();
    let (control, mut run) = run(stage.election(1), move |leadership| {
        let diary = notes.clone();
        async move {
            diary.write("leads");
            diary.write(format!("{:?}", leadership.cancelled().await));
        }
    });
    control.set_eligibility(Eligibility::Ineligible);
    stage.pass(&mut run, Duration::from_secs(20));
    assert!(diary.lines().is_empty());
    control.set_eligibility(Eligibility::Eligible);
    stage.until(&mut run, || diary.has("leads"));
    control.set_eligibility(Eligibility::Ineligible);
    stage.until(&mut run, || {
        diary.has(&format!("{:?}", StopReason::Ineligible))
    });
    stage.pass(&mut run, Duration::from_secs(20));
    assert_eq!(control.view().state, State::Following);
}

#[test]
fn the_last_word_of_work_that_shuts_down_is_returned() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |leadership| async move {
        leadership.cancelled().await;
        "finished properly"
    });
    stage.until(&mut run, || control.view().state == State::Leading);
    control.shut_down();
    assert_eq!(stage.end(&mut run), Ok("finished properly"));
}

#[test]
fn shutting_down_before_it_leads_is_no_success_of_the_work() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |_leadership| async {});
    control.shut_down();
    assert_eq!(stage.end(&mut run), Err(RunError::ShutDown));
}

#[test]
fn the_view_shows_what_the_candidate_does() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |leadership| async move {
        leadership.cancelled().await;
        pending::<()>().await;
    });
    assert_eq!(control.view().state, State::Following);
    stage.until(&mut run, || control.view().state == State::Leading);
    let view = control.view();
    assert!(view.token.is_some());
    assert!(view.leader.is_some_and(|leader| leader.is(&view.candidate)));
    control.resign();
    stage.until(&mut run, || control.view().state == State::Draining);
    stage
        .session
        .inject(PlannedFault::always(Fault::HangBeforeRequest));
    stage.until(&mut run, || control.view().state == State::Stopping);
    assert!(control.view().token.is_some(), "its work still runs");
    stage.until(&mut run, || control.view().state == State::Releasing);
    assert_eq!(control.view().token, None);
    stage.until(&mut run, || control.view().state == State::Following);
}

#[test]
fn those_who_wait_no_more_are_forgotten() {
    let stage = Stage::new();
    let (_, mut run) = run(stage.election(1), |leadership| async move {
        for _ in 0..100 {
            let mut waits = Box::pin(leadership.cancelled());
            assert!(crate::testing::poll_once(waits.as_mut()).is_pending());
            assert_eq!(leadership.validity().waiting(), 1);
        }
        leadership.validity().waiting()
    });
    assert_eq!(stage.end(&mut run), Ok(0));
}
