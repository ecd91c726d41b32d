//! For tests: an executor that repeats exactly, and a candidate that does what it is told.

mod contender;
mod executor;

pub use contender::Contender;
pub use executor::{Executor, POLLS_MAX, block_on, poll_once, yield_now};
