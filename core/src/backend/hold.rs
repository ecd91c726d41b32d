use std::time::Duration;

use super::{Note, Observation, OperatorRequest};
use crate::{CandidateId, FencingToken, Identity, Nonce, Reading, Version, WallTime};

/// What the compare-and-swap of an acquiring write on a leased record compares with. Session locks need none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Basis {
    /// There is no record: create one, if there still is none.
    Missing,
    /// The record has this version: replace it, if it still has.
    At(Version),
}

/// An attempt to acquire the lock.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Claim {
    /// What the decision to try was made from.
    pub basis: Basis,
    /// Who tries.
    pub candidate: CandidateId,
    /// How long the record stays valid after this write.
    pub lease_duration: Duration,
    /// The number of this write.
    pub nonce: Nonce,
    /// The candidate's wall clock, for people.
    pub wall: WallTime,
}

/// What is known about the time before a grant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vacancy {
    /// The claim's basis says it: the record was what the claimant had observed. (Leased records.)
    AsClaimed,
    /// The store vouches that no former holder can believe any more: released, its session ended, or never held by anybody.
    Proven,
    /// The lock had vanished, was replaced or emptied by somebody: a former holder may still believe. Leadership starts only after
    /// the largest duration in use. Later grants are unexplained too, over releases and crashes of whoever had the lock for a moment,
    /// until the backend knows that so much time has passed.
    Unexplained {
        /// The duration that the last known record had, where there is one.
        longest_lease: Option<Duration>,
    },
}

/// A lock that was granted or renewed: what later writes compare with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Hold {
    /// Which object is held.
    pub identity: Identity,
    /// The token of this leadership.
    pub token: FencingToken,
    /// The version of the record after the last confirmed write.
    pub version: Version,
}

/// What is known of a session that keeps several holds, where its signs of life are not those of one hold. All by the candidate's own clocks.
///
/// [`Proof::Later`](super::Proof::Later) is then the session's to judge: `proven` is what its own writes have proved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Standing {
    /// When the newest acknowledged sign of life was acknowledged, of those that are given at their times.
    pub acknowledged: Reading,
    /// When the newest sign of life that is proven was sent: the deadline counts from here.
    pub proven: Reading,
    /// When the newest acknowledged sign of life was sent, of those that are given at their times: the next one is due a renew interval later.
    pub sent: Reading,
}

/// An acquired lock, with what its record said.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Grant {
    /// What is held.
    pub hold: Hold,
    /// The note that the last leader left.
    pub note: Option<Note>,
    /// A request that stands in the record.
    pub request: Option<OperatorRequest>,
    /// What is known of the session that has the lock, where it is shared; else the claim is a sign of life of its own.
    pub standing: Option<Standing>,
    /// What is known about the time before.
    pub vacancy: Vacancy,
}

/// The answer to a [`Claim`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Acquired {
    /// The lock is not free, or not as the claim supposed; what was seen, where the backend saw it.
    Busy(Option<Observation>),
    /// The lock is the claimant's.
    Granted(Grant),
}

/// A renewal of a hold.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Renewal {
    /// Who holds.
    pub candidate: CandidateId,
    /// What is held, as of the last confirmed write.
    pub hold: Hold,
    /// How long the record stays valid after this write.
    pub lease_duration: Duration,
    /// The number of this write.
    pub nonce: Nonce,
    /// A note to write with it; nothing keeps the note that is there.
    pub note: Option<Note>,
    /// The candidate's wall clock, for people.
    pub wall: WallTime,
}

/// What a confirmed renewal tells.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RenewalReceipt {
    /// A request that stands in the record, where the backend sees it without a request of its own.
    pub request: Option<OperatorRequest>,
    /// What is known of the session that has the lock, where it is shared; else the renewal is a sign of life of its own.
    pub standing: Option<Standing>,
    /// The version of the record after the renewal.
    pub version: Version,
}

/// The answer to a [`Renewal`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Renewed {
    /// The hold, and the note where one was given, are in the store.
    Confirmed(RenewalReceipt),
    /// The record is not what the hold says: changed, held by another, or gone. What was seen, where the backend saw it; an
    /// authoritative read decides what it means.
    Conflict(Option<Observation>),
}

/// A release of a hold whose work has stopped.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Release {
    /// Who held.
    pub candidate: CandidateId,
    /// What was held, as of the last confirmed write.
    pub hold: Hold,
    /// The candidate's wall clock, for people.
    pub wall: WallTime,
}

/// The answer to a [`Release`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Released {
    /// The record is not what the hold says, and was left alone.
    Conflict(Option<Observation>),
    /// The lock is free, with a mark that says who released which object.
    Vacated,
}
