use tenure_core::memory::SessionId;

use crate::trace::{Ask, Life};

/// What the queue holds. What belongs to a process says to which life of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// A call is answered.
    Answer { call: u32 },
    /// Somebody asks the candidate for something.
    Asked { ask: Asked, life: Life, node: u16 },
    /// A candidate that ended in good order closes its session.
    Close { session: SessionId },
    /// The plan goes on.
    Deed,
    /// The store tells something.
    Hint { life: Life, node: u16, told: Hinted },
    /// A request lands.
    Land { call: u32 },
    /// The sender learns that its connection broke.
    Lost { call: u32 },
    /// A client's library shows that it is alive.
    Ping { life: Life, node: u16 },
    /// The server looks for sessions that have expired.
    Reap,
    /// A starved process is given time.
    Run { node: u16 },
    /// A supervisor starts a process.
    Start { node: u16 },
    /// The work panics.
    WorkPanics { life: Life, node: u16 },
}

/// What a candidate is asked, or told by its own process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    For(Ask),
    /// The watchdog has ended its leadership.
    WatchdogFired,
}

/// What a store tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hinted {
    Changed,
    Disconnected,
    Members,
    /// What is kept under this number.
    Seen(u32),
    Watching(bool),
}
