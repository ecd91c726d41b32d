//! The election of tenure: who leads, until when, and what stops before anybody else may start.
//!
//! This crate does no input or output, has no clock of its own, draws no random numbers and spawns nothing. Time comes in through a
//! [`Clock`], locks through a [`LockBackend`], chance through a [`Seed`]. Most users want the crate `tenure`, which fills these in.
//!
//! | read | for |
//! | --- | --- |
//! | [`backend`] | the trait that a lock implements, and its vocabulary |
//! | [`machine`] | all decisions, as plain data in and plain data out |
//! | [`elector`] | the future that drives the machine over a backend and a clock, and runs the work |
//! | [`timing`] | how long things take, and what follows from that |
//! | [`memory`] | two locks in memory, with faults on request |
//! | [`event`] | what happens to a candidate |
//!
//! # What makes it safe
//! - A leadership counts from the moment its last confirmed write was *sent*, by the clock that shows more; a follower counts from
//!   the moment it *saw* a record, by the clock that shows less. Clocks of two machines are never compared.
//! - A write whose outcome is unknown extends nothing, until a read finds the number of that very write.
//! - Another holder seen, or no lock: stop now. A lock that vanished or was emptied by somebody: its former leader is waited out.
//! - The work is told to stop, is waited for, is dropped if need be; only then is the lock given back. There is no other order.
//! - Each leadership has a [`FencingToken`] larger than all before, for resources to check: the only complete answer to a pause
//!   between check and act.

pub mod backend;
pub mod cron;
pub mod elector;
mod error;
pub mod event;
mod fence;
mod id;
pub mod machine;
pub mod memory;
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod timing;

pub use backend::LockBackend;
pub use elector::{Control, Election, ElectionBuilder, Leadership, RunError, Seed, Watchdog};
pub use error::{Effect, Error, ErrorKind};
pub use event::{Event, StopReason};
pub use fence::{Fence, Stale};
pub use id::{
    CandidateId, CandidateName, ElectionName, FencingToken, Identity, Incarnation, NAME_BYTES_MAX,
    NameError, Nonce, Version,
};
pub use time::{Clock, Nanos, Reading, WallTime};
pub use timing::{Guarantees, Timing, TimingBuilder, TimingError};
