//! Leader election for work that must run in exactly one place.
//!
//! A service runs as N instances, and one piece of its work must run on exactly one of them. `tenure` elects a leader among them,
//! tells it until when it may act, stops its work before anybody else may start, and hands over in milliseconds.
//!
//! Pick a backend by a feature, describe the election, and give it the work:
//!
//! | feature | lock | needs |
//! | --- | --- | --- |
//! | `file` (default) | a lock file on one machine | nothing |
//!
//!
//! [`Election::run`] returns the work's value when it ends by itself, [`Election::run_forever`] campaigns again. [`Control`] watches
//! and steers an election from elsewhere. What is guaranteed, under which assumptions, is in `docs/guarantees.md`.

pub use tenure_backends::host::{self, election};
pub use tenure_core::{
    CandidateId, CandidateName, Control, Effect, Election, ElectionBuilder, ElectionName, Error,
    ErrorKind, Event, Fence, FencingToken, Guarantees, Leadership, LockBackend, NameError,
    RunError, StopReason, Timing, TimingError, backend, elector, event, machine, memory, time,
    timing,
};

#[cfg(doctest)]
mod documents;
