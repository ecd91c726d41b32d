//! A thread that ends a leadership when the runtime that should have done so is stuck.

mod alarm;
mod entry;
mod guard;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use tenure_core::elector::Validity;
use tenure_core::{Error, FencingToken, Watchdog};

use guard::Guard;

/// One plain thread for all elections of the process, outside every async runtime.
///
/// When a leadership's deadline passes and its elector has not ended it, because the runtime is blocked or the machine was suspended,
/// the thread ends it: [`Leadership::is_valid`](tenure_core::Leadership::is_valid) is false (it was so by the clock already),
/// `cancelled()` completes, an event and an error line tell it. If the work has not stopped when the grace after the deadline is over
/// as well, which is when others may begin to lead, [`OnOverrun`] says what is done.
///
/// On Linux the thread sleeps on a timer that counts suspended time (`CLOCK_BOOTTIME`), so it is up as soon as the machine is;
/// elsewhere it looks once a second. It wakes early, at nine tenths of what is left, because timers run on slewed clocks.
#[derive(Debug)]
pub struct ThreadWatchdog {
    guard: Arc<Guard>,
    on_overrun: OnOverrun,
}

/// What is done about work that still runs when others may begin to lead.
#[derive(Clone)]
#[non_exhaustive]
pub enum OnOverrun {
    /// The process is aborted: nothing of it runs any more.
    Abort,
    /// This is called, on the watchdog's thread. It should be quick, since all other elections of the process wait for it.
    Call(Arc<dyn Fn(&Overrun) + Send + Sync>),
    /// It is told in an error line, no more.
    Tell,
}

/// Work that still runs when others may begin to lead.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Overrun {
    /// Which candidate of which election, in words.
    pub description: String,
    /// The token of the leadership that is over.
    pub token: FencingToken,
}

impl ThreadWatchdog {
    /// A watchdog, and the process's thread for all of them if it does not run yet.
    ///
    /// # Errors
    /// When the operating system gives no thread or no timer.
    pub fn start(on_overrun: OnOverrun) -> Result<Self, Error> {
        let guard = Guard::of_this_process()?;
        Ok(Self { guard, on_overrun })
    }
}

impl Watchdog for ThreadWatchdog {
    fn watch(&self, validity: Arc<Validity>) {
        self.guard.watch(validity, self.on_overrun.clone());
    }
}

impl fmt::Debug for OnOverrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abort => "Abort",
            Self::Call(_) => "Call",
            Self::Tell => "Tell",
        })
    }
}
