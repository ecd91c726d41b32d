//! What one handle is told of changes: flags, not a queue, so that a slow reader costs no memory.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_core::FencingToken;
use tenure_core::backend::Hint;

use crate::locked::locked;

/// 1, 2, 4 … 32 ms: the kernel tells of a close a little before it frees the lock, and a job that ends takes a moment too.
const REMINDERS: u32 = 6;

#[derive(Default, Debug)]
struct Pending {
    changed: bool,
    members: bool,
    reminding: Reminding,
    waker: Option<Waker>,
    watching: Option<bool>,
}

/// Whether a refused try is to be followed by another one soon.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Reminding {
    #[default]
    Off,
    /// A close was told; the lock should be free within milliseconds of it, unless somebody else gets it under a newer token.
    On {
        seen: Option<FencingToken>,
        step: u32,
    },
}

/// The hints for one handle.
#[derive(Default, Debug)]
pub(crate) struct Hints {
    pending: Mutex<Pending>,
    seen: Mutex<Option<FencingToken>>,
}

impl Hints {
    /// A descriptor of the lock file was closed: it may be free in a moment.
    pub(crate) fn closed(&self) {
        let seen = *locked(&self.seen);
        self.tell(|pending| {
            pending.changed = true;
            pending.reminding = Reminding::On { seen, step: 0 };
        });
    }

    /// The lock, its record or its request has changed.
    pub(crate) fn changed(&self) {
        self.tell(|pending| pending.changed = true);
    }

    pub(crate) fn members_changed(&self) {
        self.tell(|pending| pending.members = true);
    }

    pub(crate) fn watching(&self, works: bool) {
        self.tell(|pending| pending.watching = Some(works));
    }

    /// The lock was found held, with this as the newest token: how soon to hint again, if it may be about to become free.
    pub(crate) fn refused(&self, token: Option<FencingToken>) -> Option<Duration> {
        *locked(&self.seen) = token;
        let mut pending = locked(&self.pending);
        let Reminding::On { seen, step } = pending.reminding else {
            return None;
        };
        // Whoever has not looked before cannot tell whose token it is.
        let another = seen.is_some() && token != seen;
        if another || step >= REMINDERS {
            pending.reminding = Reminding::Off;
            return None;
        }
        pending.reminding = Reminding::On {
            seen: token,
            step: step + 1,
        };
        Some(Duration::from_millis(1 << step))
    }

    /// The lock was had: no reminder is needed.
    pub(crate) fn granted(&self) {
        locked(&self.pending).reminding = Reminding::Off;
    }

    /// Waits for the next hint.
    pub(crate) async fn next(&self) -> Hint {
        poll_fn(|context| {
            let mut pending = locked(&self.pending);
            if let Some(works) = pending.watching.take() {
                return Poll::Ready(Hint::Watching(works));
            }
            if std::mem::take(&mut pending.changed) {
                return Poll::Ready(Hint::Changed);
            }
            if std::mem::take(&mut pending.members) {
                return Poll::Ready(Hint::MembersChanged);
            }
            pending.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn tell(&self, change: impl FnOnce(&mut Pending)) {
        let waker = {
            let mut pending = locked(&self.pending);
            change(&mut pending);
            pending.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(value: u64) -> Option<FencingToken> {
        FencingToken::new(value)
    }

    #[test]
    fn a_try_refused_after_a_close_is_repeated_within_milliseconds_and_not_for_ever() {
        let hints = Hints::default();
        assert_eq!(hints.refused(token(1)), None, "nothing was closed");
        hints.closed();
        let delays: Vec<_> = std::iter::from_fn(|| hints.refused(token(1))).collect();
        let milliseconds: Vec<_> = delays.iter().map(Duration::as_millis).collect();
        assert_eq!(milliseconds, [1, 2, 4, 8, 16, 32]);
        assert_eq!(hints.refused(token(1)), None);
    }

    #[test]
    fn a_try_refused_by_the_next_leader_is_not_repeated() {
        let hints = Hints::default();
        assert_eq!(hints.refused(token(1)), None);
        hints.closed();
        assert!(hints.refused(token(1)).is_some());
        assert_eq!(hints.refused(token(2)), None);
        assert_eq!(hints.refused(token(2)), None);
    }
}
