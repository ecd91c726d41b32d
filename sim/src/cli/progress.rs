use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::INTERRUPTED;

/// A bar on standard error while something runs, when that is a terminal; nothing otherwise.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(of: u64, what: &'static str) -> Self {
        // Draws nothing where there is no terminal.
        let bar = ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} to go");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Self(bar)
    }

    /// A count of something of which nobody knows how much there is.
    pub(crate) fn counting(of: &'static str, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix}: {human_pos} {msg}, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(of);
        bar.set_message(what);
        Self(bar)
    }

    pub(crate) fn add(&self, done: u64) {
        self.0.inc(done);
    }

    /// Takes the bar away while something is written.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// So many are done by now.
    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// So many are done by now, of so many.
    pub(crate) fn of(&self, done: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Whether the user wants an end. The first Ctrl-C asks for what has been done so far, the second ends the program.
pub(crate) fn interruption() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    // Without a handler the first Ctrl-C ends the program, which is what is left then.
    let _ = ctrlc::set_handler(move || {
        if told.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
    });
    asked
}
