use super::Observation;
use crate::FencingToken;

/// What an operator asks through the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RequestKind {
    /// Nobody leads until somebody resumes: the sitting leader resigns, and no candidate tries.
    Pause,
    /// The sitting leader resigns; any other candidate may lead next.
    Resign,
    /// A pause ends.
    Resume,
}

/// A request that anybody with write access may leave in the lock.
///
/// It is meant for the leadership with this token, and for the time until the next one starts; it says nothing to later leaders.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OperatorRequest {
    /// What is asked.
    pub kind: RequestKind,
    /// The newest token of the lock when it was asked; nothing when nobody ever led.
    pub token: Option<FencingToken>,
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Submitted {
    /// The request is in the lock.
    Accepted,
    /// The lock's newest token is not the one that the request names; what was seen.
    Outdated(Observation),
}
