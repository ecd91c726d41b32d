use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::status::Failure;
use crate::plan::Span;
use crate::random::Stream;

/// How long a server that throttles asks to wait.
const RETRY_AFTER_S: u64 = 2;

/// How a server refuses or fails.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fails {
    /// 500.
    Internal,
    /// 429, to be tried again later.
    Throttled,
    /// 503.
    Unavailable,
    /// 504.
    TimedOut,
}

impl Fails {
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Internal => {
                let message =
                    "etcdserver: request timed out, possibly due to previous leader failure";
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
            }
            Self::Throttled => Failure::throttled(RETRY_AFTER_S),
            Self::Unavailable => Failure::unavailable(),
            Self::TimedOut => Failure::timeout(),
        }
    }
}

/// How watches are served.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub enum Watching {
    /// They tell what happens.
    #[default]
    Works,
    /// They tell nothing, and go on telling nothing once they began to.
    Silent,
    /// They are ended, and new ones are refused.
    Ended,
}

/// What is wrong with a server now.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Condition {
    /// It does not run: connections to it break, and new ones are refused.
    pub away: bool,
    /// It takes requests in and does nothing until this is over, and then all of them.
    pub hangs: bool,
    /// Each request takes up to so much longer, whoever waits for it.
    pub slow: Span,
    /// Its cache, and what its watches tell, is so much behind.
    pub lag: Span,
    /// So many requests of a thousand fail without an effect, in this way.
    pub fails: Option<(u16, Fails)>,
    /// So many writes of a thousand take effect and fail all the same, in this way.
    pub fails_after: Option<(u16, Fails)>,
    /// So many writes of a thousand take effect and are not answered.
    pub drops_replies: u16,
    /// Watches.
    pub watching: Watching,
    /// Whether a watch from a version that is forgotten is refused with 410, and does not begin with an error.
    pub gone_at_once: bool,
}

impl Condition {
    /// Whether a request fails before it has an effect.
    pub(super) fn fails_now(&self, draw: &mut Stream) -> Option<Failure> {
        happens(self.fails, draw).map(Fails::failure)
    }

    /// Whether a write fails after its effect.
    pub(super) fn fails_afterwards(&self, draw: &mut Stream) -> Option<Failure> {
        happens(self.fails_after, draw).map(Fails::failure)
    }
}

fn happens(fault: Option<(u16, Fails)>, draw: &mut Stream) -> Option<Fails> {
    let (per_mille, how) = fault?;
    draw.happens(per_mille.into()).then_some(how)
}
