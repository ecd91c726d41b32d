//! What one handle remembers of its Lease: the objects that its next write is an edit of, and its own grant.

use std::time::Duration;

use bytes::Bytes;
use tenure_core::backend::{Hold, Holder, Renewal};
use tenure_core::{CandidateId, FencingToken, Identity, Incarnation, Nanos, Reading, Version};

use super::record::{Kept, Lease};
use super::template::Template;

/// For how long a lost race for a freed lock tells that there are rivals.
const RIVALS_REMEMBERED: Duration = Duration::from_secs(600);
/// How often the kubelet is asked about one holder, at most.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// A watch that has not told in this time what a read has shown is dead, or its server lags.
const TELLS_WITHIN: Duration = Duration::from_secs(1);
/// So often within the duration of its lease, at most: as a candidate tries again what fails, where its lease is as long as the holder's.
const ASKS_MOST: u32 = 15;

/// Nothing here decides about leadership: a write that was made from something old is refused by the API server.
#[derive(Default, Debug)]
pub(crate) struct Known {
    /// A version that an answer showed then, and that the watch has not told yet.
    behind: Option<(Version, Reading)>,
    /// The newest that the watch has told.
    event: Option<Kept>,
    granted: Option<Granted>,
    /// When the Lease was last looked at.
    looked: Option<Reading>,
    provable: Option<Provable>,
    /// When a claim on a free lock was last refused.
    lost_race: Option<Reading>,
    /// The newest answer to a request.
    read: Option<Kept>,
    /// Since when the present holder's last write has been seen.
    sight: Option<Sight>,
    /// How long a request takes, smoothed.
    pub(crate) trip: Duration,
    /// Whether the newest answer shows a Lease without our label.
    unlabelled: bool,
}

/// A grant of this handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Granted {
    candidate: Incarnation,
    identity: Identity,
    token: FencingToken,
}

/// From when on the holder's death may be proved by the kubelet.
///
/// Whoever has taken a lock that vanished or was emptied waits before it leads, for a former leader who may still believe. Should it die
/// meanwhile, the next one has to wait for that one too, and not only for the dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Provable {
    granted: Reading,
    after: Nanos,
}

#[derive(Clone, Debug)]
struct Sight {
    /// When the kubelet was last asked about this holder.
    asked: Option<Reading>,
    /// Whether it said that the holder's container has ended, which does not change any more.
    dead: bool,
    /// When it was written, at the earliest.
    since: Reading,
    holder: Holder,
    renewed: Option<u64>,
}

impl Known {
    /// The answer to a read shows the Lease. What it shows anew may have been there since the look before.
    pub(crate) fn saw_answer(&mut self, now: Reading, lease: &Lease) {
        let before = self.looked.replace(now);
        self.saw(before.unwrap_or(now), lease);
    }

    /// The answer to a write shows the Lease, as it became after the write `began`.
    pub(crate) fn wrote(&mut self, began: Reading, lease: &Lease) {
        self.looked = Some(began);
        self.saw(began, lease);
    }

    fn saw(&mut self, since: Reading, lease: &Lease) {
        self.see(since, lease);
        self.unlabelled = !lease.is_labelled();
        self.keep(Kept::of(lease));
    }

    fn keep(&mut self, kept: Kept) {
        let version = kept.version();
        let newer = |known: &Kept| known.version() > version;
        if !self.read.as_ref().is_some_and(newer) {
            self.read = Some(kept);
        }
        self.event = self.event.take().filter(newer);
    }

    /// The Lease as `renewal` has written it, and as the API server has `answer`ed: the next renewal may be like this one.
    pub(crate) fn may_go_on(&mut self, lease: &Lease, answer: &[u8], renewal: &Renewal) {
        if let Some(kept) = &mut self.read
            && kept.version() == lease.version()
            && let Some((text, template)) = Template::of(lease, answer, renewal)
        {
            *kept = Kept::renewed(text, template, lease.version());
        }
    }

    /// The text of `renewal`, where it is like the one before.
    pub(crate) fn next(&self, renewal: &Renewal) -> Option<(Bytes, Template)> {
        let mut shown = self.read.iter();
        let kept = shown.find(|kept| kept.version() == renewal.hold.version)?;
        kept.template.as_ref()?.next(kept.text(), renewal)
    }

    /// The Lease is what was written, by a renewal that `began` then.
    pub(crate) fn renewed(&mut self, began: Reading, renewal: &Renewal, kept: Kept) {
        self.looked = Some(began);
        if let Some(sight) = &mut self.sight
            && sight.holder.is(&renewal.candidate)
        {
            sight.since = began;
            sight.renewed = Some(renewal.nonce.0);
        }
        self.keep(kept);
    }

    /// The Lease is gone.
    pub(crate) fn saw_missing(&mut self) {
        self.read = None;
        self.event = None;
        self.sight = None;
        self.unlabelled = false;
    }

    /// Whether a watch of what carries our label tells of the Lease, or would if it were there.
    pub(crate) fn is_labelled(&self) -> bool {
        !self.unlabelled
    }

    /// The watch shows the Lease. Older than what is known, it tells nothing.
    pub(crate) fn saw_event(&mut self, now: Reading, lease: &Lease) {
        let newest = self.shown().map(Kept::version).max();
        if newest < Some(lease.version()) {
            self.looked = Some(now);
            self.see(now, lease);
            self.event = Some(Kept::of(lease));
        }
    }

    fn see(&mut self, since: Reading, lease: &Lease) {
        let Some(holder) = lease.holder() else {
            self.sight = None;
            return;
        };
        let renewed = lease.renew_micros();
        let asked = match &self.sight {
            Some(sight) if sight.holder == holder && sight.renewed == renewed => return,
            Some(sight) => sight.asked.filter(|_| sight.holder == holder),
            None => None,
        };
        self.sight = Some(Sight {
            asked,
            dead: false,
            since,
            holder,
            renewed,
        });
    }

    /// The Lease at exactly this version, if it was shown.
    pub(crate) fn at(&self, version: Version) -> Option<Lease> {
        let mut shown = self.shown();
        shown.find(|kept| kept.version() == version).map(Kept::open)
    }

    fn shown(&self) -> impl Iterator<Item = &Kept> {
        self.read.iter().chain(&self.event)
    }

    /// Whether the Lease at exactly this version was shown.
    pub(crate) fn has(&self, version: Version) -> bool {
        self.shown().any(|kept| kept.version() == version)
    }

    /// The Lease that `hold` is a hold of, when `candidate` has it as far as is known here.
    pub(crate) fn held(&self, candidate: &CandidateId, hold: &Hold) -> Option<Lease> {
        let lease = self.at(hold.version)?;
        let granted = Granted {
            candidate: candidate.incarnation,
            identity: hold.identity,
            token: hold.token,
        };
        let known = self.granted == Some(granted) || lease.token() == Some(hold.token);
        let stands = lease.is_held_by(candidate) && lease.identity() == hold.identity;
        (known && stands).then_some(lease)
    }

    /// Its death may be proved from so long after now on.
    pub(crate) fn provable_after(&mut self, now: Reading, after: Nanos) {
        self.provable = Some(Provable {
            granted: now,
            after,
        });
    }

    /// Whether the holder's death may be proved by the kubelet.
    pub(crate) fn is_provable(&self, now: Reading) -> bool {
        self.provable
            .is_some_and(|provable| now.shortest_since(provable.granted) >= provable.after)
    }

    pub(crate) fn granted(&mut self, candidate: Incarnation, hold: &Hold) {
        self.granted = Some(Granted {
            candidate,
            identity: hold.identity,
            token: hold.token,
        });
    }

    pub(crate) fn released(&mut self) {
        self.granted = None;
    }

    /// Somebody else was quicker.
    pub(crate) fn lost_race(&mut self, now: Reading) {
        self.lost_race = Some(now);
    }

    /// Whether others are known to want the lock too.
    pub(crate) fn has_rivals(&self, now: Reading) -> bool {
        let remembered = Nanos::from(RIVALS_REMEMBERED);
        self.lost_race
            .is_some_and(|lost| now.shortest_since(lost) < remembered)
    }

    /// A request took this long.
    pub(crate) fn took(&mut self, trip: Duration) {
        self.trip = if self.trip.is_zero() {
            trip
        } else {
            (self.trip * 7 + trip) / 8
        };
    }

    /// Whether the watch has not told in time what an answer had shown. It has told this version; nothing when it does not work, so
    /// that there is nothing to expect.
    pub(crate) fn is_watch_behind(&mut self, now: Reading, told: Option<Version>) -> bool {
        let missing = |version: &Version| told.is_some_and(|told| told < *version);
        if let Some((_, since)) = self.behind.filter(|(version, _)| missing(version)) {
            let late = now.shortest_since(since) >= TELLS_WITHIN.into();
            self.behind = self.behind.filter(|_| !late);
            return late;
        }
        let shown = self.read.as_ref().map(Kept::version);
        self.behind = shown.filter(missing).map(|version| (version, now));
        false
    }

    /// In how long the kubelet has to be asked about the holder of `lease`: at once when it never was, and again and again while a renewal
    /// is overdue. Never about a holder that is here.
    pub(crate) fn ask_in(&self, now: Reading, lease: &Lease) -> Option<Duration> {
        let sight = self.sight.as_ref()?;
        let duration = lease.duration()?;
        let here = |granted: Granted| sight.holder.incarnation() == Some(granted.candidate);
        if self.granted.is_some_and(here) {
            return None;
        }
        let Some(asked) = sight.asked else {
            return Some(Duration::ZERO);
        };
        // A renewal is due after a third, and may be on its way for a while.
        let overdue = left(now, sight.since, duration / 3 + duration / (2 * ASKS_MOST));
        Some(overdue.max(left(now, asked, ask_every(duration))))
    }

    /// For how long to let nobody ask, when nothing is told meanwhile.
    pub(crate) fn pause(&self, now: Reading, lease: &Lease) -> Duration {
        match self.ask_in(now, lease) {
            None => ASK_EVERY,
            // It is being asked about already.
            Some(Duration::ZERO) => lease.duration().map_or(ASK_EVERY, ask_every),
            // Not in steps that grow smaller and smaller, where timers and readings run differently.
            Some(wait) => wait.max(Duration::from_millis(1)),
        }
    }

    /// The kubelet has to be asked about the holder, whatever is known.
    pub(crate) fn ask(&mut self) {
        if let Some(sight) = &mut self.sight {
            sight.asked = None;
        }
    }

    /// The kubelet was asked about the holder of `lease`, and said whether it is dead.
    pub(crate) fn asked(&mut self, now: Reading, lease: &Lease, dead: bool) {
        let holder = lease.holder();
        let renewed = lease.renew_micros();
        if let Some(sight) = &mut self.sight
            && Some(&sight.holder) == holder.as_ref()
        {
            sight.asked = Some(now);
            sight.dead |= dead && sight.renewed == renewed;
        }
    }

    /// Whether the holder is known to be dead.
    pub(crate) fn is_dead(&self, lease: &Lease) -> bool {
        self.sight.as_ref().is_some_and(|sight| {
            sight.dead
                && Some(&sight.holder) == lease.holder().as_ref()
                && sight.renewed == lease.renew_micros()
        })
    }

    /// The newest Lease that was shown.
    pub(crate) fn newest(&self) -> Option<Lease> {
        self.shown()
            .max_by_key(|kept| kept.version())
            .map(Kept::open)
    }
}

/// How often the kubelet is asked about the holder of a lease of this duration, at most.
fn ask_every(duration: Duration) -> Duration {
    ASK_EVERY.max(duration / ASKS_MOST)
}

/// What is left of a wait that began at a reading.
fn left(now: Reading, since: Reading, wait: Duration) -> Duration {
    wait.saturating_sub(now.longest_since(since).into())
}
