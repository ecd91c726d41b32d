//! The durations that an election runs by, and what follows from them.
//!
//! One inequality holds an election together. A leader's work is told to stop at `D = L / (1+ρ)² − σ` after the *sending* of the
//! last confirmed write, and has stopped at `D + σ`, both by the leader's own clock; a follower takes over no earlier than `L`
//! after the *receipt* of what showed that write, by the follower's clock. Each clock runs at some rate in `[1/(1+ρ), 1+ρ]`, so
//! the leader's work has ended at most `L / (1+ρ)` of true time after the send, and the follower begins at least that much later.
//! How far the two clocks are apart never matters.
//!
//! All arithmetic is in whole nanoseconds, ρ in parts per million, and each rounding goes to the safe side: what a leader may
//! use is rounded down, what a follower waits is rounded up.

mod builder;
mod drift;
mod error;
mod guarantees;
mod setting;
#[expect(clippy::module_inception, reason = "the folder's one main concept")]
mod timing;

pub use builder::TimingBuilder;
pub use drift::parts_per_million;
pub use error::TimingError;
pub use guarantees::Guarantees;
pub use setting::{Advice, Setting, SettingValue};
pub use timing::{CLOCK_DRIFT_PPM_MAX, DURATION_MAX, DURATION_MIN, Timing};

#[cfg(test)]
mod properties;
