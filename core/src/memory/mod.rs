//! Two locks in memory: a leased record and a session lock, with faults that tests plan as data.
//!
//! Elections within one process, examples and tests use them; they follow the contract of [`LockBackend`](crate::LockBackend) to the
//! letter. Both are synchronous inside and know no time: a test decides what is lost or delayed ([`Fault`], [`Gate`]), when a session
//! ends, and what a stranger does to the record. Hints wake their waiters first come first, so that a run repeats exactly.

mod answer;
mod fault;
mod gate;
mod hints;
mod leased;
mod lock;
mod request;
mod session;
mod shared;
#[cfg(test)]
mod tests;

pub use fault::{Fault, PlannedFault};
pub use gate::Gate;
pub use hints::{Told, Watch};
pub use leased::{LeasedState, LeasedStore};
pub use lock::MemoryLock;
pub use request::{Operation, Reply, Request, SessionId};
pub use session::{SessionMode, SessionState, SessionStore};
pub use shared::State;
