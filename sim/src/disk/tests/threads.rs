use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_backends::file::system::Open;

use super::scene::{Scene, path};

#[test]
fn a_thread_waits_in_the_middle_and_what_it_has_done_by_then_is_there() {
    let mut scene = Scene::new(3);
    let program = scene.program(0);
    scene.disk.hang();
    let done = scene.start(&program, |system| {
        system.open(&path("a"), Open::New).map(drop).is_ok()
    });
    scene.settle(Duration::from_secs(5));
    assert!(done.lock().unwrap().is_none() && scene.disk.read(&path("a")).is_err());
    scene.disk.go_on();
    scene.settle(Duration::from_secs(5));
    assert_eq!(done.lock().unwrap().take(), Some(true));
    assert!(scene.disk.read(&path("a")).is_ok());
}

#[test]
fn a_dead_process_changes_nothing_more_and_its_threads_come_to_their_end() {
    let mut cut_short = 0;
    for seed in 0..100 {
        let mut scene = Scene::new(seed);
        let program = scene.program(0);
        let ended = Arc::new(Mutex::new(false));
        let at_end = Arc::clone(&ended);
        scene.start(&program, move |system| {
            for step in 0..10 {
                let file = system.open(&path("a"), Open::OrCreate);
                let kept = file.and_then(|file| {
                    file.overwrite(&[step])?;
                    file.synchronise()
                });
                if kept.is_err() {
                    break;
                }
            }
            *at_end.lock().unwrap() = true;
        });
        scene.settle(Duration::from_millis(10));
        let before = scene.disk.read(&path("a")).unwrap();
        assert!(!*ended.lock().unwrap(), "seed {seed}");
        scene.executor.kill(&program.process);
        assert!(*ended.lock().unwrap(), "seed {seed}");
        assert_eq!(scene.disk.read(&path("a")).unwrap(), before, "seed {seed}");
        cut_short += u32::from(before != [9]);
    }
    assert!(cut_short > 50);
}

#[test]
fn threads_of_several_processes_take_turns_within_their_calls() {
    let mut scene = Scene::new(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    for node in 0..2 {
        let (program, order) = (scene.program(node), Arc::clone(&order));
        scene.start(&program, move |system| {
            for _ in 0..20 {
                order.lock().unwrap().push(node);
                system.synchronise_directory(&path("")).unwrap();
            }
        });
    }
    scene.settle(Duration::from_secs(100));
    let order = order.lock().unwrap();
    let turns = order.windows(2).filter(|two| two[0] != two[1]).count();
    assert!(order.len() == 40 && turns > 10, "{order:?}");
}

#[test]
fn a_signal_given_before_the_wait_is_not_lost() {
    let mut scene = Scene::new(1);
    let program = scene.program(0);
    let signal = program.system.signal();
    signal.notify();
    let waits = Arc::clone(&signal);
    let done = scene.start(&program, move |_| {
        waits.wait().unwrap();
        waits.wait().is_ok()
    });
    scene.settle(Duration::from_secs(1));
    assert!(done.lock().unwrap().is_none(), "it was given once");
    signal.notify();
    scene.settle(Duration::from_secs(1));
    assert_eq!(done.lock().unwrap().take(), Some(true));
}
