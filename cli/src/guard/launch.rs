//! The moment between the guard and the job.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::signal::SigSet;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// What shells and env(1) exit with when a command is not found.
const NOT_FOUND: u8 = 127;
/// What shells and env(1) exit with when a command cannot be run.
const CANNOT_RUN: u8 = 126;

/// The command that launches `command` as a child of this process, whose number is `guard`.
pub(super) fn command(guard: rustix::process::Pid, command: &[OsString]) -> Command {
    let mut launch = Command::new(super::EXECUTABLE);
    launch
        .arg0(super::LAUNCH_NAME)
        .arg(guard.as_raw_nonzero().to_string())
        .args(command)
        .process_group(0);
    launch
}

/// Becomes the job; returns only when that fails.
pub(super) fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let guard = arguments.next();
    let Some(name) = arguments.next() else {
        return fail(OsStr::new(""), &io::Error::from(io::ErrorKind::NotFound));
    };
    let error = match prepare(guard.as_deref()) {
        Ok(()) => Command::new(&name).args(arguments).exec(),
        Err(error) => error,
    };
    fail(&name, &error)
}

/// The guard's death shall be the job's, even when nobody else is there to see to it.
fn prepare(guard: Option<&OsStr>) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let parent = getppid().map(|pid| pid.as_raw_nonzero().to_string());
    if parent.as_deref().map(OsStr::new) != guard {
        return Err(io::Error::other("the guard has died"));
    }
    // A blocked signal stays blocked in whatever a process becomes.
    SigSet::empty().thread_set_mask()?;
    Ok(())
}

fn fail(name: &OsStr, error: &io::Error) -> ExitCode {
    super::complain(&format!(
        "cannot run {:?}: {error}: check the command after `--`",
        name.to_string_lossy()
    ));
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound {
        NOT_FOUND
    } else {
        CANNOT_RUN
    })
}
