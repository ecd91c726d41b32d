//! Mistakes that the backend can be made with, so that a simulator can prove that it would see them.
//!
//! Compiled into something that can make them only with the feature `simulated-ensemble`. Without it `Planted::is` is false for the compiler,
//! and every hook is gone.

/// A mistake of the backend. Each breaks one promise of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "simulated-ensemble"),
    expect(
        unreachable_pub,
        reason = "public only where a simulator is to have it"
    )
)]
pub enum Mistake {
    /// A create whose answer was lost is sent again, without looking for the first one's node.
    CreatesAgain,
    /// The deadline counts from the newest heartbeat that was acknowledged.
    FromLastAcknowledged,
    /// The deadline counts from the last heartbeat but one that was acknowledged, and none waits until it proves another.
    FromLastButOne,
    /// A node of an earlier session of this process counts as its own.
    OwnerIgnored,
    /// A read of a server counts as a heartbeat.
    PingIsHeartbeat,
    /// A release deletes whatever node has the candidate's name.
    ReleaseByName,
    /// The fencing token is the node's sequence number.
    TokenFromSequence,
    /// A candidate takes itself for the first because the server that it is connected to shows nobody before it.
    TrustsOneServer,
    /// The leadership is given up only when the client says that the session has expired.
    WaitsForExpired,
    /// The parent is watched, not the node before the own one, and the list after an event is not read again.
    WatchesParent,
}

/// The mistake that a backend makes, if any.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Planted {
    #[cfg(feature = "simulated-ensemble")]
    pub(crate) mistake: Option<Mistake>,
}

impl Planted {
    #[cfg(feature = "simulated-ensemble")]
    pub(crate) fn is(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    #[cfg(not(feature = "simulated-ensemble"))]
    #[expect(clippy::unused_self, reason = "it has the form of the other one")]
    pub(crate) const fn is(self, _: Mistake) -> bool {
        false
    }
}
