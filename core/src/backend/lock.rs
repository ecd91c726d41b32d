use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Acquired, Claim, Description, Member, Observation, OperatorRequest, Release, Released, Renewal,
    Renewed, Submitted,
};
use crate::timing::Timing;
use crate::{CandidateId, Effect, Error, ErrorKind};

/// Something moved, or may have. A hint can make an elector look, try or stop; it never extends a leadership.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Hint {
    /// The lock has changed: a read will show how.
    Changed,
    /// The connection to the store is lost: a leader is in jeopardy at once.
    Disconnected,
    /// The members have changed.
    MembersChanged,
    /// The lock has changed to this. Not an authoritative read.
    Seen(Observation),
    /// From now on changes are told (`true`), or no longer (`false`, as at the start): then the elector polls.
    Watching(bool),
}

/// One election's lock, as one candidate's process sees it.
///
/// Each handle serves one elector at a time. Handles of one process may share a connection, a session or threads behind the scenes.
///
/// Common to all methods:
/// - one attempt a call: no hidden retry, no hidden cache;
/// - no time-out of its own is needed: the elector drops a call that takes too long, and takes its effect as unknown;
/// - an error says whether the operation may have happened ([`Error::effect`]);
/// - on a session lock, what one handle was asked takes effect in the order of asking, also where the asker has gone: a claim that
///   lands after a later one would undo its grant.
#[async_trait]
pub trait LockBackend: fmt::Debug + Send + Sync + 'static {
    /// What this backend is. Never changes.
    fn description(&self) -> &Description;

    /// The timing of an election on this lock, where none is set.
    fn timing(&self) -> Timing {
        Timing::standard()
    }

    /// After how long without a sign of life the store ends the holder's session, where it counts that itself. No lease duration may be
    /// longer. It may become another one with the next session.
    fn session_timeout(&self) -> Option<Duration> {
        None
    }

    /// Reads the lock from the store, authoritatively.
    ///
    /// # Contract
    /// Shows every write that was confirmed to anybody before the call began. A record that cannot be understood is
    /// [`LockState::Held`](super::LockState::Held) with no duration, never an error and never vacant.
    ///
    /// # Outcome
    /// | result | store |
    /// | --- | --- |
    /// | `Ok` | unchanged |
    /// | `Err` | unchanged |
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    async fn observe(&self) -> Result<Observation, Error>;

    /// Tries once to get the lock. Never waits for it.
    ///
    /// # Contract
    /// Of all claims with one basis at most one is granted (leased). A claim is granted only while no other session has the lock
    /// (session); the place in a queue that a refused claim has got is kept for the next one. A granted claim has a token larger
    /// than that of every grant before it, also over deletion of the lock, and is durable. That holds too for a claim by who has the
    /// lock already: it may have stopped leading without a release, so the same hold is never granted twice.
    ///
    /// # Outcome
    /// | result | store |
    /// | --- | --- |
    /// | `Granted` | names the candidate, with this nonce |
    /// | `Busy` | unchanged but for the place in the queue |
    /// | `Err`, `NotApplied` | unchanged but for the place in the queue |
    /// | `Err`, `Unknown` | as before, or the candidate's, now or at any later time |
    ///
    /// # Cancel safety
    /// Dropping the future is the same as `Unknown`. A session lock granted after that is given back by the backend, unless the
    /// next call finds it.
    async fn acquire(&self, claim: &Claim) -> Result<Acquired, Error>;

    /// Proves that the hold still stands, and keeps it; may write a note with it.
    ///
    /// # Contract
    /// Confirms only if the store's lock is the hold: same object, same holder, same version (leased) or same session. Note and
    /// proof are confirmed together or not at all.
    ///
    /// # Outcome
    /// | result | store |
    /// | --- | --- |
    /// | `Confirmed` | has this nonce (leased), and the note where one was given, durably |
    /// | `Conflict` | unchanged by this call |
    /// | `Err`, `NotApplied` | unchanged by this call |
    /// | `Err`, `Unknown` | either, now or at any later time |
    ///
    /// # Cancel safety
    /// Dropping the future is the same as `Unknown`.
    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Error>;

    /// Gives the lock back. The work has stopped before this is called.
    ///
    /// # Contract
    /// Never touches another's hold. Leaves the note, the newest token, and a mark that names who released which object.
    ///
    /// # Outcome
    /// | result | store |
    /// | --- | --- |
    /// | `Vacated` | has no holder, and the mark |
    /// | `Conflict` | unchanged by this call |
    /// | `Err`, `NotApplied` | unchanged by this call |
    /// | `Err`, `Unknown` | either, now or at any later time |
    ///
    /// # Cancel safety
    /// Dropping the future is the same as `Unknown`.
    async fn release(&self, release: &Release) -> Result<Released, Error>;

    /// Waits until something may have changed. May never return.
    ///
    /// # Contract
    /// A change may be told late, more than once or never; the elector reads in its own time too. After a
    /// [`Hint::Watching`]`(true)` a change that a read would show is normally told.
    ///
    /// # Cancel safety
    /// A hint is lost when the future is dropped after it was made; the elector keeps the future over other calls.
    async fn changed(&self) -> Hint;

    /// Shows `candidate` as a member, where the backend's members are made that way. Called once before anything else.
    ///
    /// # Cancel safety
    /// After dropping the future the candidate may be shown or not.
    async fn enlist(&self, candidate: &CandidateId) -> Result<(), Error> {
        let _ = candidate;
        Ok(())
    }

    /// Takes `candidate` out of the members and out of any queue, also from the first place there. Called when it does not hold: at its
    /// end, and whenever it stops trying for a while, since a place that nobody uses would block those behind it. It may be enlisted
    /// again later.
    ///
    /// # Cancel safety
    /// After dropping the future the backend finishes in the background, or its session's end does.
    async fn withdraw(&self, candidate: &CandidateId) -> Result<(), Error> {
        let _ = candidate;
        Ok(())
    }

    /// Lets go of everything that this process holds for its candidate, without waiting and without a record: the elector was
    /// dropped. Its work has been dropped before.
    fn abandon(&self) {}

    /// Who is alive now, leader or not, in a stable order.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    async fn members(&self) -> Result<Vec<Member>, Error> {
        Ok(Vec::new())
    }

    /// Who stands in line for the lock, in the order in which they will have it, the holder first. Nothing where the store keeps no such
    /// order. For people: no elector decides by it.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    async fn contenders(&self) -> Result<Option<Vec<Member>>, Error> {
        Ok(None)
    }

    /// Leaves an operator's request in the lock, if its newest token is still the one that the request names.
    ///
    /// # Outcome
    /// | result | store |
    /// | --- | --- |
    /// | `Accepted` | has the request, or none after `Resume` |
    /// | `Outdated` | unchanged by this call |
    /// | `Err`, `NotApplied` | unchanged by this call |
    /// | `Err`, `Unknown` | either, now or at any later time |
    ///
    /// # Cancel safety
    /// Dropping the future is the same as `Unknown`.
    async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Error> {
        let _ = request;
        let backend = self.description().backend;
        Err(Error::new(
            ErrorKind::Unsupported,
            Effect::NotApplied,
            "submit",
            backend,
            "this backend takes no requests: ask the leader's process",
        ))
    }
}
