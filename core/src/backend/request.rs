use super::Observation;
use crate::FencingToken;

/// What an operator asks through the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RequestKind {
    /// Nobody leads until somebody resumes: the sitting leader resigns, and no candidate tries. It stands until then, whatever the
    /// token: the token was checked when it was left.
    Pause,
    /// The sitting leader resigns; any other candidate may lead next. Concerns only the leadership with the named token.
    Resign,
    /// A pause ends: the request is taken out of the lock.
    Resume,
}

/// A request that anybody with write access may leave in the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OperatorRequest {
    /// What is asked.
    pub kind: RequestKind,
    /// The newest token of the lock when it was asked; nothing when nobody ever led. The request is refused when the lock has
    /// moved on since.
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
