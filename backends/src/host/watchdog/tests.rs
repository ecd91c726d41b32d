use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::elector::Told;
use tenure_core::machine::OnMissing;
use tenure_core::memory::LeasedStore;
use tenure_core::{ElectionName, Event, Leadership, StopReason, Timing};

use super::{OnOverrun, Overrun, ThreadWatchdog};

/// How long a test waits for the thread before it fails.
const BOUND: Duration = Duration::from_secs(60);

fn timing() -> Timing {
    Timing::builder()
        .lease_duration(Duration::from_millis(900))
        .renew_interval(Duration::from_millis(200))
        .request_timeout(Duration::from_millis(100))
        .stop_timeout(Duration::from_millis(300))
        .kill_allowance(Duration::from_millis(100))
        .retry_interval(Duration::from_millis(50))
        .build()
        .unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

/// Runs one leadership of `work` on a runtime of one thread, and gives its value with what was told meanwhile.
fn lead<T>(on_overrun: OnOverrun, work: impl Fn(&Leadership) -> T) -> (T, Vec<Event>) {
    let store = LeasedStore::new(ElectionName::new("watched").unwrap());
    runtime().block_on(async {
        let mut election = crate::host::election(store.handle())
            .unwrap()
            .timing(timing())
            .on_missing(OnMissing::AcquireAtOnce)
            .watchdog(Arc::new(ThreadWatchdog::start(on_overrun).unwrap()))
            .build()
            .unwrap();
        let mut events = election.control().events();
        let (work, control) = (&work, election.control());
        let control = &control;
        let value = election
            .run(|leadership| async move {
                let value = work(&leadership);
                // Work that was told to stop would be started again.
                control.shut_down();
                value
            })
            .await
            .unwrap();
        let mut told = Vec::new();
        while let Some(Told::Event(event)) = events.next().await {
            told.push(event);
        }
        (value, told)
    })
}

fn hook(sender: Sender<Overrun>) -> OnOverrun {
    let sender = Mutex::new(sender);
    OnOverrun::Call(Arc::new(move |overrun| {
        sender.lock().unwrap().send(overrun.clone()).unwrap();
    }))
}

fn fired(events: &[Event]) -> bool {
    events
        .iter()
        .any(|event| matches!(event, Event::WatchdogFired { .. }))
}

#[test]
fn a_blocked_runtime_loses_its_leadership_and_the_hook_is_called() {
    let (sender, called): (_, Receiver<Overrun>) = channel();
    let (token, events) = lead(hook(sender), |leadership| {
        assert!(leadership.is_valid());
        // Blocks the only thread of the runtime until the hook was called.
        let overrun = called.recv_timeout(BOUND).unwrap();
        assert!(!leadership.is_valid());
        assert_eq!(leadership.stop_requested(), Some(StopReason::Watchdog));
        assert!(overrun.description.contains("watched"));
        assert_eq!(overrun.token, leadership.token());
        overrun.token
    });
    assert!(
        events.contains(&Event::WatchdogFired { token }),
        "{events:?}"
    );
    let stopped = events
        .iter()
        .find(|event| matches!(event, Event::Stopped { .. }));
    assert!(stopped.is_some(), "{events:?}");
}

#[test]
fn a_leadership_that_ends_in_time_is_left_alone() {
    let (sender, called) = channel();
    let ((), events) = lead(hook(sender), |_| ());
    assert!(!fired(&events), "{events:?}");
    // The hook, and its sender with it, is dropped when the thread has looked at the leadership that is over.
    let gone = called.recv_timeout(BOUND);
    assert_eq!(gone, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_hook_that_panics_does_not_end_the_thread() {
    let (sender, called) = channel();
    let sender = Mutex::new(sender);
    let panics = OnOverrun::Call(Arc::new(move |_| {
        sender.lock().unwrap().send(()).unwrap();
        panic!("on purpose");
    }));
    lead(panics, |_| called.recv_timeout(BOUND).unwrap());
    let (sender, called) = channel();
    lead(hook(sender), |_| called.recv_timeout(BOUND).unwrap());
}
