//! The election of tenure.

pub mod backend;
pub mod elector;
mod error;
pub mod event;
mod fence;
mod id;
pub mod machine;
pub mod memory;
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
