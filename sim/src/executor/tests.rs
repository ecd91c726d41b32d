use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Executor, Handle, Limits, NodeId, Order, Process, reply};
use crate::TrueTime;

type Log = Arc<Mutex<Vec<String>>>;

fn executor(seed: u64) -> Executor {
    Executor::new(seed, Order::Seeded, Limits::STANDARD)
}

fn second(seconds: u64) -> TrueTime {
    TrueTime::START.plus(Duration::from_secs(seconds))
}

async fn tick(handle: Handle, log: Log, name: &'static str, times: u32) {
    for _ in 0..times {
        handle.sleep(Duration::from_secs(1)).await;
        let line = format!("{} {name}", handle.now());
        log.lock().unwrap().push(line);
    }
}

fn ticks(seed: u64) -> (Vec<String>, u64) {
    let mut executor = executor(seed);
    let log = Log::default();
    for name in ["a", "b", "c", "d"] {
        let task = tick(executor.handle().clone(), Arc::clone(&log), name, 3);
        executor.spawn(&Process::on(NodeId(0)), task);
    }
    executor.run_to_end();
    assert_eq!(executor.now(), second(3));
    let lines = log.lock().unwrap().clone();
    (lines, executor.hash().value())
}

#[test]
fn a_seed_decides_the_order_and_another_seed_another_order() {
    assert_eq!(ticks(1), ticks(1));
    let orders: Vec<_> = (0..8).map(|seed| ticks(seed).0).collect();
    assert!(orders.iter().any(|order| *order != orders[0]));
}

#[test]
fn first_come_first_served_keeps_the_order_of_spawning() {
    let mut executor = Executor::new(1, Order::Fifo, Limits::STANDARD);
    let log = Log::default();
    for name in ["a", "b", "c"] {
        let log = Arc::clone(&log);
        executor.spawn(&Process::on(NodeId(0)), async move {
            log.lock().unwrap().push(name.to_owned());
        });
    }
    executor.run_to_end();
    assert_eq!(*log.lock().unwrap(), ["a", "b", "c"]);
}

struct AtDrop(Process, Log);

impl Drop for AtDrop {
    fn drop(&mut self) {
        let line = format!("alive: {}", self.0.is_alive());
        self.1.lock().unwrap().push(line);
    }
}

#[test]
fn a_killed_process_is_dead_before_its_destructors_run() {
    let mut executor = executor(1);
    let process = Process::on(NodeId(0));
    let log = Log::default();
    let guard = AtDrop(process.clone(), Arc::clone(&log));
    executor.spawn(&process, async move {
        std::future::pending::<()>().await;
        drop(guard);
    });
    executor.run_until(second(1));
    executor.kill(&process);
    assert_eq!(*log.lock().unwrap(), ["alive: false"]);
    executor.run_to_end();
}

#[test]
fn a_request_of_a_dead_process_still_lands() {
    let mut executor = executor(1);
    let process = Process::on(NodeId(0));
    let log = Log::default();
    let (handle, landed) = (executor.handle().clone(), Arc::clone(&log));
    executor.spawn(&process, async move {
        let (sender, answer) = reply();
        let server = handle.clone();
        handle.spawn_in_world(async move {
            server.sleep(Duration::from_secs(2)).await;
            let line = format!("applied, abandoned: {}", sender.is_abandoned());
            landed.lock().unwrap().push(line);
            sender.send(());
        });
        answer.await;
    });
    executor.run_until(second(1));
    executor.kill(&process);
    executor.run_to_end();
    assert_eq!(*log.lock().unwrap(), ["applied, abandoned: true"]);
}

#[test]
fn a_paused_process_goes_on_where_it_was() {
    let mut executor = executor(1);
    let process = Process::on(NodeId(0));
    let log = Log::default();
    let task = tick(executor.handle().clone(), Arc::clone(&log), "a", 2);
    executor.spawn(&process, task);
    executor.run_until(TrueTime::from_nanos(500_000_000));
    executor.pause(&process);
    executor.run_until(second(10));
    assert!(log.lock().unwrap().is_empty());
    executor.resume(&process);
    executor.run_to_end();
    assert_eq!(*log.lock().unwrap(), ["10.000000000 a", "11.000000000 a"]);
}

fn message_of_panic(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(run).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_run_that_is_stuck_names_its_seed() {
    let waits_for_ever = message_of_panic(|| {
        let mut executor = executor(42);
        executor.spawn(&Process::on(NodeId(0)), std::future::pending());
        executor.run_to_end();
    });
    assert!(
        waits_for_ever.contains("seed 42: stuck"),
        "{waits_for_ever}"
    );
    let spins = message_of_panic(|| {
        let mut executor = executor(43);
        executor.spawn(&Process::on(NodeId(0)), async {
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                std::task::Poll::<()>::Pending
            })
            .await;
        });
        executor.run_to_end();
    });
    assert!(spins.contains("seed 43: stuck"), "{spins}");
}
