//! What happened in a run: records in true time, the same on all tiers; a hash over all of them, and a chronicle that keeps them.

mod chronicle;
mod hash;
mod record;

pub use chronicle::{Chronicle, Keep};
pub use hash::TraceHash;
pub use record::{
    Answer, Ask, Deed, Down, FireDeed, Frozen, Life, Mark, Operation, Record, RequestId, Told,
    What, WorkEnd,
};
