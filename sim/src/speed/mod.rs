//! How fast the simulator is on the machine that it runs on. The one place here that looks at a real clock.

mod measure;
mod requests;
mod stopwatch;

pub use measure::{COUNT, Measurement, measure};
pub use stopwatch::{Stopwatch, per_second};
