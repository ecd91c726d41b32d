use std::io;
use std::time::Duration;

use tenure_backends::file::system::{Event, Open, Watch};

use super::scene::{Scene, path};
use crate::plan::Foreign;

#[test]
fn two_files_of_one_name_are_two_locks() {
    let mut scene = Scene::new(1);
    let (first, second) = (scene.program(0), scene.program(1));
    let old = first.open("a", Open::OrCreate);
    assert!(old.try_lock().unwrap());
    assert!(!second.open("a", Open::OrCreate).try_lock().unwrap());
    scene.disk.remove(&path("a")).unwrap();
    let new = second.open("a", Open::OrCreate);
    assert!(new.try_lock().unwrap() && old.try_lock().unwrap());
    assert_ne!(old.stat().unwrap().inode, new.stat().unwrap().inode);
}

#[test]
fn a_number_is_given_again_only_when_nothing_is_left_of_its_file() {
    let mut scene = Scene::new(1);
    let program = scene.program(0);
    let number = |name| program.system.stat(&path(name)).unwrap().unwrap().inode;
    let file = program.open("a", Open::New);
    let old = number("a");
    program.system.synchronise_directory(&path("")).unwrap();
    scene.disk.remove(&path("a")).unwrap();
    drop(program.open("b", Open::New));
    assert_ne!(number("b"), old, "it is still open");
    drop(file);
    drop(program.open("c", Open::New));
    assert_eq!(number("c"), old);
}

#[test]
fn a_lock_belongs_to_a_description_and_not_to_a_process() {
    let mut scene = Scene::new(1);
    let program = scene.program(0);
    let (one, other) = (
        program.open("a", Open::OrCreate),
        program.open("a", Open::Existing),
    );
    assert!(one.try_lock().unwrap() && one.try_lock().unwrap());
    assert!(!other.try_lock().unwrap());
    assert!(other.is_locked_by_another().unwrap() && !one.is_locked_by_another().unwrap());
    drop(other);
    assert!(
        !program.open("a", Open::Existing).try_lock().unwrap(),
        "a close of another frees nothing"
    );
    one.unlock().unwrap();
    assert!(program.open("a", Open::Existing).try_lock().unwrap());
}

#[test]
fn a_lock_is_kept_while_its_process_is_stopped_and_free_soon_after_its_death() {
    for seed in 0..50 {
        let mut scene = Scene::new(seed);
        let (holder, rival) = (scene.program(0), scene.program(1));
        let lock = holder.open("a", Open::OrCreate);
        assert!(lock.try_lock().unwrap());
        // What a process has open is closed when its threads go.
        let signal = holder.system.signal();
        scene.start(&holder, move |_| signal.wait().is_err());
        scene.executor.pause(&holder.process);
        scene.settle(Duration::from_secs(100));
        let waiting = rival.open("a", Open::Existing);
        assert!(!waiting.try_lock().unwrap());
        scene.executor.kill(&holder.process);
        scene.settle(Duration::from_millis(20));
        assert!(waiting.try_lock().unwrap(), "seed {seed}");
        assert!(lock.try_lock().is_err(), "a dead process does nothing");
    }
}

#[test]
fn an_inherited_descriptor_keeps_the_lock_until_its_heir_is_gone() {
    let mut scene = Scene::new(1);
    let (holder, job, rival) = (scene.program(0), scene.program(0), scene.program(1));
    let lock = holder.open("a", Open::OrCreate);
    assert!(lock.try_lock().unwrap());
    scene.disk.inherit(&holder.process, &job.process);
    scene.executor.kill(&holder.process);
    scene.disk.reap(&holder.process);
    let waiting = rival.open("a", Open::Existing);
    scene.settle(Duration::from_secs(1));
    assert!(!waiting.try_lock().unwrap());
    scene.executor.kill(&job.process);
    scene.disk.reap(&job.process);
    scene.settle(Duration::from_secs(1));
    assert!(waiting.try_lock().unwrap());
}

#[test]
fn a_full_disk_takes_nothing_that_grows() {
    let mut scene = Scene::new(1);
    let program = scene.program(0);
    program.keep("a", b"long enough");
    scene.disk.fill();
    let full = |result: io::Result<()>| {
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
    };
    full(program.system.open(&path("b"), Open::New).map(drop));
    full(program.system.link(&path("a"), &path("b")));
    let file = program.open("a", Open::Existing);
    full(file.write_attribute(b"7"));
    full(file.overwrite(b"longer than what was there"));
    file.overwrite(b"shorter").unwrap();
    scene.disk.make_room();
    file.overwrite(b"longer than what was there").unwrap();
}

#[test]
fn names_are_moved_and_linked_as_the_kernel_does() {
    let mut scene = Scene::new(1);
    let program = scene.program(0);
    let system = &program.system;
    program.keep("a", b"a");
    program.keep("b", b"b");
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    assert_eq!(
        kind(system.link(&path("a"), &path("b"))),
        io::ErrorKind::AlreadyExists
    );
    system.rename(&path("a"), &path("b")).unwrap();
    assert_eq!(scene.disk.read(&path("b")).unwrap(), b"a");
    assert_eq!(
        kind(system.rename(&path("a"), &path("b"))),
        io::ErrorKind::NotFound
    );
    system.link(&path("b"), &path("c")).unwrap();
    system.remove(&path("b")).unwrap();
    assert_eq!(scene.disk.read(&path("c")).unwrap(), b"a");
    assert_eq!(system.list(&path(""), 10).unwrap().unwrap(), ["c"]);
    assert_eq!(system.stat(&path("none/below")).unwrap(), None);
    assert_eq!(
        kind(system.open(&path("c"), Open::New).map(drop)),
        io::ErrorKind::AlreadyExists
    );
    assert_eq!(
        kind(system.open(&path(""), Open::Existing).map(drop)),
        io::ErrorKind::IsADirectory
    );
}

fn told(watch: &dyn Watch) -> Vec<Event> {
    let mut events = Vec::new();
    watch.wait(None, &mut events).unwrap();
    events
}

#[test]
fn those_who_watch_are_told_of_entries_and_of_closes_but_not_of_writes_and_reads() {
    let mut scene = Scene::new(1);
    let program = scene.program(0);
    let watch = program.system.watch().unwrap();
    let id = watch.add(&path("")).unwrap();
    assert_eq!(watch.add(&path("")).unwrap(), id);
    let name = || "a".to_owned();
    let file = program.open("a", Open::New);
    assert_eq!(
        told(watch.as_ref()),
        [Event::Entry {
            watch: id,
            name: name()
        }]
    );
    file.overwrite(b"x").unwrap();
    drop(program.open("a", Open::ToRead));
    assert_eq!(told(watch.as_ref()), []);
    drop(file);
    assert_eq!(
        told(watch.as_ref()),
        [Event::Closed {
            watch: id,
            name: name()
        }]
    );
    scene.disk.fall_silent();
    drop(program.open("b", Open::New));
    assert_eq!(told(watch.as_ref()), []);
    scene.disk.tell_again();
    scene.disk.hold_events(1);
    drop(program.open("c", Open::New));
    let events = told(watch.as_ref());
    assert_eq!(events.last(), Some(&Event::Overflow), "{events:?}");
}

#[test]
fn a_stranger_can_do_everything_to_a_lock_that_a_plan_may_ask_for() {
    let all = [
        Foreign::Corrupt,
        Foreign::Delete,
        Foreign::EditLabel,
        Foreign::Empty,
        Foreign::Overwrite,
        Foreign::Recreate,
    ];
    for foreign in all {
        let mut scene = Scene::new(1);
        let program = scene.program(0);
        // Nothing is there yet.
        scene.disk.meddle(foreign, &path(""), "a");
        let lock = program.open("a", Open::New);
        program.keep(
            "a.tenure",
            b"tenure-record 1\nholder x\nchecksum 00000000\n",
        );
        let before = (
            lock.stat().unwrap().inode,
            scene.disk.read(&path("a.tenure")).unwrap(),
        );
        scene.disk.meddle(foreign, &path(""), "a");
        let there = program.system.stat(&path("a")).unwrap();
        let after = (
            there.map_or(0, |stat| stat.inode),
            scene.disk.read(&path("a.tenure")).unwrap(),
        );
        assert_eq!(
            after == before,
            foreign == Foreign::EditLabel,
            "{foreign:?}"
        );
    }
}
