//! What `/proc` says about processes.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitOptions};

/// The kernel's flag of a process that runs no more code of its own (`PF_EXITING` in `linux/sched.h`).
const EXITING: u64 = 0x4;

/// What the tests need of `/proc/<pid>/stat`.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    flags: u64,
    pub(crate) parent: i32,
    state: char,
}

impl Status {
    /// Nothing when there is no such process.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may contain anything.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        Some(Self {
            state: fields.next()?.chars().next()?,
            parent: fields.next()?.parse().ok()?,
            flags: fields.nth(4)?.parse().ok()?,
        })
    }

    fn runs_code(&self) -> bool {
        self.flags & EXITING == 0 && !matches!(self.state, 'Z' | 'X')
    }
}

/// Whether any code of the process can still run; a stopped process can, once it is continued.
pub(crate) fn is_alive(pid: i32) -> bool {
    Status::of(pid).is_some_and(|status| status.runs_code())
}

/// Whether the process runs with `variable` in its environment.
fn has_in_environment(pid: i32, variable: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|entry| entry == variable.as_bytes())
}

fn all() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .expect("/proc can be read")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// All living processes that were started with `variable` in their environment.
pub(crate) fn with_environment(variable: &str) -> Vec<i32> {
    all()
        .filter(|pid| has_in_environment(*pid, variable) && is_alive(*pid))
        .collect()
}

/// The living children of a process.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    all()
        .filter(|child| {
            Status::of(*child).is_some_and(|status| status.parent == pid && status.runs_code())
        })
        .collect()
}

/// The children that somebody here waits for. Orphans are reaped only while nobody starts or ends one of these.
static AWAITED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn awaited() -> MutexGuard<'static, BTreeSet<i32>> {
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process id of a child.
pub(crate) fn id(child: &Child) -> i32 {
    i32::try_from(child.id()).expect("a process id fits")
}

/// Starts a child that its owner waits for with [`end`].
pub(crate) fn start(command: &mut Command) -> Child {
    let mut awaited = awaited();
    let child = command.spawn().expect("a process can be started");
    awaited.insert(id(&child));
    child
}

/// The exit status of a child, once it is dead.
pub(crate) fn end(child: &mut Child) -> Option<ExitStatus> {
    let mut awaited = awaited();
    let status = child.try_wait().expect("a child can be waited for")?;
    awaited.remove(&id(child));
    Some(status)
}

/// Runs a command to its end and says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let _awaited = awaited();
    command.status().is_ok_and(|status| status.success())
}

/// Orphans become children of this process, so that none of them outlives the tests unseen.
pub(crate) fn adopt_orphans() {
    let ours = Pid::from_raw(1); // any process id switches it on
    rustix::process::set_child_subreaper(ours).expect("any process may adopt orphans");
}

/// Takes the exit status of the dead that came to us when their parents died.
pub(crate) fn reap_orphans() {
    let awaited = awaited();
    let ours = i32::try_from(std::process::id()).expect("a process id fits");
    for pid in all() {
        let is_dead_child =
            Status::of(pid).is_some_and(|status| status.parent == ours && status.state == 'Z');
        if is_dead_child && !awaited.contains(&pid) {
            let _ = rustix::process::waitpid(Pid::from_raw(pid), WaitOptions::NOHANG);
        }
    }
}

/// Sends a signal to exactly this process. A process that is already gone needs none.
pub(crate) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
