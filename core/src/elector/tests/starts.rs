//! Running for ever, and where the futures may run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stage::*;
use crate::Clock;
use crate::elector::{Backoff, Election};

/// When works started, in whole seconds since the first.
fn starts(works: Vec<(u64, Result<(), String>)>) -> Vec<u64> {
    let stage = Stage::new();
    let clock = Arc::new(stage.clock.clone());
    let starts = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&starts);
    let mut election = stage.election(1);
    let control = election.control();
    let wanted = works.len();
    let mut run: Run<()> = Box::pin(async move {
        let works = &works;
        election
            .run_forever(Backoff::STANDARD, move |leadership| {
                let mut starts = known.lock().unwrap();
                let work = works[starts.len().min(works.len() - 1)].clone();
                starts.push(clock.now());
                let clock = Arc::clone(&clock);
                async move {
                    let _leads = leadership;
                    clock.sleep(Duration::from_secs(work.0)).await;
                    work.1
                }
            })
            .await
    });
    while starts.lock().unwrap().len() < wanted {
        let before = starts.lock().unwrap().len();
        stage.until(&mut run, || starts.lock().unwrap().len() > before);
    }
    control.shut_down();
    assert_eq!(stage.end(&mut run), Ok(()));
    let starts = starts.lock().unwrap().clone();
    starts
        .iter()
        .take(wanted)
        .map(|start| start.longest_since(starts[0]).get() / 1_000_000_000)
        .collect()
}

fn fails() -> (u64, Result<(), String>) {
    (0, Err("it failed".to_owned()))
}

#[test]
fn work_that_keeps_failing_waits_twice_as_long_each_time_up_to_the_longest() {
    let starts = starts((0..10).map(|_| fails()).collect());
    let waits: Vec<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits[..6], [1, 2, 4, 8, 16, 32]);
    assert!(waits[6..].iter().all(|wait| *wait >= 60), "{waits:?}");
}

#[test]
fn work_that_ran_for_long_starts_again_with_the_first_wait() {
    let starts = starts(vec![
        fails(),
        fails(),
        fails(),
        (90, Ok(())),
        fails(),
        fails(),
    ]);
    let waits: Vec<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [1, 2, 4, 91, 2]);
}

#[test]
fn what_runs_an_election_can_be_sent_to_another_thread() {
    fn sendable<T: Send>(_: T) {}
    fn shareable<T: Send + Sync>(_: T) {}
    let stage = Stage::new();
    let mut election = stage.election(1);
    let control = election.control();
    shareable(control.clone());
    sendable(control.events());
    sendable(election.run(|leadership| async move {
        leadership.cancelled().await;
        let note = crate::backend::Note::new(b"a").unwrap();
        leadership.write_note(note).await.unwrap();
        leadership.lost().await;
    }));
    sendable(
        election.run_forever(Backoff::STANDARD, |leadership| async move {
            leadership.cancelled().await;
            Ok::<(), std::fmt::Error>(())
        }),
    );
    sendable(election);
    fn both<T: Send + Sync>() {}
    both::<crate::Leadership>();
    both::<Election>();
}
