//! The normal form of a machine: what exhaustive search compares states by.
//!
//! A machine keeps absolute readings, versions, nonces and counters, so that no two of its states are ever equal, though it does the
//! same from both. In normal form readings are relative to one moment and no older than they matter, labels are chosen anew by
//! whoever knows the whole world, and what no decision reads any more is forgotten.

use super::timer::Timer;
use super::{Machine, OperationId, Phase, Purpose};
use crate::backend::{Hold, Holder};
use crate::{FencingToken, Identity, Nanos, Nonce, Reading, Version};

/// New names for what a machine remembers of the world. Names that are equal stay equal, and names of one order stay in it.
pub trait Labels {
    /// A holder of the lock.
    fn holder(&mut self, holder: &Holder) -> Holder;
    /// An object that was or is the lock.
    fn identity(&mut self, identity: Identity) -> Identity;
    /// A number of a write; only equality counts.
    fn nonce(&mut self, nonce: Nonce) -> Nonce;
    /// A token; order counts.
    fn token(&mut self, token: FencingToken) -> FencingToken;
    /// A version; order counts.
    fn version(&mut self, version: Version) -> Version;
    /// Whether an answer may still show the write with this number to this machine.
    fn may_show(&self, nonce: Nonce) -> bool;
    /// Whether an answer may still show this machine what the lock was before this version.
    fn may_show_before(&self, version: Version) -> bool;
}

/// How one machine is brought into normal form.
pub(super) struct Normal<'a> {
    pub(super) labels: &'a mut dyn Labels,
    now: Reading,
    origin: Reading,
}

impl Normal<'_> {
    /// A reading that is looked at for `cap` at the longest.
    pub(super) fn reading(&self, reading: Reading, cap: Nanos) -> Reading {
        Reading {
            boottime: self
                .origin
                .boottime
                .saturating_sub(self.now.boottime_since(reading).min(cap)),
            raw: self
                .origin
                .raw
                .saturating_sub(self.now.raw_since(reading).min(cap)),
        }
    }

    pub(super) fn timer(&self, timer: Timer) -> Timer {
        Timer::new(self.reading(timer.since(), timer.span()), timer.span())
    }

    /// A timer that nobody looks at before it is set anew.
    pub(super) fn idle(&self) -> Timer {
        Timer::new(self.origin, Nanos::ZERO)
    }

    /// The moment that is called the origin.
    pub(super) fn now(&self) -> Reading {
        self.now
    }

    /// The reading that stands for any that nobody looks at.
    pub(super) fn origin(&self) -> Reading {
        self.origin
    }

    pub(super) fn hold(&mut self, hold: Hold) -> Hold {
        Hold {
            identity: self.labels.identity(hold.identity),
            token: self.labels.token(hold.token),
            version: self.labels.version(hold.version),
        }
    }
}

impl Machine {
    /// Brings the machine into normal form, in which it does the same as before, but calls `now` `origin`, and the lock, its
    /// holders and their writes by `labels`. Its next write has a nonce above `last_nonce`.
    ///
    /// `origin` has to be later than any span of the timing. The machine must have been told of `now`. What it told of others, and
    /// why a leadership ends, is forgotten: that decides nothing.
    pub fn normalise(
        &mut self,
        now: Reading,
        origin: Reading,
        last_nonce: Nonce,
        labels: &mut dyn Labels,
    ) {
        let mut normal = Normal {
            labels,
            now,
            origin,
        };
        // The answer sets the next poll, so until then no other is waited for.
        let reads = self.pending.as_ref().is_some_and(|pending| {
            matches!(pending.purpose, Purpose::Acquire(..) | Purpose::Observe)
        });
        let follows = match &self.phase {
            Phase::Following(following) => !following.look && !reads,
            Phase::Ended | Phase::Holding(_) => false,
        };
        self.company.normalise(&normal);
        self.knowledge
            .normalise(&mut normal, follows, self.spans.lease);
        match &mut self.phase {
            Phase::Ended => {}
            Phase::Following(following) => following.normalise(&normal, follows),
            Phase::Holding(holding) => holding.normalise(&mut normal, &self.spans),
        }
        if let Some(pending) = &mut self.pending {
            pending.id = OperationId(1);
            // A deadline may yet count from this send.
            let cap = self.spans.validity.saturating_add(self.spans.stop);
            pending.sent = normal.reading(pending.sent, cap);
            match &mut pending.purpose {
                Purpose::Acquire(opportunity, nonce) => {
                    opportunity.normalise(&mut normal);
                    *nonce = normal.labels.nonce(*nonce);
                }
                Purpose::Renew(attempt) => attempt.normalise(&mut normal, cap),
                _ => {}
            }
        }
        self.operations = u64::from(self.pending.is_some());
        self.retry = self
            .retry
            .filter(|retry| !retry.due(now))
            .map(|retry| normal.timer(retry));
        // A store whose tokens grow grants none that is as old.
        self.last_token = None;
        self.last_reading = origin;
        self.last_nonce = last_nonce.0;
    }

    /// The call of the backend that is under way.
    pub fn call(&self) -> Option<OperationId> {
        self.pending.as_ref().map(|pending| pending.id)
    }
}
