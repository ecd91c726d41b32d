use std::time::Duration;

use super::connection::Down;
use super::state::SERVERS;
use super::tracker::nanos;
use crate::random::Stream;

/// How a make of client keeps its connection and its session.
///
/// | | [`Crate`](Self::Crate) | [`Java`](Self::Java) |
/// | --- | --- | --- |
/// | pings when it has sent nothing for | a fifth of the session timeout | a third of it, at the most 10 s |
/// | holds a connection for lost that has said nothing for | two fifths | two thirds |
/// | gives a server up that does not let it in within | two fifths | its share of the timeout among the servers |
/// | holds its session for expired that it has not heard of for | seven fifths, without a connection | four thirds |
/// | seeks the next server after | a moment, and longer when it has tried all | 0.1 s and up to a second, and a second more when it has tried all |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Habits {
    /// The client that our own backend uses.
    Crate,
    /// ZooKeeper's own client, `ClientCnxn`.
    Java,
}

/// Of [`Habits::Java`].
const PINGS_AFTER_MOST: Duration = Duration::from_secs(10);

impl Habits {
    /// It pings when it has sent nothing for so long.
    pub(super) fn pings_after(self, timeout: Duration) -> Duration {
        match self {
            Self::Crate => timeout / 5,
            Self::Java => (timeout / 3).min(PINGS_AFTER_MOST),
        }
    }

    /// A connection is lost when nothing was heard for so long.
    pub(super) fn silence(self, timeout: Duration) -> Duration {
        match self {
            Self::Crate => timeout * 2 / 5,
            Self::Java => timeout * 2 / 3,
        }
    }

    /// A server has so long to let it in.
    pub(super) fn greeting(self, timeout: Duration) -> Duration {
        match self {
            Self::Crate => timeout * 2 / 5,
            Self::Java => timeout / u32::try_from(SERVERS).expect("there are few servers"),
        }
    }

    /// The session has expired when nothing was heard for so long.
    pub(super) fn expiry(self, timeout: Duration) -> Duration {
        match self {
            Self::Crate => timeout * 7 / 5,
            Self::Java => timeout * 4 / 3,
        }
    }

    /// Whether it looks for that also while it counts itself connected: it may have stood still.
    pub(super) fn expires_while_connected(self) -> bool {
        self == Self::Java
    }

    /// Whether this counts as a sign of life of the servers.
    pub(super) fn hears(self, what: &Down) -> bool {
        self == Self::Crate || !matches!(what, Down::Bye)
    }

    /// How long it waits before it seeks the next server. Not the same for all clients.
    pub(super) fn wait(self, draw: &mut Stream, timeout: Duration, all_tried: bool) -> Duration {
        match self {
            Self::Crate => {
                let jitter = nanos(timeout / 12).max(2);
                let wait = draw.within(jitter / 5..=jitter);
                Duration::from_nanos(if all_tried { wait } else { wait / 50 })
            }
            Self::Java => {
                let wait = Duration::from_micros(draw.within(100_000..=1_100_000));
                let again = Duration::from_secs(1);
                wait + if all_tried { again } else { Duration::ZERO }
            }
        }
    }
}
