//! The processes of a job: everything that descends from this process.
//!
//! This process is a subreaper, so a descendant whose parents have died becomes a child of this process, whatever session or group
//! it is in. Only children are signalled one by one: a child that was not waited for keeps its number, so no stranger can be hit.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};

use super::protocol::End;

/// Makes sure that `/proc` shows the processes that this one sees.
///
/// # Errors
/// When it is not mounted, or is another namespace's.
pub(super) fn check_proc() -> io::Result<()> {
    let shown = fs::read_link("/proc/self").ok();
    let own = getpid().as_raw_nonzero().to_string();
    if shown.as_deref().and_then(|path| path.to_str()) == Some(&own) {
        return Ok(());
    }
    Err(io::Error::other(
        "/proc does not show this process: mount it, so that the job's descendants can be found",
    ))
}

/// Whether children are left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Children {
    /// At least one.
    Left,
    /// None: nothing descends from this process any more.
    None,
}

/// Makes this process the one that inherits its orphaned descendants.
///
/// # Errors
/// When the kernel is older than Linux 3.4 or a sandbox forbids it.
pub fn adopt_orphans() -> io::Result<()> {
    // The kernel only asks whether the number is zero.
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// What was learned by waiting for children, without blocking.
#[derive(Debug)]
pub(crate) struct Reaped {
    /// The children that have ended since last time.
    pub(crate) ended: Vec<(Pid, End)>,
    /// The children that somebody stopped.
    pub(crate) stopped: Vec<Pid>,
    /// Whether there are more.
    pub(crate) children: Children,
}

/// Waits for all children that have ended.
///
/// # Errors
/// When the kernel refuses, for another reason than that there are no children.
pub(crate) fn reap() -> io::Result<Reaped> {
    let mut reaped = Reaped {
        ended: Vec::new(),
        stopped: Vec::new(),
        children: Children::Left,
    };
    loop {
        match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(None) => return Ok(reaped),
            Ok(Some((pid, status))) if status.stopped() => reaped.stopped.push(pid),
            Ok(Some((pid, status))) => {
                let end = match (status.exit_status(), status.terminating_signal()) {
                    (Some(status), _) => End::Exited(status),
                    (None, signal) => End::Signaled(signal.unwrap_or_default()),
                };
                reaped.ended.push((pid, end));
            }
            Err(Errno::INTR) => {}
            Err(Errno::CHILD) => {
                reaped.children = Children::None;
                return Ok(reaped);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The children of this process, those that have ended but were not waited for among them.
///
/// # Errors
/// When `/proc` cannot be read.
pub(super) fn children() -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        match fs::read_to_string(task?.path().join("children")) {
            Ok(text) => children.extend(text.split_ascii_whitespace().filter_map(pid)),
            // Not every kernel has this file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return children_by_scan(),
            Err(error) => return Err(error),
        }
    }
    Ok(children)
}

fn children_by_scan() -> io::Result<Vec<Pid>> {
    let own = getpid();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(candidate) = entry.file_name().to_str().and_then(pid) else {
            continue;
        };
        // A process that has gone between the two reads is no child to signal.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if parent(&stat) == Some(own) {
            children.push(candidate);
        }
    }
    Ok(children)
}

/// The parent in a line of `/proc/<pid>/stat`, where the name in brackets may contain anything (proc_pid_stat(5)).
fn parent(stat: &str) -> Option<Pid> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1).and_then(pid)
}

fn pid(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

/// Sends `signal` to all children, and says which of them could not be signalled.
///
/// # Errors
/// When `/proc` cannot be read.
pub(super) fn signal(signal: Signal) -> io::Result<Vec<(Pid, io::Error)>> {
    let mut refused = Vec::new();
    for child in children()? {
        if let Err(error) = kill_process(child, signal) {
            refused.push((child, error.into()));
        }
    }
    Ok(refused)
}

/// Kills everything that descends from this process and returns when nothing is left, however long that takes.
///
/// # Errors
/// When `/proc` cannot be read or the kernel refuses to wait.
pub fn kill_and_wait() -> io::Result<()> {
    loop {
        if reap()?.children == Children::None {
            return Ok(());
        }
        signal(Signal::KILL)?;
        // A killed child is gone within a moment, and only then are its own children ours.
        super::clocks::pause_briefly();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_a_name_that_looks_like_more_fields() {
        let stat = "42 (a) S 7 (b) S 9 1 1 0";
        assert_eq!(parent(stat), Pid::from_raw(9));
        assert_eq!(parent("42"), None);
    }
}
