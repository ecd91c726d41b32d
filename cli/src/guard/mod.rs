//! The guard: a small process of its own that outlives the program just long enough to leave nothing of its job behind.
//!
//! The program runs its own executable again under another name. That process leaves the program's session, becomes the parent of
//! the job, inherits every orphan of it, and holds a descriptor of the lock. It is told the deadline with each renewal. It kills
//! the job and all its descendants when the deadline and the grace after it have passed, and at once when the program has died.
//!
//! A third role, the launch, is what the guard runs to become the job: between its start and the job's it undoes what the guard
//! needs and the job must not see.

mod channel;
mod clocks;
mod deadline;
mod launch;
pub mod protocol;
mod supervisor;
mod tree;
mod watch;
pub mod wire;

use std::io::Write;
use std::process::ExitCode;

pub use channel::{Channel, Peer, pair};
pub use clocks::now;
pub use deadline::{Deadline, Verdict};
pub(crate) use tree::reap;
pub use tree::{adopt_orphans, kill_and_wait};

/// The name that the guard runs under. Not the program's, so that ending the program by name does not end its guard.
pub const GUARD_NAME: &str = "jobguard";

/// The name of a guard's child until it becomes the job.
const LAUNCH_NAME: &str = "joblaunch";

/// The running executable, also when another file has taken its path since.
pub const EXECUTABLE: &str = "/proc/self/exe";

/// Runs the guard or the launch, if that is what this process was started as. To be asked first of all in `main`.
pub fn run_if_guard() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next()?;
    if name == GUARD_NAME {
        Some(supervisor::main())
    } else if name == LAUNCH_NAME {
        Some(launch::main(arguments))
    } else {
        None
    }
}

/// Says something on standard error, in one write, so that lines of other processes do not come between.
pub(crate) fn complain(what: &str) {
    // Nobody may be reading, and that is no reason to fail.
    let _ = std::io::stderr().write_all(format!("tenure: {what}\n").as_bytes());
}
