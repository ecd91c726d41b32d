use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::TrueTime;
use crate::clock::Counter;

/// The leader's count of the sessions: each is in the bucket of the tick in which it ends if nobody hears of it.
#[derive(Debug)]
pub(super) struct Tracker {
    buckets: BTreeMap<u64, BTreeSet<i64>>,
    counter: Counter,
    known: BTreeMap<i64, (u64, Duration)>,
    tick: u64,
}

impl Tracker {
    /// Counts by this clock of the leader's.
    pub(super) fn new(counter: Counter, tick: Duration) -> Self {
        Self {
            buckets: BTreeMap::new(),
            counter,
            known: BTreeMap::new(),
            tick: nanos(tick).max(1),
        }
    }

    /// A session is there from now on, with its whole timeout.
    pub(super) fn track(&mut self, now: TrueTime, session: i64, timeout: Duration) {
        self.forget(session);
        self.known.insert(session, (0, timeout));
        self.buckets.entry(0).or_default().insert(session);
        self.touch(now, session);
    }

    /// A sign of life. Whether the session is known.
    pub(super) fn touch(&mut self, now: TrueTime, session: i64) -> bool {
        let ends = match self.known.get(&session) {
            Some((_, timeout)) => self.rounded_up(now, *timeout),
            None => return false,
        };
        let Some((bucket, _)) = self.known.get_mut(&session) else {
            return false;
        };
        if *bucket < ends {
            let before = std::mem::replace(bucket, ends);
            self.leave(before, session);
            self.buckets.entry(ends).or_default().insert(session);
        }
        true
    }

    pub(super) fn knows(&self, session: i64) -> bool {
        self.known.contains_key(&session)
    }

    pub(super) fn forget(&mut self, session: i64) {
        if let Some((bucket, _)) = self.known.remove(&session) {
            self.leave(bucket, session);
        }
    }

    /// Takes out the sessions whose tick has come.
    pub(super) fn expired(&mut self, now: TrueTime) -> Vec<i64> {
        let shown = self.counter.at(now);
        let mut expired = Vec::new();
        while let Some(entry) = self.buckets.first_entry().filter(|one| *one.key() <= shown) {
            expired.extend(entry.remove());
        }
        for session in &expired {
            self.known.remove(session);
        }
        expired
    }

    /// When the leader looks next.
    pub(super) fn next_look(&self, now: TrueTime) -> TrueTime {
        let shown = self.counter.at(now);
        let next = (shown / self.tick + 1) * self.tick;
        self.counter.when(next).unwrap_or(TrueTime::END)
    }

    fn rounded_up(&self, now: TrueTime, timeout: Duration) -> u64 {
        let ends = self.counter.at(now).saturating_add(nanos(timeout));
        (ends / self.tick + 1).saturating_mul(self.tick)
    }

    fn leave(&mut self, bucket: u64, session: i64) {
        if let Some(sessions) = self.buckets.get_mut(&bucket) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.buckets.remove(&bucket);
            }
        }
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
