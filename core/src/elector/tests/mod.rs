//! What the driver promises, over stores in memory and on a clock that a test moves.

mod events;
mod leadership;
mod notes;
mod panics;
mod stage;
mod starts;
mod wakers;
