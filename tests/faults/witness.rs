//! The oracle for "no two runs at once", by the kernel's word and independent of the program's own locks: each process of a run holds a lock on a
//! file of its own for as long as it lives, and then looks for processes of other runs that still hold theirs.
//!
//! Of two processes that live at the same time the later one to register sees the other, however little either of them writes.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::line::Run;
use crate::process;

/// A process's mark. The lock is let go by the kernel when the process dies.
#[derive(Debug)]
pub(crate) struct Witness(#[expect(dead_code, reason = "held until the process dies")] File);

impl Witness {
    /// Marks this process, of `run`, as alive. The file gets its name only when it is locked, so nobody takes it for a dead one's.
    pub(crate) fn register(folder: &Path, run: Run) -> Self {
        let pid = std::process::id();
        let unfinished = folder.join(format!("new.{pid}"));
        let file = File::create(&unfinished).expect("a witness can be made");
        flock(&file, FlockOperation::NonBlockingLockExclusive).expect("a file of our own is free");
        fs::rename(&unfinished, folder.join(format!("{run}.{pid}")))
            .expect("a witness can be named");
        Self(file)
    }
}

/// The runs other than `run` of which a process is alive.
pub(crate) fn others_alive(folder: &Path, run: Run) -> Vec<Run> {
    let mut alive = Vec::new();
    for entry in fs::read_dir(folder).expect("the witnesses can be listed") {
        let path = entry.expect("a witness can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some((other, pid)) = name.and_then(parse) else {
            continue;
        };
        if other != run && holds(&path, pid) {
            alive.push(other);
        }
    }
    alive
}

fn parse(name: &str) -> Option<(Run, i32)> {
    let (run, pid) = name.rsplit_once('.')?;
    Some((Run::parse(run)?, pid.parse().ok()?))
}

/// Whether the process is alive. One that is exiting holds its lock a moment longer, but runs no code any more.
fn holds(path: &Path, pid: i32) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        let _ = fs::remove_file(path);
        return false;
    }
    process::is_alive(pid)
}
