//! What tests with real processes share.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod place;
pub(crate) mod program;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything takes on a machine that works, however busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until `found` gives something.
///
/// # Panics
/// When that has not come about in a minute.
pub(crate) fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "real processes take real time")]
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for: {what}");
        #[expect(clippy::disallowed_methods, reason = "real processes take real time")]
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Polls until `true`.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

/// The letter that `/proc` shows for a process, such as `T` for one that is stopped; nothing when it has ended.
pub(crate) fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    (state != 'Z' && state != 'X').then_some(state)
}

/// Whether a process runs, sleeps or is stopped: everything but having ended.
pub(crate) fn is_alive(pid: i32) -> bool {
    state(pid).is_some()
}

/// Whether this process, and with it whatever it starts, does not hear this signal.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
    ignored & (1 << (signal.as_raw() - 1)) != 0
}

/// Waits until a process has ended.
pub(crate) fn wait_until_dead(who: &str, pid: i32) {
    wait_until(&format!("the end of the {who}, process {pid}"), || {
        !is_alive(pid)
    });
}

/// Sends a signal to a process that this test started, directly or not.
pub(crate) fn send(pid: i32, signal: Signal) {
    let pid = Pid::from_raw(pid).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The number that a file contains, once it does.
pub(crate) fn wait_for_number(path: &Path) -> i32 {
    wait_for(&format!("a number in {}", path.display()), || {
        let text = fs::read_to_string(path).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    })
}

/// The children of a process, with their names.
pub(crate) fn children(pid: i32) -> Vec<(i32, String)> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(child) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let Some((head, tail)) = stat.rsplit_once(") ") else {
            continue;
        };
        let parent = tail.split(' ').nth(1).and_then(|ppid| ppid.parse().ok());
        if parent == Some(pid) {
            let name = head.split_once('(').map_or("", |(_, name)| name);
            children.push((child, name.to_owned()));
        }
    }
    children
}
