//! What one handle is told of changes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;
use tenure_core::Version;

use super::record::Lease;
use super::watch::Sink;
use crate::mailbox::Mailbox;

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
    watching: Option<bool>,
}

/// The hints for one handle.
#[derive(Default, Debug)]
pub(crate) struct Hints {
    /// The newest version that an answer has shown: its echo by the watch is no news.
    answered: AtomicU64,
    /// The watch had begun before, and has told nothing yet.
    joined: AtomicBool,
    pending: Mailbox<Pending>,
    /// The newest version that the watch has told.
    told: AtomicU64,
    watching: AtomicBool,
}

impl Hints {
    pub(crate) fn look(&self) {
        self.pending.tell(|pending| pending.changed = true);
    }

    pub(crate) fn members_changed(&self) {
        self.pending.tell(|pending| pending.members = true);
    }

    /// The lock has become this.
    pub(crate) fn seen(&self, lease: Lease) {
        let version = lease.version().0;
        self.told.fetch_max(version, Ordering::Relaxed);
        if version > self.answered.load(Ordering::Relaxed) {
            self.pending
                .tell(|pending| pending.seen = Some(Box::new(lease)));
        }
    }

    /// An answer has shown this version. A watch that had begun before tells what comes after it.
    pub(crate) fn answered(&self, version: Version) {
        if self.joined.swap(false, Ordering::Relaxed) {
            self.told.fetch_max(version.0, Ordering::Relaxed);
        }
        self.answered.fetch_max(version.0, Ordering::Relaxed);
    }

    /// The newest version that the watch has told, while it works.
    pub(crate) fn told(&self) -> Option<Version> {
        let works = self.watching.load(Ordering::Relaxed);
        works.then(|| Version(self.told.load(Ordering::Relaxed)))
    }

    /// From now on a watch that works already tells of changes.
    pub(crate) fn join_watch(&self) {
        self.joined.store(true, Ordering::Relaxed);
        self.tell_watching(true);
    }

    pub(crate) fn tell_watching(&self, works: bool) {
        self.watching.store(works, Ordering::Relaxed);
        self.pending.tell(|pending| pending.watching = Some(works));
    }

    /// Waits for the next hint.
    pub(crate) async fn next(&self) -> Told {
        let take = |pending: &mut Pending| {
            if let Some(works) = pending.watching.take() {
                return Some(Told::Watching(works));
            }
            if let Some(lease) = pending.seen.take() {
                return Some(Told::Seen(lease));
            }
            if std::mem::take(&mut pending.changed) {
                return Some(Told::Changed);
            }
            std::mem::take(&mut pending.members).then_some(Told::MembersChanged)
        };
        self.pending.next(take).await
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
