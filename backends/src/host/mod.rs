//! What an elector needs of the machine that it runs on: clocks, randomness, a name, a watchdog.

mod clock;
mod election;
mod name;
mod random;
mod watchdog;

pub use clock::SystemClock;
pub use election::election;
pub use name::candidate_name;
pub use random::random_bits;
pub use watchdog::{OnOverrun, Overrun, ThreadWatchdog};
