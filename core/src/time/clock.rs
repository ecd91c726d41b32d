use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{Reading, WallTime};

/// A wait that a [`Clock`] hands out.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where an elector takes its time from: the machine's clocks in production, a simulated node's in the simulator.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Both readings now. Neither ever goes backwards.
    fn now(&self) -> Reading;

    /// The wall clock now. It is written into records for people, and decides nothing but when a cron schedule fires.
    fn wall(&self) -> WallTime;

    /// A wait of about `duration`: a wake-up, never an authority. Who was woken reads the clock again.
    fn sleep(&self, duration: Duration) -> Sleep;
}
