//! What one handle is told of changes.

use std::sync::Mutex;
use std::time::Duration;

use tenure_core::FencingToken;
use tenure_core::backend::Hint;

use crate::locked::locked;
use crate::mailbox::Mailbox;

/// 1, 2, 4 … 32 ms: the kernel tells of a close a little before it frees the lock, and a job that ends takes a moment too.
const REMINDERS: u32 = 6;

#[derive(Default, Debug)]
struct Pending {
    changed: bool,
    members: bool,
    reminding: Reminding,
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
    pending: Mailbox<Pending>,
    seen: Mutex<Option<FencingToken>>,
}

impl Hints {
    /// A descriptor of the lock file was closed: it may be free in a moment.
    pub(crate) fn closed(&self) {
        let seen = *locked(&self.seen);
        self.pending.tell(|pending| {
            pending.changed = true;
            pending.reminding = Reminding::On { seen, step: 0 };
        });
    }

    /// The lock, its record or its request has changed.
    pub(crate) fn changed(&self) {
        self.pending.tell(|pending| pending.changed = true);
    }

    pub(crate) fn members_changed(&self) {
        self.pending.tell(|pending| pending.members = true);
    }

    pub(crate) fn watching(&self, works: bool) {
        self.pending.tell(|pending| pending.watching = Some(works));
    }

    /// The lock was found held, with this as the newest token: how soon to hint again, if it may be about to become free.
    pub(crate) fn refused(&self, token: Option<FencingToken>) -> Option<Duration> {
        *locked(&self.seen) = token;
        self.pending.alter(|pending| {
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
        })
    }

    /// The lock was had: no reminder is needed.
    pub(crate) fn granted(&self) {
        self.pending
            .alter(|pending| pending.reminding = Reminding::Off);
    }

    /// Waits for the next hint.
    pub(crate) async fn next(&self) -> Hint {
        let take = |pending: &mut Pending| {
            if let Some(works) = pending.watching.take() {
                return Some(Hint::Watching(works));
            }
            if std::mem::take(&mut pending.changed) {
                return Some(Hint::Changed);
            }
            std::mem::take(&mut pending.members).then_some(Hint::MembersChanged)
        };
        self.pending.next(take).await
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
