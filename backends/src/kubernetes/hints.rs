//! What one handle is told of changes: the newest of each, not a queue, so that a slow reader costs no memory.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use serde_json::Value;

use super::record::Lease;
use super::watch::Sink;
use crate::locked::locked;

/// One thing that a handle is told.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Told {
    Changed,
    MembersChanged,
    Seen(Box<Lease>),
    Watching(bool),
}

#[derive(Default, Debug)]
struct Pending {
    changed: bool,
    members: bool,
    seen: Option<Box<Lease>>,
    waker: Option<Waker>,
    watching: Option<bool>,
}

/// The hints for one handle.
#[derive(Default, Debug)]
pub(crate) struct Hints(Mutex<Pending>);

impl Hints {
    pub(crate) fn look(&self) {
        self.tell(|pending| pending.changed = true);
    }

    pub(crate) fn members_changed(&self) {
        self.tell(|pending| pending.members = true);
    }

    /// The lock has become this.
    pub(crate) fn seen(&self, lease: Lease) {
        self.tell(|pending| pending.seen = Some(Box::new(lease)));
    }

    pub(crate) fn tell_watching(&self, works: bool) {
        self.tell(|pending| pending.watching = Some(works));
    }

    /// Waits for the next hint.
    pub(crate) async fn next(&self) -> Told {
        poll_fn(|context| {
            let mut pending = locked(&self.0);
            let told = if let Some(works) = pending.watching.take() {
                Told::Watching(works)
            } else if let Some(lease) = pending.seen.take() {
                Told::Seen(lease)
            } else if std::mem::take(&mut pending.changed) {
                Told::Changed
            } else if std::mem::take(&mut pending.members) {
                Told::MembersChanged
            } else {
                pending.waker = Some(context.waker().clone());
                return Poll::Pending;
            };
            Poll::Ready(told)
        })
        .await
    }

    fn tell(&self, change: impl FnOnce(&mut Pending)) {
        let waker = {
            let mut pending = locked(&self.0);
            change(&mut pending);
            pending.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The watch of one Lease tells the handle.
impl Sink for Hints {
    fn changed(&self, object: Value) {
        match Lease::parse(object) {
            Ok(lease) => self.seen(lease),
            // A read says what is wrong with it.
            Err(_) => self.look(),
        }
    }

    fn deleted(&self, _object: Value) {
        self.look();
    }

    fn missed(&self) {
        self.look();
    }

    fn watching(&self, works: bool) {
        self.tell_watching(works);
    }
}
