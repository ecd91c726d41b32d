//! Time as an elector sees it: pairs of readings, never compared between machines.

mod clock;
mod reading;
mod wall;

pub use clock::{Clock, Sleep};
pub use reading::{Nanos, Reading};
pub use wall::WallTime;
