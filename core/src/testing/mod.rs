//! For tests: the conformance suite for authors of backends, an executor that repeats exactly, and a candidate that does what it is
//! told.

mod clock;
pub mod conformance;
mod contender;
mod executor;
pub mod wrong;

pub use clock::TestClock;
pub use contender::Contender;
pub use executor::{Executor, POLLS_MAX, block_on, poll_once, yield_now};
