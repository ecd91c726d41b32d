use std::convert::Infallible;
use std::io;

use rustix::process::{Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use crate::guard::reap;

/// Waits for this process's children as they end, for ever, and wakes those that somebody stops.
///
/// As the first process of a container this one inherits the orphans of strangers, which nobody else would wait for; and a stopped
/// guard guards nothing.
///
/// # Errors
/// When the signal that tells of children cannot be received, or the kernel refuses to wait.
pub async fn look_after_children() -> io::Result<Infallible> {
    let mut told = signal(SignalKind::child())?;
    loop {
        for child in reap()?.stopped {
            tracing::warn!("process {child} was stopped by somebody: it is continued");
            // It was not waited for, so the number is still its own.
            let _ = kill_process(child, Signal::CONT);
        }
        told.recv().await;
    }
}
