//! Runs the tasks of all simulated processes in one thread, on virtual time.
//!
//! - One poll at a time; which of the ready tasks is next is drawn from the seed ([`Order::Seeded`]) or first come, first served.
//! - Time moves only when nothing is ready, straight to the next timer, in whole nanoseconds.
//! - A task belongs to a [`Process`]. A killed process's tasks are dropped *after* the process is marked dead, so that what their
//!   destructors try can be told from what a living process does; a paused one's tasks wait.
//! - Tasks that poll and poll without time moving end the run with a panic that names the seed, and so does a run with nothing
//!   left to wait for.

mod handle;
mod host;
mod process;
mod reply;
mod run;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use handle::TimerKey;
pub use handle::{Handle, TrueSleep};
pub use host::Host;
pub use process::{NodeId, Process};
pub use reply::{Reply, ReplySender, reply};
pub use run::{Executor, Limits, Order, Step};
