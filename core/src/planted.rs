//! Mistakes that a machine can be made with, so that a simulator can prove that it would see them.
//!
//! Compiled into something that can make them only with the feature `planted`, which nothing but a simulator asks for. Without it
//! `Planted::is` is false for the compiler, and every hook is gone.

/// A mistake in the decisions of an election. Each breaks one promise of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "planted"),
    expect(
        dead_code,
        unreachable_pub,
        reason = "only a simulator names all of them"
    )
)]
pub enum Mistake {
    /// A hold keeps its age over renewals: it belongs to the holder, not to the write.
    AgePerHolder,
    /// The age of a hold begins anew with every version, also when somebody else edits the record.
    AgePerVersion,
    /// Any read that finds the candidate's name settles a renewal of unknown outcome, whatever its number.
    AnyNumberConfirms,
    /// One refused renewal ends the election of this candidate for good.
    ConflictIsFatal,
    /// The deadline counts from the answer to a write, not from its sending.
    DeadlineFromAnswer,
    /// The work may finish for as long as it likes.
    DrainsForEver,
    /// A record without holder is free, with or without the mark of a release.
    EmptiedIsFree,
    /// A store that cannot be read gives a leader.
    FailOpen,
    /// The first acknowledgement counts as proof, also where only a later one is.
    FirstAnswerProves,
    /// A follower counts by the clock that shows more.
    FollowerCountsLonger,
    /// A follower that waits after a failed call sets no alarm for the end of the wait.
    ForgetsAlarm,
    /// A watch that shows the candidate as holder extends its leadership.
    HintExtends,
    /// Another holder in the record is of no interest until the deadline.
    IgnoresAnotherHolder,
    /// A lock that is gone is of no interest until the deadline.
    IgnoresMissing,
    /// Work that ignores that it is to stop gets all of the stop timeout, and is aborted after it.
    KillsAtStopTimeout,
    /// A candidate that ends stays a member.
    LeaksMember,
    /// A missing lock is a free lock.
    MissingIsFree,
    /// A record that names a candidate of this name is this candidate's.
    NameIsEnough,
    /// Work that ignores that it is to stop is not aborted.
    NeverAborts,
    /// The lock is not looked at without a hint.
    NeverPolls,
    /// A lock whose leadership is over is left to age.
    NeverReleases,
    /// A call that has failed is not made again.
    NeverRetries,
    /// The deadline does not allow for clocks that run apart.
    NoDriftMargin,
    /// The store is waited for without a limit.
    NoRequestTimeout,
    /// The deadline does not allow for the time that the work takes to stop.
    NoStopMargin,
    /// A note is told to be in the lock when it is sent.
    NoteToldEarly,
    /// A follower waits out its own lease duration, whatever the record says.
    OwnDuration,
    /// A read that finds the candidate's own record starts a leadership.
    OwnRecordIsTaken,
    /// The lock is read again as soon as it was read.
    PollsWithoutPause,
    /// A read that finds the candidate as holder extends its leadership.
    ReadExtends,
    /// The lock is given back while the work finishes.
    ReleasesFirst,
    /// A release is tried until it is answered.
    ReleasesForEver,
    /// A record's age counts from the wall clock in it.
    RemoteClock,
    /// A call that has failed is made again at once.
    RetriesAtOnce,
    /// The work is told to have stopped when it is told to stop.
    StoppedToldEarly,
    /// An alarm that rings is taken for the time that it was set for, and no clock is read.
    TimerIsTrusted,
    /// Work that has ended is followed by more work under the same token.
    TokenReused,
    /// The time of one more try is added to the deadline.
    TriesAddUp,
    /// A renewal of unknown outcome counts as confirmed.
    UnknownIsConfirmed,
    /// The holder of a session lock leads until it is told that its session has ended.
    WaitsForExpiry,
    /// What must not be late is woken on time by a timer that somebody slews.
    WakesOnTime,
}

/// The mistake that a machine makes, if any.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Planted {
    #[cfg(feature = "planted")]
    mistake: Option<Mistake>,
}

impl Planted {
    /// What a machine with this mistake takes, or what a sound one takes.
    pub(crate) fn pick<T>(self, mistake: Mistake, mistaken: T, sound: T) -> T {
        if self.is(mistake) { mistaken } else { sound }
    }
}

#[cfg(feature = "planted")]
impl Planted {
    pub(crate) const fn new(mistake: Option<Mistake>) -> Self {
        Self { mistake }
    }

    /// Whether it makes this one.
    pub(crate) fn is(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Whether it makes none.
    pub(crate) const fn is_sound(self) -> bool {
        self.mistake.is_none()
    }
}

#[cfg(not(feature = "planted"))]
impl Planted {
    pub(crate) const fn is(self, _: Mistake) -> bool {
        false
    }

    pub(crate) const fn is_sound(self) -> bool {
        true
    }
}

#[cfg(all(test, feature = "planted"))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_planted_unless_asked_for() {
        assert!(Planted::default().is_sound());
        assert!(!Planted::default().is(Mistake::FailOpen));
        let planted = Planted::new(Some(Mistake::FailOpen));
        assert!(planted.is(Mistake::FailOpen) && !planted.is_sound());
        assert!(!planted.is(Mistake::RemoteClock));
    }
}
