//! Fires of cron schedules on the leader, each once, over failover.
//!
//! A leader keeps a [`Ledger`] in the lock's note: which fire of each job was started last, and how it ended. A start is in the
//! store before the job runs, so that the next leader knows what it may run and what it must not. Fires are identified by the time
//! they were scheduled for, never by the time they ran.
//!
//! The decisions are pure: [`plan()`] from ledger, calendar, policy and wall clock to fires, and [`ClockGuard`] about whether the
//! wall clock may be believed at all. `docs/cron.md` has the promises and their limits.

mod calendar;
mod event;
mod fingerprint;
mod fire;
mod host;
mod job;
mod jobs;
mod leadership;
mod ledger;
mod outcome;
mod plan;
mod policy;
#[cfg(feature = "cron")]
mod schedule;
mod session;
mod slot;
mod witness;

pub use calendar::{Calendar, CalendarId, Every};
pub use event::CronEvent;
pub use fire::{Cancellation, Fire};
pub use host::{FireHost, HostFuture, Stop};
pub use job::{FailedFire, Job, JobFailed, RegistrationError};
pub use jobs::{Jobs, JobsError};
pub use ledger::{Entry, JOBS_MAX, JobId, LastFire, Ledger, LedgerError};
pub use outcome::Outcome;
pub use plan::{Finding, Overtaken, Plan, PlannedFire, Reason, Skipped, overtaken, plan};
pub use policy::{Fires, Missed, Overrun, Policy, Retries};
#[cfg(feature = "cron")]
pub use schedule::{Schedule, ScheduleError};
pub use witness::{ClockGuard, Doubt, Verdict, Witness, WitnessSource};

#[cfg(test)]
mod election_tests;
#[cfg(test)]
mod jobs_tests;
#[cfg(test)]
mod world;
