//! What readers of events are told, and the watchdog.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stage::*;
use crate::Watchdog;
use crate::elector::{Told, Validity};
use crate::event::{Event, StopReason};
use crate::machine::State;
use crate::testing::block_on;

#[test]
fn each_leadership_starts_once_and_stops_once() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |leadership| async move {
        leadership.cancelled().await;
    });
    let reader = control.events();
    for _ in 0..3 {
        stage.until(&mut run, || control.view().state == State::Leading);
        control.resign();
        stage.until(&mut run, || control.view().state == State::Following);
    }
    drop(run);
    let mut current = None;
    let mut led = 0;
    for event in events(reader) {
        match event {
            Event::Started { token } => {
                assert_eq!(current.replace(token), None);
                led += 1;
            }
            Event::Draining { token, .. } | Event::Stopping { token, .. } => {
                assert_eq!(current, Some(token));
            }
            Event::Stopped { token, reason } => {
                assert_eq!(current.take(), Some(token));
                assert_eq!(reason, StopReason::Resigned);
            }
            _ => {}
        }
    }
    assert_eq!((led, current), (3, None));
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed_and_holds_nobody_up() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |leadership| async move {
        leadership.cancelled().await;
    });
    let mut slow = control.events();
    for _ in 0..40 {
        stage.until(&mut run, || control.view().state == State::Leading);
        control.resign();
        stage.until(&mut run, || control.view().state == State::Following);
    }
    drop(run);
    let Some(Told::Missed(missed)) = block_on(slow.next()) else {
        panic!("nothing was missed");
    };
    assert!(missed >= 40 * 3 - 64, "{missed}");
    assert!(events(slow).len() <= 64);
}

#[test]
fn a_reader_waits_for_the_next_event_and_is_told_of_the_end() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |_leadership| async {});
    let mut reader = control.events();
    let waits = Box::pin(async move {
        let mut started = false;
        while let Some(told) = reader.next().await {
            started |= matches!(told, Told::Event(Event::Started { .. }));
        }
        started
    });
    let mut executor = crate::testing::Executor::new();
    let started = Arc::new(Mutex::new(None));
    let result = Arc::clone(&started);
    executor.spawn(async move {
        *result.lock().unwrap() = Some(waits.await);
    });
    assert_eq!(executor.run_until_stalled(), 1);
    stage.end(&mut run).unwrap();
    drop(run);
    assert_eq!(executor.run_until_stalled(), 0);
    assert_eq!(*started.lock().unwrap(), Some(true));
}

#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<Arc<Validity>>>>);

impl Watchdog for Recorder {
    fn watch(&self, validity: Arc<Validity>) {
        self.0.lock().unwrap().push(validity);
    }
}

#[test]
fn the_watchdog_is_shown_each_leadership_and_can_end_it() {
    let stage = Stage::new();
    let recorder = Recorder::default();
    let diary = Diary::default();
    let notes = diary.clone();
    let election = stage
        .builder(Arc::new(stage.session.handle()), 1)
        .watchdog(Arc::new(recorder.clone()))
        .build()
        .unwrap();
    let (control, mut run) = run(election, move |leadership| {
        let diary = notes.clone();
        async move {
            diary.write(format!("{:?}", leadership.lost().await));
        }
    });
    let reader = control.events();
    stage.until(&mut run, || control.view().state == State::Leading);
    let validity = Arc::clone(&recorder.0.lock().unwrap()[0]);
    let abort = validity.abort_deadline();
    assert_eq!(abort.since, validity.deadline().since);
    assert!(abort.length > validity.deadline().length);
    assert!(validity.fire());
    assert!(!validity.fire(), "once");
    assert!(validity.is_over());
    assert_eq!(
        validity.remaining(crate::Clock::now(&stage.clock)),
        crate::Nanos::ZERO
    );
    assert!(!validity.work_stopped());
    stage.until(&mut run, || diary.has("Watchdog"));
    assert!(validity.work_stopped());
    stage.until(&mut run, || recorder.0.lock().unwrap().len() == 2);
    assert!(!validity.fire(), "it is over, whoever leads now");
    assert_eq!(control.view().state, State::Leading);
    drop(run);
    let told = events(reader);
    let position = |wanted: fn(&Event) -> bool| told.iter().position(wanted).unwrap();
    let fired = position(|event| matches!(event, Event::WatchdogFired { .. }));
    let stopped = position(|event| {
        matches!(
            event,
            Event::Stopped {
                reason: StopReason::Watchdog,
                ..
            }
        )
    });
    assert!(fired < stopped);
}

#[test]
fn a_second_run_is_another_candidate_with_a_larger_token() {
    let stage = Stage::new();
    let mut election = stage.election(1);
    let control = election.control();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let tokens = Arc::new(Mutex::new(None));
        let token = Arc::clone(&tokens);
        {
            let mut run: std::pin::Pin<Box<dyn Future<Output = _>>> =
                Box::pin(election.run(move |leadership| {
                    *token.lock().unwrap() = Some(leadership.token());
                    async move { leadership.candidate() }
                }));
            for _ in 0..1_000 {
                if crate::testing::poll_once(run.as_mut()).is_ready() {
                    break;
                }
                stage.clock.advance(Duration::from_millis(10));
            }
        }
        let token = tokens.lock().unwrap().take().unwrap();
        seen.push((control.view().candidate, token));
    }
    assert_ne!(seen[0].0.incarnation, seen[1].0.incarnation);
    assert_eq!(seen[0].0.name, seen[1].0.name);
    assert!(seen[0].1 < seen[1].1);
}

#[test]
fn events_that_nobody_reads_are_not_kept_for_later() {
    let stage = Stage::new();
    let (control, mut run) = run(stage.election(1), |_leadership| pending::<()>());
    stage.until(&mut run, || control.view().state == State::Leading);
    let reader = control.events();
    drop(run);
    assert_eq!(events(reader).len(), 1, "only the end");
}
